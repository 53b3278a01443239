/** newlib's edits for printf and scanf. */

/** A va_list is an array on x86-64, so that as a parameter it is itself the pointer that get_arg wants. */
const toList = '(va_list *) (sizeof ap == sizeof (va_list) ? (void *) &ap : (void *) ap)';
const positionalEdits = [
  { file: 'vfprintf.c', call: 'get_arg (data, n, fmt_anchor, ' },
  { file: 'vfwprintf.c', call: 'get_arg (data, n, fmt_anchor, ' },
  { file: 'vfscanf.c', call: 'get_arg (n, ' },
  { file: 'vfwscanf.c', call: 'get_arg (n, ' },
].map(({ file, call }) => ({
  file: `newlib/libc/stdio/${file}`,
  before: `${call}&ap`,
  after: `${call}${toList}`,
}));

export const formatEdits = [
  ...positionalEdits,
  {
    // past the %, as in vfprintf.c
    file: 'newlib/libc/stdio/vfwprintf.c',
    before: "      if (*fmt == L'\\0')\n\t\t\t\tbreak;\n      state = START;\n",
    after: "      if (*fmt == L'\\0')\n\t\t\t\tbreak;\n      fmt++;\n      state = START;\n",
  },
];

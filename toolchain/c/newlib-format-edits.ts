/** newlib's edits for printf, scanf and strtod. */

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

/**
 * printf leaves doubles and long doubles in memory for sysroot/src/float-digits.c: the function that prints everything else
 * is slower for each vector register that it touches.
 */
const printfEdits = [
  {
    before: `#define _NO_LONGDBL
#if defined _WANT_IO_LONG_DOUBLE && (LDBL_MANT_DIG > DBL_MANT_DIG)
#undef _NO_LONGDBL
#endif
`,
    after: `#define _NO_LONGDBL

/* Given to a function as a long double is, but copied by other registers.  */
union extended
{
  long double val;
  float in_memory;
};
#undef _LONG_DOUBLE
#define _LONG_DOUBLE union extended
`,
  },
  {
    before: `static char *cvt(struct _reent *, _PRINTF_FLOAT_TYPE, int, int, char *, int *,
                 int, int *, char *);
`,
    after: `union arg_val;
enum { FLOAT_FINITE, FLOAT_NAN, FLOAT_INFINITE, FLOAT_ZERO };
extern int minios_float_class (const union arg_val *, int, char *);
extern char *minios_float_convert (struct _reent *, const union arg_val *, int, int, int,
			     int, int *, int *, char *);
`,
  },
  {
    before: `	char softsign;		/* temporary negative sign for floats */
	union { int i; _PRINTF_FLOAT_TYPE fp; } _double_ = {0};
# define _fpvalue (_double_.fp)
`,
    after: `	union arg_val real_arg, *real = &real_arg;
	int real_class = FLOAT_ZERO;
`,
  },
  {
    before: `/*
 * Macros for converting digits to letters and vice versa
 */
`,
    after: `#ifdef FLOATING_POINT
static void __attribute__ ((__noinline__))
take_extended (union arg_val *place, va_list *ap)
{
  place->val__LONG_DOUBLE = va_arg (*ap, _LONG_DOUBLE);
}
#endif

/*
 * Macros for converting digits to letters and vice versa
 */
`,
  },
  {
    before: `			if (flags & LONGDBL) {
				_fpvalue = (double) GET_ARG (N, ap, _LONG_DOUBLE);
			} else {
				_fpvalue = GET_ARG (N, ap, double);
			}
`,
    after: `			real = &real_arg;
			if (!(flags & LONGDBL))
				real->val_double = GET_ARG (N, ap, double);
			else if (is_pos_arg && N >= numargs)
				real = get_arg (data, N, fmt_anchor, ${toList}, &numargs,
						args, arg_type, &saved_fmt);
			else if (is_pos_arg || arg_index++ < numargs)
				real = &args[N];
			else {
				if (numargs < MAX_POS_ARGS)
					real = &args[numargs++];
				take_extended (real, ${toList});
			}
			real_class = minios_float_class (real, flags & LONGDBL, &sign);
`,
  },
  {
    before: `			if (isinf (_fpvalue)) {
				if (_fpvalue < 0)
					sign = '-';
`,
    after: '			if (real_class == FLOAT_INFINITE) {\n',
  },
  {
    before: `			if (isnan (_fpvalue)) {
				if (signbit (_fpvalue))
					sign = '-';
`,
    after: '			if (real_class == FLOAT_NAN) {\n',
  },
  {
    before: `			cp = cvt (data, _fpvalue, prec, flags, &softsign,
				  &expt, ch, &ndig, cp);
`,
    after: `			cp = minios_float_convert (data, real, flags & LONGDBL, ch, prec,
					     flags & ALT, &expt, &ndig, cp);
			if (cp == NULL) {
				fp->_flags |= __SERR;
				goto error;
			}
`,
  },
  {
    before: "			if (softsign)\n				sign = '-';\n",
    after: '',
  },
  {
    before: '				if (_fpvalue == 0) {\n',
    after: '				if (real_class == FLOAT_ZERO) {\n',
  },
  {
    before: '					if (_fpvalue) {\n',
    after: '					if (real_class != FLOAT_ZERO) {\n',
  },
  {
    before: '/* Using reentrant DATA, convert finite VALUE into a string of digits\n',
    after: '#if 0\n/* Using reentrant DATA, convert finite VALUE into a string of digits\n',
  },
  {
    before: 'static int\nexponent(char *p0, int exp, int fmtch)\n',
    after: '#endif\n\nstatic int\nexponent(char *p0, int exp, int fmtch)\n',
  },
  {
    before: `# ifndef _NO_LONGDBL
		    if (flags & LONGDBL)
		      spec_type = LONG_DOUBLE;
		    else
# endif
`,
    after: `		    if (flags & LONGDBL)
		      spec_type = LONG_DOUBLE;
		    else
`,
  },
];

/** What has few digits is one multiplication or division: sysroot/src/short-decimal.c. */
const strtodEdits = [
  {
    before:
      'double\n_strtod_l (struct _reent *ptr, const char *__restrict s00, char **__restrict se,\n',
    after: `extern int minios_short_decimal (const char *, char **, double *);

static double __attribute__ ((__noinline__))
any_strtod_l (struct _reent *ptr, const char *__restrict s00, char **__restrict se,
`,
  },
  {
    before: 'double\n_strtod_r (struct _reent *ptr,\n',
    after: `double
_strtod_l (struct _reent *ptr, const char *__restrict s00, char **__restrict se,
	   locale_t loc)
{
  double value;
  const char *point = __get_numeric_locale (loc)->decimal_point;
  if (point[0] == '.' && point[1] == 0 && minios_short_decimal (s00, se, &value))
    return value;
  return any_strtod_l (ptr, s00, se, loc);
}

double
_strtod_r (struct _reent *ptr,
`,
  },
];

export const formatEdits = [
  ...positionalEdits,
  {
    // past the %, as in vfprintf.c
    file: 'newlib/libc/stdio/vfwprintf.c',
    before: "      if (*fmt == L'\\0')\n\t\t\t\tbreak;\n      state = START;\n",
    after: "      if (*fmt == L'\\0')\n\t\t\t\tbreak;\n      fmt++;\n      state = START;\n",
  },
  ...printfEdits.map((edit) => ({ file: 'newlib/libc/stdio/vfprintf.c', ...edit })),
  ...strtodEdits.map((edit) => ({ file: 'newlib/libc/stdlib/strtod.c', ...edit })),
];

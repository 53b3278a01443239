/** The two widths of guest that are built, and what gcc and people call them. */

export type Width = 64 | 32;

export const widths = {
  64: { name: 'x86-64', option: '-m64', host: 'x86_64-xen-elf', elfClass: 2, machine: 62 },
  32: { name: 'x86-32', option: '-m32', host: 'i686-xen-elf', elfClass: 1, machine: 3 },
} as const satisfies Readonly<Record<Width, unknown>>;

/** What gcc is told for a guest, before and after the user's own words (gcc manual, "Option Summary"). */
import type { Compiler } from './compiler.ts';
import { type Width, widths } from './width.ts';

/** The macros by which sources would take us for Linux. */
const linuxMacros = [
  'linux',
  'unix',
  '__linux',
  '__linux__',
  '__unix',
  '__unix__',
  '__gnu_linux__',
];

/**
 * Flags that decide what machine code is made. Not -ffreestanding: with newlib beneath it this is a hosted C, and
 * freestanding takes away main's implicit `return 0` and the builtins.
 */
export function machineFlags(width: Width): string[] {
  return [
    widths[width].option,
    ...(width === 32 ? ['-march=pentium4', '-mfpmath=sse'] : []),
    ...linuxMacros.map((name) => `-U${name}`),
    '-D__minios__',
    '-mno-red-zone',
    '-fno-stack-protector',
    '-fcf-protection=none',
    '-fno-pic',
    '-fno-pie',
    '-fno-asynchronous-unwind-tables',
    '-U_FORTIFY_SOURCE',
  ];
}

/** Headers: gcc's own, then the sysroot's, and no others. */
export function includeFlags(compiler: Compiler, sysroot: string): string[] {
  return [
    '-nostdinc',
    ...['-isystem', compiler.includeDirectory],
    ...['-isystem', `${sysroot}/include`],
    `-ffile-prefix-map=${sysroot}=/sysroot`,
  ];
}

/**
 * The specs file empties gcc's list of library directories, so that -l finds the user's -L and the sysroot and nothing
 * of the host.
 */
export function linkFlags(compiler: Compiler, sysroot: string): string[] {
  return [
    `-specs=${sysroot}/lib/link.specs`,
    '-nostdlib',
    '-no-pie',
    `-Wl,-T,${sysroot}/lib/application.lds`,
    '-Wl,--no-dynamic-linker',
    '-Wl,-z,now,-z,norelro,-z,separate-code,-z,max-page-size=4096',
    '-Wl,--hash-style=sysv,--build-id=none,--gc-sections',
    '-Wl,-nostdlib',
    `${sysroot}/lib/crt0.o`,
    `-L${sysroot}/lib`,
    '-Wl,--start-group',
    ...['-llwip', '-lm', '-lc', compiler.libgcc],
    '-Wl,--end-group',
    '-Wl,--no-as-needed',
    `${sysroot}/lib/libminios.so`,
  ];
}

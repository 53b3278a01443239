/** What OCaml's runtime and the C halves of its libraries are made of (runtime/Makefile and otherlibs of OCaml 4.13). */
import type { Width } from '../c/width.ts';

export interface CamlLibrary {
  /** Of the archive, in the place of Debian's. */
  readonly name: string;
  /** Of the sources, in OCaml's tree. */
  readonly directory: string;
  /** Without ending; undefined: all C files there. */
  readonly sources: readonly string[] | undefined;
  readonly isNative: boolean;
  /** Assembly that goes with it. */
  readonly hasAssembly?: boolean;
  /** Of our own, in place of OCaml's. */
  readonly own?: readonly string[];
}

const common = [
  ...['misc', 'startup_aux', 'freelist', 'major_gc', 'minor_gc', 'memory', 'alloc', 'globroots'],
  ...['signals', 'printexc', 'backtrace', 'compare', 'ints', 'eventlog', 'floats', 'str', 'array'],
  ...[
    'io',
    'extern',
    'intern',
    'hash',
    'sys',
    'meta',
    'parsing',
    'gc_ctrl',
    'md5',
    'obj',
    'lexing',
  ],
  ...['callback', 'weak', 'compact', 'finalise', 'custom', 'dynlink', 'afl', 'unix'],
  ...['bigarray', 'main', 'memprof', 'domain', 'skiplist', 'codefrag'],
];
const nativeOnly = ['startup_nat', 'fail_nat', 'roots_nat', 'signals_nat', 'backtrace_nat'];
const bytecodeOnly = ['interp', 'stacks', 'fix_code', 'startup_byt', 'roots_byt', 'fail_byt'];

export const libraries: readonly CamlLibrary[] = [
  {
    ...{ name: 'libasmrun.a', directory: 'runtime', isNative: true, hasAssembly: true },
    own: ['debugger'],
    sources: [...common, ...nativeOnly, 'dynlink_nat', 'clambda_checks'],
  },
  {
    ...{ name: 'libcamlrun.a', directory: 'runtime', isNative: false, own: ['debugger'] },
    sources: [...common, ...bytecodeOnly, 'signals_byt', 'backtrace_byt'],
  },
  { name: 'libunix.a', directory: 'otherlibs/unix', sources: undefined, isNative: false },
  {
    ...{ name: 'libthreadsnat.a', directory: 'otherlibs/systhreads', isNative: true },
    sources: ['st_stubs'],
  },
  {
    ...{ name: 'libthreads.a', directory: 'otherlibs/systhreads', isNative: false },
    sources: ['st_stubs'],
  },
  { name: 'libcamlstr.a', directory: 'otherlibs/str', sources: undefined, isNative: false },
];

/** As OCaml's configure names them; the system decides how a signal's context is laid out, which is as on Linux. */
export const targets = {
  64: { architecture: 'amd64', system: 'linux' },
  32: { architecture: 'i386', system: 'linux_elf' },
} as const satisfies Readonly<Record<Width, unknown>>;

export function librarySwitches(width: Width, { isNative }: CamlLibrary): string[] {
  const { architecture, system } = targets[width];
  return [
    ...['-O2', '-fno-strict-aliasing', '-fwrapv', '-ffunction-sections', '-DCAML_NAME_SPACE'],
    ...(isNative
      ? ['-DNATIVE_CODE', `-DTARGET_${architecture}`, '-DMODEL_default', `-DSYS_${system}`]
      : []),
  ];
}

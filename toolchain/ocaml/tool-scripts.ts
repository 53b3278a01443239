/**
 * The programs that OCaml's compilers call by name (`ocamlfind ocamlopt -config`: c_compiler, asm, native_pack_linker), as scripts that make
 * what they are asked for into something for our guests.
 */
import { includeFlags, linkFlags, machineFlags } from '../c/flags.ts';
import type { Sysroot } from '../c/sysroot.ts';
import type { Width } from '../c/width.ts';

export const prefixes = {
  64: 'x86_64-linux-gnu-',
  32: 'i686-linux-gnu-',
} as const satisfies Readonly<Record<Width, string>>;

export const compilerName = (width: Width): string => `${prefixes[width]}gcc`;

/** Contents by name. */
export function toolScripts({ width, compiler, directory }: Sysroot): Record<string, string> {
  const prefix = prefixes[width];
  const machine = quoted([...machineFlags(width), ...includeFlags(compiler, directory)]);
  // The runtime's main is in a library that stands before the start code, which asks for it.
  const link = quoted(['-Wl,-u,main', ...linkFlags(compiler, directory)]);
  const format = width === 64 ? 'elf_x86_64' : 'elf_i386';
  return {
    [`${prefix}gcc`]: compilerScript(compiler.command, machine, link),
    [`${prefix}as`]: script(`exec as --${width} "$@"`),
    [`${prefix}ld`]: script(`exec ld -m ${format} "$@"`),
    [`${prefix}ar`]: script('exec ar "$@"'),
    [`${prefix}ranlib`]: script('exec ranlib "$@"'),
  };
}

/** What Debian's OCaml was configured with for shared libraries and hardened programs means nothing here. */
const dropped = [
  ...['-pthread', '-fPIC', '-fstack-protector-strong', '-D_FORTIFY_SOURCE=*', '-Wl,-z,*', '-Wl,-E'],
  ...['-lm', '-ldl', '-lpthread'],
];

const compilerScript = (command: string, machine: string, link: string): string =>
  script(
    'links=yes count=$#',
    'while [ $count -gt 0 ]; do',
    '  word=$1 count=$((count - 1)); shift',
    '  case $word in',
    `    ${dropped.join('|')}) continue ;;`,
    '    -c|-S|-E|-r) links=no ;;',
    '  esac',
    '  set -- "$@" "$word"',
    'done',
    `if [ $links = yes ]; then set -- "$@" ${link}; fi`,
    `exec ${command} ${machine} "$@"`,
  );

const script = (...lines: string[]): string => ['#!/bin/sh', ...lines, ''].join('\n');

const quoted = (words: readonly string[]): string =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');

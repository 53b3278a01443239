/**
 * Many tests in one program: each is compiled on its own, its main renamed and all else made local, and linked with a driver that runs
 * the one whose number it is given; once for this machine, once for a guest.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { includeFlags, machineFlags } from '../../../toolchain/c/flags.ts';
import { build, sysroot, type Width, widths } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { testFile } from '../../support/program.ts';
import type { Suite } from './suite.ts';

export interface Side {
  /** Path of the program. */
  readonly program: string;
  /** Why tests are not in it: by number, what the compiler says, or functions that are missing. */
  readonly refused: ReadonlyMap<number, string>;
}

type Name = 'guest' | 'native';

/** As the suite's own Makefile has them. */
const options = ['-std=gnu99', '-O2', '-w', '-D_POSIX_C_SOURCE=200112L', '-D_XOPEN_SOURCE=600'];

/** Into an empty directory. */
export async function buildSide(
  name: Name,
  suite: Suite,
  tests: readonly string[],
  width: Width,
  directory: string,
): Promise<Side> {
  const folder = join(directory, name);
  mkdirSync(folder);
  const refused = await compile(await flagsOf(name, width), suite, tests, folder);
  await rename(tests, refused, folder);
  const program = join(folder, 'tests.elf');
  for (;;) {
    const linked = tests.flatMap((_, number) => (refused.has(number) ? [] : [number]));
    const said = await link(name, width, linked, tests.length, folder, program);
    if (said === '') return { program, refused };
    const missing = new Set(
      [...said.matchAll(/undefined reference to `(\w+)'/g)].map(([, symbol = '']) => symbol),
    );
    if (missing.size === 0) throw new Error(`linking for ${name}: ${said}`);
    for (const [number, symbols] of await wanting(linked, missing, folder))
      refused.set(number, `no ${symbols.join(', ')}`);
  }
}

async function flagsOf(name: Name, width: Width): Promise<string[]> {
  if (name === 'native') return [widths[width].option, '-fno-pie'];
  const { compiler, directory } = await sysroot(width);
  return [...machineFlags(width), ...includeFlags(compiler, directory)];
}

/** A call of gcc for each of the suite's folders; what has no object afterwards was refused. */
async function compile(
  flags: readonly string[],
  { interfaces, include }: Suite,
  tests: readonly string[],
  folder: string,
): Promise<Map<number, string>> {
  const folders = new Set(tests.map(dirname));
  const refused = new Map<number, string>();
  for (const name of folders) {
    const objects = join(folder, name);
    mkdirSync(objects);
    const files = tests
      .filter((test) => dirname(test) === name)
      .map((test) => join(interfaces, `${test}.c`));
    const words = [...flags, ...options, '-I', include, '-c', ...files];
    const { stderr } = await runProcess('gcc', words, { cwd: objects });
    for (const [number, test] of tests.entries())
      if (dirname(test) === name && !existsSync(join(folder, `${test}.o`)))
        refused.set(number, errorOf(stderr, `${test}.c`));
  }
  return refused;
}

const errorOf = (said: string, file: string): string =>
  said
    .split('\n')
    .find((line) => line.includes(file) && line.includes('error'))
    ?.replace(/^.*error: /, '') ?? `gcc makes no object of ${basename(file)}`;

const objectOf = (number: number): string => `${number}.o`;
const mainOf = (number: number): string => `posix_test_${number}`;

async function rename(
  tests: readonly string[],
  refused: ReadonlyMap<number, string>,
  folder: string,
): Promise<void> {
  const commands = tests.flatMap((test, number) => {
    const main = mainOf(number);
    const kept = `-w --keep-global-symbol=${main} --keep-global-symbol='__x86.get_pc_thunk.*'`;
    const words = `--redefine-sym main=${main} ${kept} '${test}.o' ${objectOf(number)}`;
    return refused.has(number) ? [] : [`objcopy ${words}`];
  });
  const { status, stderr } = await runProcess('/bin/sh', ['-e'], {
    ...{ input: commands.join('\n'), cwd: folder },
  });
  if (status !== 0) throw new Error(`objcopy: ${stderr}`);
}

/** '' or what the linker says. */
async function link(
  name: Name,
  width: Width,
  linked: readonly number[],
  count: number,
  folder: string,
  output: string,
): Promise<string> {
  const has = new Set(linked);
  const table = [
    ...linked.map((number) => `int ${mainOf(number)}(int, char **);`),
    'int (*const posix_tests[])(int, char **) = {',
    ...Array.from({ length: count }, (_, n) => (has.has(n) ? `${mainOf(n)},` : '0,')),
    '};\n',
  ];
  writeFileSync(join(folder, 'table.c'), table.join('\n'));
  const objects = linked.map((number) => join(folder, objectOf(number)));
  const words = ['-w', testFile('guests/posix/driver.c'), join(folder, 'table.c'), ...objects];
  if (name === 'guest') {
    const { status, messages } = await build({ width, output, arguments: words });
    return status === 0 ? '' : messages;
  }
  const native = [widths[width].option, '-no-pie', ...words, '-lpthread', '-lrt', '-lm'];
  const { status, stderr } = await runProcess('gcc', [...native, '-o', output]);
  return status === 0 ? '' : stderr;
}

/** Which objects want symbols that nobody has: the linker names only some of them. */
async function wanting(
  linked: readonly number[],
  missing: ReadonlySet<string>,
  folder: string,
): Promise<ReadonlyMap<number, string[]>> {
  const words = ['-u', '-A', ...linked.map(objectOf)];
  const { stdout } = await runProcess('nm', words, { cwd: folder });
  const found = new Map<number, string[]>(
    linked.filter((number) => missing.has(mainOf(number))).map((number) => [number, ['main']]),
  );
  for (const [, number = '', symbol = ''] of stdout.matchAll(/^(\d+)\.o:\s+[Uw] (\w+)$/gm))
    if (missing.has(symbol))
      found.set(Number(number), [...(found.get(Number(number)) ?? []), symbol]);
  if (found.size === 0) throw new Error(`nobody wants ${[...missing].join(', ')}`);
  return found;
}

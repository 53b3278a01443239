/**
 * Many torture tests in one image: each is compiled on its own, its main renamed and all its other symbols made local, and
 * linked with a driver that runs them one by one. The native program is linked from the same objects.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { includeFlags, machineFlags } from '../../../toolchain/c/flags.ts';
import { build, type Sysroot, sysroot, type Width, widths } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { testFile } from '../../support/program.ts';
import { hasHeaders, optionsOf } from './suite.ts';

export interface Way {
  readonly width: Width;
  /** Such as -O2. */
  readonly level: string;
}

export interface Images {
  /** Tests by number: what the drivers know them by. */
  readonly tests: readonly string[];
  /** Paths. */
  readonly guest: string;
  readonly native: string;
  /** Tests that gcc refuses to compile or to link, by name, with what it says. */
  readonly refusedByGuest: ReadonlyMap<string, string>;
  readonly refusedNatively: ReadonlyMap<string, string>;
}

interface Side {
  readonly name: 'guest' | 'native';
  /** Before the test's own options. */
  readonly flags: readonly string[];
  readonly renamed: readonly string[];
  readonly link: (objects: readonly string[], output: string) => Promise<string>;
}

/** Compiles tests of one directory and links both images into another, which is there and empty. */
export async function buildImages(
  sources: string,
  tests: readonly string[],
  way: Way,
  directory: string,
): Promise<Images> {
  const guest = guestSide(await sysroot(way.width), way);
  const native = nativeSide(way);
  for (const { name } of [guest, native]) mkdirSync(join(directory, name));
  const texts = new Map(
    tests.map((test) => [test, readFileSync(join(sources, test), 'latin1')] as const),
  );
  const own = tests.filter((test) => hasHeaders(texts.get(test) ?? ''));
  const compileFor = (side: Side, some: readonly string[]): Promise<string> =>
    compile(side, way, sources, directory, some, (test) => texts.get(test) ?? '');
  const messages = {
    guest: await compileFor(guest, tests),
    native: await compileFor(native, own),
  };
  const shared = new Set(tests.filter((test) => !own.includes(test)));
  const objectOf = (side: Side, test: string): string =>
    join(directory, shared.has(test) ? guest.name : side.name, object(test));
  const sideOf = (side: Side): Promise<ReadonlyMap<string, string>> =>
    linkSide(side, tests, directory, (test) => objectOf(side, test), messages[side.name]);
  return {
    tests,
    refusedByGuest: await sideOf(guest),
    refusedNatively: await sideOf(native),
    guest: join(directory, 'guest.elf'),
    native: join(directory, 'native.elf'),
  };
}

const object = (test: string): string => test.replace(/\.c$/, '.o');

function guestSide({ compiler, directory }: Sysroot, { width }: Way): Side {
  return {
    name: 'guest',
    flags: [...machineFlags(width), ...includeFlags(compiler, directory)],
    renamed: ['exit'],
    async link(objects, output) {
      const driver = testFile('guests/torture/guest.c');
      const words = ['-O1', '-w', driver, ...objects];
      const { status, messages } = await build({ width, output, arguments: words });
      return status === 0 ? '' : messages;
    },
  };
}

function nativeSide({ width }: Way): Side {
  return {
    name: 'native',
    // What names this system stays, since the headers are this system's.
    flags: machineFlags(width).filter((flag) => !flag.startsWith('-U') && !flag.startsWith('-D')),
    renamed: [],
    async link(objects, output) {
      const driver = testFile('guests/torture/native.c');
      const { status, stderr } = await runProcess('gcc', [
        ...[widths[width].option, '-no-pie', '-O1', '-w', driver, ...objects],
        ...['-lm', '-o', output],
      ]);
      return status === 0 ? '' : stderr;
    },
  };
}

/** One call of gcc for all tests with the same options; a test without an object afterwards was refused. */
async function compile(
  side: Side,
  { width, level }: Way,
  sources: string,
  directory: string,
  tests: readonly string[],
  textOf: (test: string) => string,
): Promise<string> {
  const groups = new Map<string, string[]>();
  for (const test of tests) {
    const options = optionsOf(textOf(test), width).join(' ');
    groups.set(options, [...(groups.get(options) ?? []), test]);
  }
  let messages = '';
  for (const [options, group] of groups) {
    const files = group.map((test) => join(sources, test));
    const words = options === '' ? [] : options.split(' ');
    const { stderr } = await runProcess(
      'gcc',
      [...side.flags, '-w', level, ...words, '-c', ...files],
      { cwd: join(directory, side.name) },
    );
    messages += stderr;
  }
  return messages;
}

/** Links what can be linked; those that cannot, and why. */
async function linkSide(
  side: Side,
  tests: readonly string[],
  directory: string,
  objectOf: (test: string) => string,
  compilerSaid: string,
): Promise<ReadonlyMap<string, string>> {
  const refused = new Map<string, string>();
  for (const test of tests)
    if (!existsSync(objectOf(test)))
      refused.set(test, lineAbout(compilerSaid, test) || 'no object file');
  const renamed = tests.map((_, number) => join(directory, `${side.name}-${number}.o`));
  await rename(side, tests, refused, objectOf, renamed);
  const link: Link = (numbers, output) => {
    const table = join(directory, `${side.name}-tests.c`);
    writeFileSync(table, tableOf(tests.length, numbers));
    return side.link([table, ...numbers.map((n) => renamed[n] ?? '')], join(directory, output));
  };
  for (;;) {
    const linked = tests.flatMap((test, number) => (refused.has(test) ? [] : [number]));
    const said = await link(linked, `${side.name}.elf`);
    if (said === '') return refused;
    for (const [number, line] of await findGuilty(side, linked, said, link))
      refused.set(tests[number] ?? '', line);
  }
}

/** Links some tests into a file; '' or what went wrong. */
type Link = (numbers: readonly number[], output: string) => Promise<string>;

/** Why some cannot be linked, by number: those that the linker named, or else, as it names no object, one by one. */
async function findGuilty(
  side: Side,
  linked: readonly number[],
  said: string,
  link: Link,
): Promise<ReadonlyMap<number, string>> {
  const guilty = new Map<number, string>();
  const accuse = (number: number, line = ''): void => {
    if (line !== '') guilty.set(number, line);
  };
  for (const number of linked) accuse(number, lineAbout(said, `${side.name}-${number}.o`));
  if (guilty.size > 0) return guilty;
  for (const number of linked) accuse(number, (await link([number], 'alone.elf')).split('\n')[0]);
  if (guilty.size === 0) throw new Error(`linking the ${side.name}: ${said}`);
  return guilty;
}

/** The first line that names it, of those with an error where there are such; '' where none does. */
function lineAbout(messages: string, name: string): string {
  const lines = messages.split('\n').filter((line) => line.includes(name));
  return lines.find((line) => /error|undefined/.test(line)) ?? lines[0] ?? '';
}

/**
 * All by one shell: a process of objcopy takes less time than to start one from here. Thunks lie in section groups of which
 * the linker keeps one for all, so they stay global.
 */
async function rename(
  side: Side,
  tests: readonly string[],
  refused: ReadonlyMap<string, string>,
  objectOf: (test: string) => string,
  renamed: readonly string[],
): Promise<void> {
  const commands = tests.flatMap((test, number) => {
    const main = `torture_test_${number}`;
    const names = side.renamed.map((name) => `--redefine-sym ${name}=torture_${name}`).join(' ');
    const words = `--redefine-sym main=${main} ${names}`;
    const kept = `-w --keep-global-symbol=${main} --keep-global-symbol='__x86.get_pc_thunk.*'`;
    return refused.has(test)
      ? []
      : [`objcopy ${words} ${kept} '${objectOf(test)}' '${renamed[number]}'`];
  });
  const { status, stderr } = await runProcess('/bin/sh', ['-e'], { input: commands.join('\n') });
  if (status !== 0) throw new Error(`objcopy: ${stderr}`);
}

/** The drivers' table, with nothing at the numbers of tests that are not linked. */
function tableOf(count: number, linked: readonly number[]): string {
  const has = new Set(linked);
  return [
    ...linked.map((number) => `int torture_test_${number}(int, char **, char **);`),
    'int (*const torture_tests[])(int, char **, char **) = {',
    ...Array.from({ length: count }, (_, n) => (has.has(n) ? `torture_test_${n},` : '0,')),
    '};\n',
  ].join('\n');
}

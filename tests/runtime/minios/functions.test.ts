/** The tables of functions in runtime/minios/README.md: all that there is, each function called by the programs of the test that it names. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { api } from '../../../runtime/minios/api.ts';
import { sysroot, type Width } from '../../../toolchain/index.ts';
import { runProcess } from '../../../toolchain/process.ts';
import { projectDirectory } from '../../support/source-files.ts';

const functions = suite('runtime/minios/functions');

const read = (path: string): string => readFileSync(join(projectDirectory, path), 'utf8');

interface Row {
  readonly names: readonly string[];
  readonly tests: readonly string[];
}

const quoted = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, one = '']) => one);
const testsIn = (text: string): string[] => quoted(text).filter((one) => one.startsWith('tests/'));

/** Rows with a column of tests name their own; other tables' are in the text above them. */
function rowsOf(readme: string): Row[] {
  const blocks = readme.slice(readme.indexOf('## Functions')).split('\n\n');
  let above: string[] = [];
  return blocks.flatMap((block) => {
    if (!block.startsWith('|')) {
      above = testsIn(block);
      return [];
    }
    const [head = [], , ...rows] = block
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()));
    if (head[1] !== 'functions') return [];
    const column = head.indexOf('tested by');
    return rows
      .map((cells) => ({
        names: quoted(cells[1] ?? ''),
        tests: column < 0 ? above : testsIn(cells[column] ?? ''),
      }))
      .filter(({ names }) => names.length > 0);
  });
}

/** Names that objects define, of those whose name in the archive begins with `member`. */
async function defined(library: string, member: string): Promise<string[]> {
  const { status, stdout, stderr } = await runProcess('nm', [
    '-A',
    '-g',
    '--defined-only',
    library,
  ]);
  assert.is(status, 0, stderr);
  return [...stdout.matchAll(/:([^:\n]+\.o):\S+ [TW] (\w+)$/gm)]
    .filter(([, object = '']) => object.startsWith(member))
    .map(([, , name = '']) => name);
}

const include = 'toolchain/sysroot/include';
const headers = readdirSync(join(projectDirectory, include, 'mini-os')).map(
  (name) => `${include}/mini-os/${name}`,
);

const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/"(\\.|[^"\\\n])*"/g, '""');

/** Prototypes and inline functions. */
const declaredIn = (path: string): string[] =>
  [
    ...withoutComments(read(path)).matchAll(
      /^(?:static inline )?[a-z][\w ]*[ *](\w+)\([^;{}()]*(?:\([^()]*\)[^;{}()]*)*\)[^;{}]*[;{]/gm,
    ),
  ].map(([, name = '']) => name);

const macrosIn = (text: string): string[] =>
  [...withoutComments(text).matchAll(/^# *define (\w+)\(/gm)].map(([, name = '']) => name);

/** The kernel's own and the library's are none that a program is meant to call. */
const isPublic = (name: string): boolean =>
  !/^(_[_a-z]*_r$|_(exit|open|close|fcntl|execve|ldcheck)$|__|minios_|sys_now$)/.test(name);

interface Known {
  /** What must be in the tables. */
  readonly own: ReadonlySet<string>;
  /** What may be. */
  readonly all: ReadonlySet<string>;
}

async function known(width: Width): Promise<Known> {
  const { directory } = await sysroot(width);
  const library = (name: string) => join(directory, 'lib', name);
  const own = [
    ...(await defined(library('libc.a'), 'minios-')),
    ...(await defined(library('liblwip.a'), 'minios-')),
    ...headers.flatMap(declaredIn),
    ...Object.keys(api).filter((name) => !name.startsWith('minios_')),
  ].filter(isPublic);
  const standard = ['pthread.h', 'machine/setjmp.h'].map((name) =>
    join(directory, 'include', name),
  );
  const macros = [
    ...headers.map(read),
    ...standard.map((path) => readFileSync(path, 'utf8')),
  ].flatMap(macrosIn);
  return {
    own: new Set(own),
    all: new Set([...own, ...macros, ...(await defined(library('libc.a'), ''))]),
  };
}

/** `name_*` is all that begin so. */
const expand = (name: string, { own }: Known): string[] =>
  name.endsWith('*') ? [...own].filter((one) => one.startsWith(name.slice(0, -1))) : [name];

/** C sources that a test names, and what they include of their own. */
function sourcesOf(test: string): string[] {
  const text = read(test);
  const places = ['tests/guests/c', 'tests/guests/minios'];
  return places.flatMap((place) => {
    const short = place.replace('tests/', '');
    return readdirSync(join(projectDirectory, place))
      .filter((name) => name.endsWith('.c'))
      .filter((name) => {
        const stem = name.slice(0, -2);
        const isInList = text.includes(`${short}/\${name}.c`) && text.includes(`'${stem}'`);
        return text.includes(`${short}/${name}`) || isInList;
      })
      .map((name) => `${place}/${name}`);
  });
}

function textOf(source: string): string {
  const text = read(source);
  const included = [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, name = '']) =>
    textOf(join(dirname(source), name)),
  );
  return withoutComments([...included, text].join('\n'));
}

/** A call, or the function's address for somebody who calls it. */
const calls = (text: string, name: string): boolean =>
  new RegExp(`\\b${name}\\s*[(,)}]`).test(text);

for (const width of [64, 32] as const) {
  functions(`x86-${width}: every function of the sysroot is in a table`, async () => {
    const has = await known(width);
    const listed = new Set(
      rowsOf(read('runtime/minios/README.md')).flatMap(({ names }) =>
        names.flatMap((name) => expand(name, has)),
      ),
    );

    assert.equal([...has.own].filter((name) => !listed.has(name)).sort(), []);
  });

  functions(`x86-${width}: every function of the tables is there`, async () => {
    const has = await known(width);
    const missing = rowsOf(read('runtime/minios/README.md'))
      .flatMap(({ names }) => names)
      .filter(
        (name) =>
          expand(name, has).length === 0 || !expand(name, has).every((one) => has.all.has(one)),
      );

    assert.equal(missing, []);
  });
}

functions(
  'every function of the tables is called from C by a test that its row names',
  async () => {
    const has = await known(64);
    const texts = new Map<string, string>();
    const textBy = (test: string): string => {
      const text = texts.get(test) ?? sourcesOf(test).map(textOf).join('\n');
      texts.set(test, text);
      return text;
    };

    const rows = rowsOf(read('runtime/minios/README.md'));
    const idle = rows.flatMap(({ names, tests }) =>
      names
        .flatMap((name) => expand(name, has))
        .filter((name) => !tests.some((test) => calls(textBy(test), name)))
        .map((name) => `${name}: not called by ${tests.join(', ') || 'any test'}`),
    );

    assert.ok(rows.length > 50);
    assert.equal(idle, []);
  },
);

functions.run();

/**
 * Tests of OCaml's own suite (`testsuite/tests` of its source), read as its ocamltest reads them: which modules make the program, with
 * which options, and for which compilers it is meant (`header.ts`); scripts beside it run it or judge what it prints.
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheDirectory, makeOnce } from '../../../toolchain/cache.ts';
import { unpackSource } from '../../../toolchain/ocaml/runtime-build.ts';
import { readExceptions } from '../../support/exceptions.ts';
import { assign, headerOf, type Node, parse, type Statement, tokens } from './header.ts';

export type Compiler = 'native' | 'bytecode';

export interface SuiteTest {
  /** `lib-list/test.ml` */
  readonly name: string;
  readonly compiler: Compiler;
  /** Of its sources. */
  readonly directory: string;
  /** Sources in order, of the directory; those of the suite's library by their whole paths. */
  readonly sources: readonly string[];
  readonly options: readonly string[];
  readonly packages: readonly string[];
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** A file of the directory, or an absolute path. */
  readonly input: string | undefined;
  /** What it prints for errors is not asked for. */
  readonly dropsErrors: boolean;
  readonly status: number;
  /** What it is to print, on both of its outputs. */
  readonly expected: string;
  /** What is built before it, for the machine itself. */
  readonly helpers: readonly Helper[];
  /** A script that runs `$program` and writes `$output`. */
  readonly runner: string | undefined;
  /** A script whose status judges `$output`. */
  readonly checker: string | undefined;
}

export interface Helper {
  readonly program: string;
  readonly sources: readonly string[];
}

export interface LeftOut {
  readonly name: string;
  readonly compiler: Compiler;
  readonly reason: string;
}

/** The suite, unpacked once into the cache. */
export async function suiteDirectory(): Promise<string> {
  const directory = join(cacheDirectory(), 'sources', 'ocaml-testsuite');
  await makeOnce(directory, async (temporary) => {
    const source = join(temporary, 'source');
    await unpackSource(source, { signal: undefined });
    for (const part of ['tests', 'lib'])
      cpSync(join(source, 'testsuite', part), join(temporary, part), { recursive: true });
    rmSync(source, { recursive: true });
  });
  return directory;
}

/** What is about programs, not about the compilers themselves. */
const chosen =
  /^(basic.*|array-functions|backtrace|callback|c-api|float-unboxing|gc-roots|lazy|letrec.*|lib-(?!dynlink).*|misc.*|prim-.*|raise-counts|regression|runtime-.*|statmemprof)$/;

export const wholeSuite = (suite: string): (SuiteTest | LeftOut)[] =>
  readdirSync(join(suite, 'tests'))
    .filter((name) => chosen.test(name))
    .sort()
    .flatMap((directory) => readSuite(suite, directory));

/** From exceptions.txt: a test's name, then why it need not pass in a guest. */
export const exceptions = (): ReadonlyMap<string, string> =>
  readExceptions('guests/ocaml/exceptions.txt', /\S+\.ml/, 'NAME.ml');

/** All of a directory of the suite, for each compiler that each is meant for. */
export function readSuite(suite: string, directory: string): (SuiteTest | LeftOut)[] {
  const place = join(suite, 'tests', directory);
  return readdirSync(place, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ml'))
    .sort()
    .flatMap((file) => readTests(suite, join(place, file)));
}

export function readTests(suite: string, file: string): (SuiteTest | LeftOut)[] {
  const header = headerOf(readFileSync(file, 'utf8'));
  if (header === undefined) return [];
  const { statements, nodes } = parse(tokens(header));
  const name = file.slice(join(suite, 'tests').length + 1);
  const compilers: readonly Compiler[] = ['native', 'bytecode'];
  return compilers.flatMap((compiler): (SuiteTest | LeftOut)[] => {
    const ways = (nodes.length === 0 ? [[]] : pathsTo(nodes, compiler)).map((path) => {
      const all = [...statements, ...path.flatMap((node) => node.statements)];
      return { all, path, reason: reasonAgainst(path, all) };
    });
    const way = ways.find(({ reason }) => reason === undefined) ?? ways[0];
    if (way === undefined) return [];
    if (way.reason !== undefined) return [{ name, compiler, reason: way.reason }];
    const helpers = helpersOn(way.path, statements);
    return [testOf({ suite, file, name, compiler, statements: way.all, helpers })];
  });
}

const builders = { native: 'ocamlopt.byte', bytecode: 'ocamlc.byte' } as const satisfies Readonly<
  Record<Compiler, string>
>;
const isBuilder = (name: string): boolean => Object.values<string>(builders).includes(name);

/** What is asked before it, and it: the ways from the root to what builds and runs with that compiler. */
function pathsTo(nodes: readonly Node[], compiler: Compiler): Node[][] {
  const builder = builders[compiler];
  const path: Node[] = [];
  const paths: Node[][] = [];
  for (const node of nodes) {
    while ((path.at(-1)?.depth ?? 0) >= node.depth) path.pop();
    path.push(node);
    const runs = node.name === 'run' && path.some(({ name }) => name === builder);
    if (node.name === compiler || runs) paths.push([...path]);
  }
  return paths;
}

/** All that a way builds, but for the last, which is the test. */
function helpersOn(path: readonly Node[], statements: readonly Statement[]): Helper[] {
  const built = path.filter(({ name }) => isBuilder(name)).slice(0, -1);
  return built.map((last) => {
    const before = path.slice(0, path.indexOf(last) + 1);
    const variables = assign([...statements, ...before.flatMap((node) => node.statements)]);
    return {
      program: basename(variables['program'] ?? ''),
      sources: (variables['all_modules'] ?? '').split(/\s+/).filter((word) => word !== ''),
    };
  });
}

/** What neither this system nor Debian's OCaml is. */
const absent: Readonly<Record<string, string>> = {
  libwin32unix: 'for Windows',
  windows: 'for Windows',
  'no-flat-float-array': 'for another configuration of OCaml',
  no_naked_pointers: 'for another configuration of OCaml',
  arch_power: 'for another processor',
  'instrumented-runtime': 'for the instrumented runtime',
  'afl-instrument': 'for AFL',
  dumpenv: 'for ocamltest itself',
  'shared-libraries': 'for shared libraries',
  'native-dynlink': 'for shared libraries',
};

const known: Readonly<Record<string, readonly string[]>> = {
  testing: [],
  unix: ['unix'],
  str: ['str'],
  systhreads: ['threads.posix'],
};

function reasonAgainst(
  path: readonly Node[],
  statements: readonly Statement[],
): string | undefined {
  for (const { name } of path) if (absent[name] !== undefined) return absent[name];
  for (const { kind, name } of statements)
    if (kind === 'include' && known[name] === undefined) return `needs the library ${name}`;
  return undefined;
}

function testOf({
  suite,
  file,
  name,
  compiler,
  statements,
  helpers,
}: {
  readonly suite: string;
  readonly file: string;
  readonly name: string;
  readonly compiler: Compiler;
  readonly statements: readonly Statement[];
  readonly helpers: readonly Helper[];
}): SuiteTest {
  const variables = assign(statements);
  const directory = dirname(file);
  const words = (variable: string): string[] =>
    (variables[variable] ?? '').split(/\s+/).filter((word) => word !== '');
  const included = statements.flatMap(({ kind, name: library }) =>
    kind === 'include' ? [library] : [],
  );
  const library = included.includes('testing')
    ? ['testing.mli', 'testing.ml'].map((source) => join(suite, 'lib', source))
    : [];
  const own = words('all_modules');
  const sources = own.length > 0 ? own : [...words('modules'), basename(file)];
  return {
    ...{ name, compiler, directory, helpers },
    sources: [...library, ...sources.flatMap((source) => withInterface(directory, source))],
    options: [
      ...words('flags'),
      ...words(compiler === 'native' ? 'ocamlopt_flags' : 'ocamlc_flags'),
    ],
    packages: included.flatMap((one) => known[one] ?? []),
    arguments: words('arguments'),
    environment: { OCAMLRUNPARAM: (variables['ocamlrunparam'] ?? '').replace(/^,/, '') },
    input: variables['stdin'],
    dropsErrors: variables['stderr'] === '/dev/null',
    status: Number(variables['exit_status'] ?? 0),
    expected: reference(file, variables['reference']),
    ...{ runner: hook(file, 'run'), checker: hook(file, 'check-program-output') },
  };
}

function withInterface(directory: string, source: string): string[] {
  const interface_ = source.replace(/\.ml$/, '.mli');
  return source.endsWith('.ml') && existsSync(join(directory, interface_))
    ? [interface_, source]
    : [source];
}

/** ocamltest's hooks: scripts in the place of an action. */
function hook(file: string, action: string): string | undefined {
  const script = file.replace(/\.ml$/, `.${action}`);
  return existsSync(script) ? basename(script) : undefined;
}

/** None is nothing printed. */
function reference(file: string, named: string | undefined): string {
  const path =
    named?.replaceAll(/\$\{?test_source_directory\}?/g, dirname(file)) ??
    file.replace(/\.ml$/, '.reference');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

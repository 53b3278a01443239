/**
 * Tests of OCaml's own suite (`testsuite/tests` of its source), read as its ocamltest reads them: a comment says which modules make the
 * program, with which options, and for which compilers it is meant (ocamltest/tsl_parser.mly).
 */
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheDirectory, makeOnce } from '../../../toolchain/cache.ts';
import { unpackSource } from '../../../toolchain/ocaml/runtime-build.ts';
import { readExceptions } from '../../support/exceptions.ts';

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
  /** A file of the directory. */
  readonly input: string | undefined;
  readonly status: number;
  /** What it is to print, on both of its outputs. */
  readonly expected: string;
}

export interface LeftOut {
  readonly name: string;
  readonly compiler: Compiler;
  readonly reason: string;
}

type Variables = Readonly<Record<string, string>>;

interface Node {
  readonly depth: number;
  readonly name: string;
  readonly statements: Statement[];
}

type Statement =
  | { readonly kind: 'set' | 'append'; readonly name: string; readonly value: string }
  | { readonly kind: 'include'; readonly name: string };

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
      return { all, reason: reasonAgainst(path, all) };
    });
    const way = ways.find(({ reason }) => reason === undefined) ?? ways[0];
    if (way === undefined) return [];
    if (way.reason !== undefined) return [{ name, compiler, reason: way.reason }];
    return [testOf({ suite, file, name, compiler, statements: way.all })];
  });
}

/** The comment's text, without nested comments. */
function headerOf(text: string): string | undefined {
  const below = /\(\*\s*TEST_BELOW/.test(text);
  const marks = [...text.matchAll(/\(\*\s*TEST\b(?!_BELOW)/g)];
  const mark = below ? marks.at(-1) : marks[0];
  if (mark === undefined) return undefined;
  let depth = 1;
  let header = '';
  for (let at = mark.index + mark[0].length; depth > 0 && at < text.length; at++) {
    const pair = text.slice(at, at + 2);
    if (pair === '(*') depth++;
    if (pair === '*)') depth--;
    if (pair === '(*' || pair === '*)') at++;
    else if (depth === 1) header += text[at];
  }
  return header;
}

const tokens = (header: string): string[] =>
  header.match(/"(?:[^"\\]|\\[\s\S])*"|\*+|\+=|=|;|[^\s"=;*+]+/g) ?? [];

function parse(words: readonly string[]): { statements: Statement[]; nodes: Node[] } {
  const statements: Statement[] = [];
  const nodes: Node[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const into = nodes.at(-1)?.statements ?? statements;
    if (/^\*+$/.test(word))
      nodes.push({ depth: word.length, name: queue.shift() ?? '', statements: [] });
    else if (word === 'include') into.push({ kind: 'include', name: queue.shift() ?? '' });
    else if (queue[0] === '=' || queue[0] === '+=') {
      const kind = queue.shift() === '=' ? 'set' : 'append';
      into.push({ kind, name: word, value: unquoted(queue.shift() ?? '') });
    }
  }
  return { statements, nodes };
}

const unquoted = (word: string): string =>
  word
    .replace(/^"|"$/g, '')
    .replace(/\\\n\s*/g, '')
    .replace(/\\(.)/g, '$1');

/** What is asked before it, and it: the ways from the root to what builds and runs with that compiler. */
function pathsTo(nodes: readonly Node[], compiler: Compiler): Node[][] {
  const builder = compiler === 'native' ? 'ocamlopt.byte' : 'ocamlc.byte';
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
}: {
  readonly suite: string;
  readonly file: string;
  readonly name: string;
  readonly compiler: Compiler;
  readonly statements: readonly Statement[];
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
    ...{ name, compiler, directory },
    sources: [...library, ...sources.flatMap((source) => withInterface(directory, source))],
    options: [
      ...words('flags'),
      ...words(compiler === 'native' ? 'ocamlopt_flags' : 'ocamlc_flags'),
    ],
    packages: included.flatMap((one) => known[one] ?? []),
    arguments: words('arguments'),
    environment: { OCAMLRUNPARAM: (variables['ocamlrunparam'] ?? '').replace(/^,/, '') },
    input: variables['stdin'],
    status: Number(variables['exit_status'] ?? 0),
    expected: reference(file, compiler, variables['reference']),
  };
}

function assign(statements: readonly Statement[]): Variables {
  const variables: Record<string, string> = {};
  for (const statement of statements)
    if (statement.kind === 'set') variables[statement.name] = statement.value;
    else if (statement.kind === 'append')
      variables[statement.name] = `${variables[statement.name] ?? ''}${statement.value}`;
  return variables;
}

function withInterface(directory: string, source: string): string[] {
  const interface_ = source.replace(/\.ml$/, '.mli');
  return source.endsWith('.ml') && existsSync(join(directory, interface_))
    ? [interface_, source]
    : [source];
}

/** Of that compiler, or of both; none is nothing printed. */
function reference(file: string, compiler: Compiler, named: string | undefined): string {
  const stem = file.replace(/\.ml$/, '');
  const candidates = [
    ...(named === undefined
      ? []
      : [named.replaceAll(/\$\{?test_source_directory\}?/g, dirname(file))]),
    ...(compiler === 'native' ? ['opt', 'native'] : ['byte', 'bytecode']).map(
      (suffix) => `${stem}.${suffix}.reference`,
    ),
    `${stem}.reference`,
  ];
  const found = candidates.find((candidate) => existsSync(candidate));
  return found === undefined ? '' : readFileSync(found, 'utf8');
}

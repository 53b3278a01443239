/** OCaml's runtime, and the C halves of its libraries, compiled from `ocaml-source` against our sysroot into a tree's `lib`. */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../../runtime/errors.ts';
import { ownSources, type Sysroot } from '../c/sysroot.ts';
import type { Width } from '../c/width.ts';
import { fetchDebianPackage } from '../debian/packages.ts';
import { runProcess } from '../process.ts';
import type { Progress } from '../progress.ts';
import { type CamlLibrary, libraries, librarySwitches, targets } from './runtime-recipe.ts';
import { missingFunctions, systemHeader } from './system-header.ts';
import { compilerName } from './tool-scripts.ts';

export interface RuntimeJob {
  readonly c: Sysroot;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
}

/** The tree has Debian's headers and archives, and the scripts that stand for gcc. */
export async function buildRuntime(tree: string, job: RuntimeJob): Promise<void> {
  const { c, progress } = job;
  const work = join(tree, 'work');
  await unpackSource(work, job);
  const defined = await definedSymbols(c);
  addHeaders(tree, work, { width: c.width, defined });
  writeFileSync(join(work, 'otherlibs/unix/missing.c'), missingFunctions(defined));
  replaceThreads(join(work, 'otherlibs/systhreads/st_posix.h'));
  for (const [n, library] of libraries.entries()) {
    progress.update(0.1 + (0.9 * n) / libraries.length, library.name);
    await compile(library, { ...job, tree, work });
  }
  rmSync(work, { recursive: true });
}

/** Into a directory that is not there yet; of Debian's version, without its patches. */
export async function unpackSource(
  work: string,
  { signal }: Pick<RuntimeJob, 'signal'>,
): Promise<void> {
  const source = join(await fetchDebianPackage('ocaml-source', { signal }), 'usr/src');
  const unpack = async (directory: string, pattern: RegExp, ...words: string[]): Promise<void> => {
    const tar = readdirSync(directory).find((name) => pattern.test(name));
    if (tar === undefined) throw new UserError(`ocaml-source: no tar in ${directory}`);
    await must('tar', ['-xf', join(directory, tar), '-C', work, '--strip-components=1', ...words]);
  };
  mkdirSync(work);
  await unpack(source, /^ocaml-source-.*\.tar/);
  await unpack(work, /\.orig\.tar/);
}

/** Debian's m.h, since its compilers' code agrees with it; s.h of our own system. */
function addHeaders(
  tree: string,
  work: string,
  { width, defined }: { readonly width: Width; readonly defined: ReadonlySet<string> },
): void {
  const headers = join(tree, 'lib/caml');
  rmSync(join(headers, 's.h'));
  writeFileSync(join(headers, 's.h'), systemHeader(defined));
  for (const name of ['m.h', 's.h', 'opnames.h', 'jumptbl.h', 'version.h'])
    copyFileSync(join(headers, name), join(work, 'runtime/caml', name));
  writeFileSync(
    join(work, 'runtime/build_config.h'),
    `#define OCAML_STDLIB_DIR "/usr/lib/ocaml"\n#define HOST "${targets[width].architecture}-minios"\n`,
  );
}

/** What threads do otherwise here stands behind what OCaml has, in its place. */
function replaceThreads(header: string): void {
  const renamed = { caml_thread_tick: 'by_sleeping', st_masterlock_waiters: 'so_far' };
  const names = Object.entries(renamed);
  writeFileSync(
    header,
    [
      ...names.map(([name, way]) => `#define ${name} ${name}_${way}`),
      readFileSync(header, 'utf8'),
      ...names.map(([name]) => `#undef ${name}`),
      `#include "${join(ownSources, 'ocaml/threads.h')}"`,
      '',
    ].join('\n'),
  );
}

/** Names of what programs can be linked with. */
export async function definedSymbols({ directory }: Sysroot): Promise<ReadonlySet<string>> {
  const archives = readdirSync(join(directory, 'lib')).filter((name) => name.endsWith('.a'));
  const { stdout } = await must('nm', [
    ...['-g', '--defined-only'],
    ...archives.map((name) => join(directory, 'lib', name)),
  ]);
  const shared = await must('nm', ['-D', '--defined-only', join(directory, 'lib/libminios.so')]);
  const lines = `${stdout}${shared.stdout}`.split('\n');
  return new Set(lines.map((line) => line.slice(line.lastIndexOf(' ') + 1)));
}

const cFiles = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.endsWith('.c'));

async function compile(
  library: CamlLibrary,
  { c, tree, work, signal }: RuntimeJob & { readonly tree: string; readonly work: string },
): Promise<void> {
  const { architecture } = targets[c.width];
  const source = join(work, library.directory);
  const objects = join(work, `objects-${library.name}`);
  mkdirSync(objects);
  const names = library.sources?.map((name) => `${name}.c`) ?? cFiles(source);
  const files = [
    ...[...names, ...(library.hasAssembly ? [`${architecture}.S`] : [])].map((name) =>
      join(source, name),
    ),
    ...(library.own ?? []).map((name) => join(ownSources, 'ocaml', `${name}.c`)),
  ];
  await must(
    join(tree, 'bin', compilerName(c.width)),
    [
      ...librarySwitches(c.width, library),
      ...[`-I${join(work, 'runtime')}`, `-ffile-prefix-map=${work}=/ocaml`, '-c'],
      ...files,
    ],
    { cwd: objects, signal },
  );
  const archive = join(tree, 'lib', library.name);
  rmSync(archive, { force: true });
  await must('ar', [
    'rcsD',
    archive,
    ...readdirSync(objects)
      .sort()
      .map((name) => join(objects, name)),
  ]);
}

async function must(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly signal?: AbortSignal | undefined } = {},
): Promise<{ readonly stdout: string }> {
  const result = await runProcess(command, args, options);
  if (result.status === 0) return result;
  const line = result.stderr.split('\n').find((text) => /error|cannot|undefined/i.test(text));
  throw new UserError(
    `OCaml's runtime: ${basename(command)} failed with ${result.status}: ${line ?? result.stderr.trim()}`,
  );
}

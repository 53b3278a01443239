/**
 * C stubs of an OCaml package, compiled from Debian's source for our guests: the members of Debian's archive say which files it is made
 * from, so that most packages need nothing said about them.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../runtime/errors.ts';
import { runProcess } from '../process.ts';
import { type ForeignJob, foreignLibrary } from './foreign-library.ts';
import { definedSymbols } from './runtime-build.ts';
import { type StubRecipe, stubRecipes } from './stub-recipes.ts';
import { compilerName } from './tool-scripts.ts';

export interface StubJob extends ForeignJob {
  /** Directory of the package's source. */
  readonly source: string;
  /** Debian's name. */
  readonly package: string;
}

/** In place of Debian's archive; libraries that the stubs need are put beside it. */
export async function buildStubs(archive: string, job: StubJob): Promise<void> {
  const recipe = stubRecipes[basename(archive)] ?? {};
  const work = mkdtempSync(join(tmpdir(), 'stubdom-stubs-'));
  try {
    const include = join(work, 'include');
    mkdirSync(include);
    const defined = await definedSymbols(job.tree.sysroot);
    writeHeaders(include, recipe, defined);
    const directories = [include, ...headerDirectories(job.source)];
    for (const library of recipe.libraries ?? []) {
      const place = await foreignLibrary(library, job);
      directories.push(join(place, 'include'));
      linkInto(join(place, 'lib'), dirname(archive));
    }
    const files = [...(await sourcesOf(archive, job)), ...writeUnasked(work, recipe, defined)];
    const objects = join(work, 'objects');
    mkdirSync(objects);
    const compiler = join(job.tree.directory, 'bin', compilerName(job.tree.width));
    const switches = [...optimizing, ...(recipe.switches ?? []), ...including(directories, job)];
    await must(compiler, [...switches, '-c', ...files], { ...job, cwd: objects });
    rmSync(archive);
    const made = readdirSync(objects).sort();
    await must('ar', ['rcsD', archive, ...made], { ...job, cwd: objects });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function writeHeaders(
  directory: string,
  { headers = {} }: StubRecipe,
  defined: ReadonlySet<string>,
): void {
  for (const [name, lines] of Object.entries(headers)) {
    const found = lines.filter(({ functions }) => functions.every((one) => defined.has(one)));
    writeFileSync(join(directory, name), `${found.map(({ line }) => line).join('\n')}\n`);
  }
}

/** None where the C library has them all. */
function writeUnasked(
  directory: string,
  { unasked = [] }: StubRecipe,
  defined: ReadonlySet<string>,
): string[] {
  const functions = unasked
    .filter((name) => !defined.has(name))
    .map((name) => `int ${name}() { errno = ENOSYS; return -1; }`);
  if (functions.length === 0) return [];
  const file = join(directory, 'stubdom_unasked.c');
  writeFileSync(file, ['#include <errno.h>', ...functions, ''].join('\n'));
  return [file];
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();

const headerDirectories = (source: string): string[] => [
  ...new Set(
    filesBelow(source)
      .filter((file) => file.endsWith('.h'))
      .map((file) => join(source, dirname(file))),
  ),
];

/** The package's own include directories, then OCaml's. */
const including = (directories: readonly string[], { tree }: StubJob): string[] =>
  [...directories, join(tree.directory, 'lib')].map((directory) => `-I${directory}`);

/** C or assembly of the member's name, wherever it is; the first in order of paths where there are several. */
async function sourcesOf(archive: string, job: StubJob): Promise<string[]> {
  const { stdout } = await must('ar', ['t', archive], job);
  const files = new Map<string, string>();
  for (const file of filesBelow(job.source).reverse())
    if (/\.[cS]$/.test(file)) files.set(basename(file).replace(/\.[cS]$/, ''), file);
  return stdout
    .trim()
    .split('\n')
    .map((member) => {
      const file = files.get(member.replace(/\.o$/, ''));
      if (file !== undefined) return join(job.source, file);
      const name = basename(archive);
      throw new UserError(`${job.package}: its source has no C for ${member} of ${name}`);
    });
}

const optimizing = ['-O2', '-fno-strict-aliasing', '-fwrapv', '-w'];

async function must(
  command: string,
  args: readonly string[],
  { signal, package: name, cwd }: StubJob & { readonly cwd?: string },
): Promise<{ readonly stdout: string }> {
  const result = await runProcess(command, args, { signal, ...(cwd === undefined ? {} : { cwd }) });
  if (result.status === 0) return result;
  const line = result.stderr.split('\n').find((text) => /error|cannot/i.test(text));
  throw new UserError(`${name}: its C is not for Mini-OS: ${line ?? result.stderr.trim()}`);
}

function linkInto(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    const target = join(to, name);
    if (!existsSync(target)) symlinkSync(join(from, name), target);
  }
}

/**
 * OCaml for a width: Debian's compilers and what they have compiled, as they are, and the runtime and the C halves of the
 * libraries made anew from `ocaml-source` against our sysroot. A tree of links in the cache, named by a hash of all that decides it.
 */
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesIn, type Sysroot, type SysrootOptions, sysroot } from '../c/sysroot.ts';
import { type Width, widths } from '../c/width.ts';
import { cacheDirectory, makeOnce } from '../cache.ts';
import { fetchDebianPackage } from '../debian/packages.ts';
import { silentProgress } from '../progress.ts';
import { buildMinios, camlSources } from './minios-library.ts';
import { buildRuntime, type RuntimeJob } from './runtime-build.ts';
import { libraries, librarySwitches } from './runtime-recipe.ts';
import { headerRecipe } from './system-header.ts';
import { toolScripts } from './tool-scripts.ts';

export interface CamlTree {
  readonly width: Width;
  readonly sysroot: Sysroot;
  /** `bin`: compilers and the tools that they call; `lib`: OCaml's library directory. */
  readonly directory: string;
}

/** Debian's packages that have the compilers and the libraries. */
const packages = ['ocaml', 'ocaml-base'] as const;
/** Of the machine's own architecture: ocamlfind, and what it knows of OCaml's own libraries. */
const finder = ['ocaml-findlib', 'libfindlib-ocaml'] as const;

/** The tree, which is made first where it is not there. */
export async function camlTree(width: Width, options: SysrootOptions = {}): Promise<CamlTree> {
  const c = await sysroot(width, options);
  const directory = place(c);
  if (!existsSync(directory)) await make(directory, c, options);
  return { width, sysroot: c, directory };
}

function place(c: Sysroot): string {
  const parts = [
    ...[c.directory, JSON.stringify(libraries), headerRecipe()],
    ...Object.values(toolScripts(c)),
    ...filesIn(join(camlSources, 'minios')),
  ];
  const hash = createHash('sha256');
  for (const part of [...parts, ...libraries.flatMap((one) => librarySwitches(c.width, one))])
    hash.update(part).update('\0');
  const name = `ocaml-${widths[c.width].name}-${hash.digest('hex').slice(0, 16)}`;
  return join(cacheDirectory(), name);
}

async function make(directory: string, c: Sysroot, options: SysrootOptions): Promise<void> {
  const name = `OCaml runtime for ${widths[c.width].name}`;
  const progress = (options.progress ?? (() => silentProgress))(`building the ${name}`);
  const begun = Date.now();
  try {
    const built = await makeOnce(
      directory,
      async (temporary) =>
        await fill(temporary, { c, directory, progress, signal: options.signal }),
      {
        signal: options.signal,
        onWait: (pid) => progress.note(`waiting for process ${pid}, which builds the ${name}`),
      },
    );
    const seconds = Math.round((Date.now() - begun) / 1000);
    if (built) progress.done(`built the ${name} in ${seconds} s, once: ${directory}`);
  } catch (error) {
    progress.clear();
    throw error;
  }
}

interface Job extends RuntimeJob {
  /** Where the tree will be. */
  readonly directory: string;
}

async function fill(tree: string, job: Job): Promise<void> {
  const { c, directory, progress, signal } = job;
  progress.update(0, 'fetching Debian’s OCaml');
  await linkDebian(tree, { width: c.width, directory, scripts: toolScripts(c), signal });
  await buildRuntime(tree, job);
  await buildMinios(tree, { width: c.width, signal });
}

export interface DebianTree {
  readonly width: Width;
  /** Where the tree will be. */
  readonly directory: string;
  /** Programs that its compilers call, by name. */
  readonly scripts: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** OCaml as Debian has it. */
export async function linkDebian(
  tree: string,
  { width, directory, scripts, signal }: DebianTree,
): Promise<void> {
  const architecture = width === 32 ? 'i386' : undefined;
  for (const name of packages) link(await fetchDebianPackage(name, { signal, architecture }), tree);
  for (const name of finder) link(await fetchDebianPackage(name, { signal }), tree);
  for (const [name, text] of Object.entries(scripts)) {
    writeFileSync(join(tree, 'bin', name), text);
    chmodSync(join(tree, 'bin', name), 0o755);
  }
  writeFileSync(join(tree, 'findlib.conf'), findlibConfiguration(directory, width));
}

/** findlib.conf(5). What the user has installed for OCaml is found, too, where it is of this width. */
function findlibConfiguration(directory: string, width: Width): string {
  const lib = join(directory, 'lib');
  const path = [lib, join(lib, 'METAS'), ...(width === 64 ? ['/usr/lib/ocaml'] : [])];
  return [
    `destdir="${lib}"`,
    `path="${path.join(':')}"`,
    `stdlib="${lib}"`,
    'ldconf="ignore"',
    ...['ocamlc', 'ocamlopt', 'ocamldep'].map(
      (name) => `${name}="${join(directory, 'bin', name)}"`,
    ),
    '',
  ].join('\n');
}

/** A package's programs and libraries, each file by a link of its own; the first package that has one gives it. */
function link(packageTree: string, tree: string): void {
  for (const [from, to] of [
    ['usr/bin', 'bin'],
    ['usr/lib/ocaml', 'lib'],
  ] as const) {
    const source = join(packageTree, from);
    if (existsSync(source)) linkAll(source, join(tree, to));
  }
}

/** Each file by a link of its own, where there is none of its name. */
export function linkAll(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkAll(source, target);
    else if (!existsSync(target)) symlinkSync(source, target);
  }
}

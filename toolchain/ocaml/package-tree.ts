/**
 * A library of Debian's OCaml for our guests, in the cache: links to what its packages have, but C stubs, which are made anew from
 * the package's source.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { SysrootOptions } from '../c/sysroot.ts';
import { makeOnce } from '../cache.ts';
import {
  debianRecord,
  type FetchOptions,
  fetchDebianPackage,
  fetchDebianSource,
} from '../debian/packages.ts';
import { type Progress, silentProgress } from '../progress.ts';
import { type CamlTree, linkAll } from './caml-tree.ts';
import { buildStubs } from './stub-build.ts';
import { stubRecipes } from './stub-recipes.ts';

/** For ocamlfind's path; undefined where Debian has no such package. */
export async function packageTree(
  name: string,
  tree: CamlTree,
  options: SysrootOptions = {},
): Promise<string | undefined> {
  const directory = `${tree.directory}-${name}-${recipeHash()}`;
  if (existsSync(directory)) return directory;
  const fetching: FetchOptions = {
    signal: options.signal,
    architecture: tree.width === 32 ? 'i386' : undefined,
  };
  const record = await debianRecord(name, fetching);
  if (record === undefined) return undefined;
  const progress = (options.progress ?? (() => silentProgress))(`preparing ${name}`);
  try {
    const job = { tree, progress, fetching, name, record };
    await makeOnce(directory, async (temporary) => await fill(temporary, job), options);
  } finally {
    progress.clear();
  }
  return directory;
}

const recipeHash = (): string =>
  createHash('sha256').update(JSON.stringify(stubRecipes)).digest('hex').slice(0, 8);

interface Job {
  readonly name: string;
  readonly record: ReadonlyMap<string, string>;
  readonly tree: CamlTree;
  readonly progress: Progress;
  readonly fetching: FetchOptions;
}

async function fill(temporary: string, { tree, progress, fetching, name, record }: Job) {
  for (const one of [name, ...runtimePart(name, record)]) {
    progress.update(0, `fetching ${one}`);
    const files = join(await fetchDebianPackage(one, fetching), 'usr/lib/ocaml');
    if (existsSync(files)) linkAll(files, temporary);
  }
  const archives = stubArchives(temporary);
  if (archives.length === 0) return;
  const source = await fetchDebianSource(sourceName(name, record), { signal: fetching.signal });
  for (const archive of archives) {
    progress.update(0.5, `compiling ${basename(archive)}`);
    await buildStubs(archive, { tree, source, signal: fetching.signal, package: name, progress });
  }
}

/** `liblwt-ocaml-py3u4` among what liblwt-ocaml-dev depends on is liblwt-ocaml; its suffix is a hash of interfaces. */
export function runtimePart(name: string, record: ReadonlyMap<string, string>): string[] {
  const runtime = name.replace(/-dev$/, '');
  const needed = (record.get('Depends') ?? '').split(/,\s*/);
  return needed.some((one) => one.replace(/-[a-z0-9]{5}$/, '') === runtime) ? [runtime] : [];
}

const sourceName = (name: string, record: ReadonlyMap<string, string>): string =>
  record.get('Source')?.split(' ')[0] ?? name;

/** `libzarith.a` is of C, `zarith.a` beside `zarith.cmxa` of OCaml. */
function stubArchives(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((file) => /^lib.*\.a$/.test(basename(file)))
    .filter((file) => !existsSync(join(directory, file.replace(/\.a$/, '.cmxa'))))
    .map((file) => join(directory, file));
}

/**
 * OCaml packages of Debian's, by the names that ocamlfind has for them (findlib's META, "requires"): what a program names and what that
 * needs, each fetched when ocamlfind first misses it.
 */
import type { SysrootOptions } from '../c/sysroot.ts';
import { runProcess } from '../process.ts';
import type { CamlTree } from './caml-tree.ts';
import {
  type CompilerTree,
  compilerEnvironment,
  type FoundPackages,
} from './compiler-environment.ts';
import { packageTree } from './package-tree.ts';

/** Where Debian's package is not called after the library. */
const irregular: Readonly<Record<string, string>> = {
  camlp4: 'camlp4-extra',
  menhirLib: 'menhir',
  netstring: 'ocamlnet',
  oUnit: 'ounit',
  pcre: 'pcre',
  ssl: 'ssl',
};

/** `lwt` is in liblwt-ocaml-dev, `ppx_deriving` in libppx-deriving-ocaml-dev. */
export function debianName(library: string): string {
  const name = irregular[library] ?? library.toLowerCase().replaceAll('_', '-');
  return `lib${name}-ocaml-dev`;
}

/**
 * What neither the tree nor Debian has is missing from the path: ocamlfind says so itself when it builds.
 *
 * @param names as ocamlfind takes them, `lwt.unix`
 */
export async function findPackages(
  tree: CamlTree,
  names: readonly string[],
  options: SysrootOptions = {},
): Promise<FoundPackages> {
  if (names.length === 0) return { path: [], names: [] };
  const linked = await findAll(tree, { path: [], names }, linking, options);
  const { path } = await findAll(tree, { path: linked.path, names }, rewriting, options);
  return { path, names: linked.names };
}

/** Predicates of findlib's META: what a program is linked with, and what rewrites its sources, which runs on the machine itself. */
const linking = 'native,mt';
const rewriting = 'native,mt,ppx_driver';

async function findAll(
  tree: CamlTree,
  { path: known, names }: FoundPackages,
  predicates: string,
  options: SysrootOptions,
): Promise<FoundPackages> {
  const path = [...known];
  const asked = new Set<string>();
  for (;;) {
    const { missing, found } = await query({ ...tree, packages: { path, names } }, predicates);
    if (missing === undefined || asked.has(missing)) return { path, names: found };
    asked.add(missing);
    const directory = await packageTree(debianName(missing), tree, options);
    if (directory === undefined) return { path, names: [] };
    path.push(directory);
  }
}

async function query(
  tree: CompilerTree & { readonly packages: FoundPackages },
  predicates: string,
): Promise<{ readonly missing: string | undefined; readonly found: string[] }> {
  const words = ['query', '-recursive', '-predicates', predicates, '-format', '%p'];
  const all = [...words, ...tree.packages.names];
  const { stdout, stderr } = await runProcess(`${tree.directory}/bin/ocamlfind`, all, {
    env: compilerEnvironment(tree),
  });
  const [, missing] = /Package `([^'.]+)[^']*' not found/.exec(stderr) ?? [];
  return { missing, found: stdout.trim().split('\n') };
}

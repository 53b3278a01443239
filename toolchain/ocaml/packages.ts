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
  const path: string[] = [];
  const asked = new Set<string>();
  while (names.length > 0) {
    const { missing, found } = await query({ ...tree, packages: { path, names } }, names);
    if (missing === undefined || asked.has(missing)) return { path, names: found };
    asked.add(missing);
    const directory = await packageTree(debianName(missing), tree, options);
    if (directory === undefined) break;
    path.push(directory);
  }
  return { path, names: [] };
}

async function query(
  tree: CompilerTree,
  names: readonly string[],
): Promise<{ readonly missing: string | undefined; readonly found: string[] }> {
  const words = ['query', '-recursive', '-predicates', 'native,mt', '-format', '%p', ...names];
  const { stdout, stderr } = await runProcess(`${tree.directory}/bin/ocamlfind`, words, {
    env: compilerEnvironment(tree),
  });
  const [, missing] = /Package `([^'.]+)[^']*' not found/.exec(stderr) ?? [];
  return { missing, found: stdout.trim().split('\n') };
}

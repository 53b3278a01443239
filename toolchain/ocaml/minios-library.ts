/** `Minios`, the library by which OCaml programs reach Mini-OS's own calls: modules and stubs of ours, compiled into an OCaml tree. */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Width } from '../c/width.ts';
import { runProcess } from '../process.ts';
import { compilerEnvironment } from './compiler-environment.ts';
import { compilerName } from './tool-scripts.ts';

/** OCaml's and C's of ours, beside the compiled JavaScript's directory both in a checkout and in the package. */
export const camlSources = fileURLToPath(
  new URL('../../../toolchain/ocaml/sources', import.meta.url),
);

interface Job {
  readonly width: Width;
  readonly signal: AbortSignal | undefined;
}

/** Into `lib/minios` of the tree, whose runtime has been built. */
export async function buildMinios(tree: string, { width, signal }: Job): Promise<void> {
  const place = join(tree, 'lib/minios');
  mkdirSync(place);
  const names = readdirSync(join(camlSources, 'minios'));
  for (const name of names) copyFileSync(join(camlSources, 'minios', name), join(place, name));
  const stubs = names.filter((name) => name.endsWith('.c'));
  const env = {
    ...compilerEnvironment({ directory: tree }),
    BUILD_PATH_PREFIX_MAP: `/minios=${place}`,
  };
  for (const [program = '', ...words] of commands(width, stubs)) {
    const command = join(tree, 'bin', program);
    const { status, stderr } = await runProcess(command, words, { cwd: place, env, signal });
    if (status !== 0) throw new Error(`${basename(command)} of Minios: ${stderr}`);
  }
  for (const name of readdirSync(place).filter((one) => /\.([coh]|cm[ot])$/.test(one)))
    rmSync(join(place, name));
}

const library = ['-cclib', '-lcamlminios'];

function commands(width: Width, stubs: readonly string[]): string[][] {
  const objects = stubs.map((name) => name.replace(/\.c$/, '.o'));
  return [
    [compilerName(width), '-O2', '-Wall', '-Wextra', '-I..', '-c', ...stubs],
    [compilerName(width).replace(/gcc$/, 'ar'), 'rcsD', 'libcamlminios.a', ...objects],
    ['ocamlc', '-g', '-c', 'minios.mli', 'minios.ml'],
    ['ocamlc', '-a', '-custom', '-o', 'minios.cma', 'minios.cmo', ...library],
    ['ocamlopt', '-g', '-c', 'minios.ml'],
    ['ocamlopt', '-a', '-o', 'minios.cmxa', 'minios.cmx', ...library],
  ];
}

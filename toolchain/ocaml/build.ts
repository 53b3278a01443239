/** From OCaml modules, and C stubs beside them, to an application image: Debian's compilers between our runtime and our linker. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { BuildOptions, BuildResult } from '../c/build.ts';
import { checkOutput, place } from '../output.ts';
import { runProcess } from '../process.ts';
import { camlTree } from './caml-tree.ts';
import { type CompilerTree, compilerEnvironment } from './compiler-environment.ts';
import { camlSources } from './minios-library.ts';
import { findPackages } from './packages.ts';

export interface CamlBuildOptions extends BuildOptions {
  /** Sources, objects and libraries in the order in which they are linked, and options of ocamlopt. */
  readonly arguments: readonly string[];
  /** As ocamlfind names them. */
  readonly packages?: readonly string[];
  readonly isBytecode?: boolean;
}

export async function buildCaml(options: CamlBuildOptions): Promise<BuildResult> {
  checkOutput(options.output);
  const tree = await camlTree(options.width ?? 64, options);
  const packages = await findPackages(tree, options.packages ?? [], options);
  return await buildIn({ ...tree, packages }, options);
}

/** With the compilers and libraries of that tree. */
export async function buildIn(tree: CompilerTree, options: CamlBuildOptions): Promise<BuildResult> {
  const { output, cwd = process.cwd(), inherit = false, signal } = options;
  const temporary = mkdtempSync(join(tmpdir(), 'stubdom-build-'));
  try {
    const compiler = new CamlCompiler(tree, { ...options, temporary });
    const image = join(temporary, 'image.elf');
    let messages = '';
    for (const args of compiler.commands(image)) {
      const [command = '', ...words] = args;
      const { status, stdout, stderr } = await runProcess(command, words, {
        ...{ cwd, inherit, signal, env: compiler.environment },
      });
      messages += stdout + stderr;
      if (status !== 0) return { status, messages };
    }
    place(image, output);
    return { status: 0, messages };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** A program's own data behind its runtime's, so that programs with the same libraries share their translations. */
const apart = [
  ...['-ccopt', `-fdata-sections -include '${camlSources}/bytecode-startup.h'`],
  ...['-ccopt', `-Wl,-T,'${camlSources}/bytecode.lds'`],
];

/** What an input is made into, by its ending; what is not here is for the linker as it is. */
const isSource = (word: string): boolean => /\.(mli?|c)$/.test(word);
const isInput = (word: string): boolean => /\.(mli?|c|o|a|cm[oxa]|cmxa)$/.test(word);

/** Options of ocamlopt and ocamlc that take the next word as their value. */
const withValue = new Set(
  '-I -w -warn-error -open -ccopt -cclib -inline -rounds -unroll -pp -ppx -for-pack -color -error-style -runtime-variant -intf-suffix -dllib -dllpath'.split(
    ' ',
  ),
);

class CamlCompiler {
  readonly #tree: CompilerTree;
  readonly #options: CamlBuildOptions & { readonly temporary: string };

  constructor(tree: CompilerTree, options: CamlBuildOptions & { readonly temporary: string }) {
    this.#tree = tree;
    this.#options = options;
  }

  get environment(): NodeJS.ProcessEnv {
    return compilerEnvironment(this.#tree);
  }

  /** One for each source, in order, and one that links. What they make is beside the image, never beside the sources. */
  *commands(image: string): Generator<string[]> {
    const { isBytecode = false, temporary } = this.#options;
    const { options, inputs } = sorted(this.#options.arguments);
    const objects: string[] = [];
    for (const [n, input] of inputs.entries()) {
      const object = isSource(input) ? this.#objectOf(input, n) : input;
      if (isSource(input)) yield this.#compile(input, object, options);
      if (!object.endsWith('.cmi')) objects.push(object);
    }
    const linkPackages = this.#hasPackages ? ['-linkpkg'] : [];
    const link = [...this.#compiler(), ...options, '-I', temporary, ...linkPackages];
    if (!isBytecode) yield [...link, ...objects, '-o', image];
    else if (this.#tree.hasOwnBytecode) yield [...link, '-custom', ...objects, '-o', image];
    else yield* this.#linkBytecode(link, objects, image);
  }

  /** Bytecode and its interpreter; OCaml itself leaves out the debug information there, and writes it into a file only beside C. */
  *#linkBytecode(link: readonly string[], objects: readonly string[], image: string) {
    const debug = join(this.#options.temporary, 'debug-info');
    const extra: string[] = [];
    if (link.includes('-g')) {
      yield [...link, ...objects, '-output-obj', '-o', `${debug}.c`];
      const where = ['-ccopt', `-DDEBUG_INFO=\\"${debug}.cds\\"`, '-ccopt', `-o ${debug}.o`];
      yield [...this.#compiler(), '-c', join(camlSources, 'debug-info.c'), ...where];
      extra.push(`${debug}.o`, '-ccopt', '-Wl,--wrap=caml_attempt_open');
    }
    yield [...link, '-output-complete-exe', ...apart, ...objects, ...extra, '-o', image];
  }

  get #hasPackages(): boolean {
    return (this.#options.packages ?? []).length > 0;
  }

  #compiler(): string[] {
    const { isBytecode, packages = [] } = this.#options;
    const name = isBytecode ? 'ocamlc' : 'ocamlopt';
    const program = (command: string): string => join(this.#tree.directory, 'bin', command);
    if (!this.#hasPackages) return [program(name)];
    const all = [...packages, ...(this.#tree.packages?.names ?? [])];
    const hasThreads = all.some((one) => one.split('.')[0] === 'threads');
    const threads = hasThreads ? ['-thread'] : [];
    return [program('ocamlfind'), name, ...threads, '-package', packages.join(',')];
  }

  #compile(source: string, object: string, options: readonly string[]): string[] {
    const { temporary } = this.#options;
    if (source.endsWith('.c'))
      return [...this.#compiler(), ...options, '-c', source, '-ccopt', `-o ${object}`];
    return [...this.#compiler(), ...options, '-I', temporary, '-c', source, '-o', object];
  }

  /** Stubs of the same name as a module's do not overwrite its object. */
  #objectOf(source: string, n: number): string {
    const { temporary, isBytecode } = this.#options;
    const name = basename(source).replace(/\.\w+$/, '');
    if (source.endsWith('.mli')) return join(temporary, `${name}.cmi`);
    if (source.endsWith('.ml')) return join(temporary, `${name}.${isBytecode ? 'cmo' : 'cmx'}`);
    const directory = join(temporary, `stubs-${n}`);
    mkdirSync(directory);
    return join(directory, `${name}.o`);
  }
}

function sorted(words: readonly string[]): { options: string[]; inputs: string[] } {
  const options: string[] = [];
  const inputs: string[] = [];
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (isInput(word) && !word.startsWith('-')) inputs.push(word);
    else if (withValue.has(word)) options.push(word, ...queue.splice(0, 1));
    else options.push(word);
  }
  return { options, inputs };
}

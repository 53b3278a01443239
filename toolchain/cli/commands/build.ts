/** `stubdom build`: C or OCaml sources to an application image. */
import { basename } from 'node:path';
import { type BuildOptions, build as buildImage } from '../../c/build.ts';
import type { Width } from '../../c/width.ts';
import type { CamlBuildOptions } from '../../ocaml/build.ts';
import { showProgress } from '../../progress.ts';
import { type Command, usageError } from '../command.ts';

export const build: Command = {
  name: 'build',
  summary: 'Build an image from C or OCaml sources.',
  usage: [
    'build [-m32] [-o OUTPUT] [gcc options: -I -D -O -g -W -f -l -L …] SOURCE.c…',
    '       stubdom build [-m32] [-o OUTPUT] [-package NAME,…] [--bytecode] [ocamlopt options] MODULE.ml… [STUBS.c…]',
  ].join('\n'),
  raw: true,

  async run(terminal, words) {
    const { width, output, rest, packages, isBytecode, isCaml } = readWords(words);
    const stop = new AbortController();
    const interrupt = () => stop.abort();
    process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
    try {
      const options: BuildOptions = {
        ...{ width, output, arguments: rest, inherit: true, signal: stop.signal },
        progress: (title) => showProgress(terminal.stderr, title),
      };
      const { status } = isCaml
        ? await buildModules({ ...options, packages, isBytecode })
        : await buildImage(options);
      return status === 0 ? 0 : 1;
    } catch (error) {
      if (stop.signal.aborted) return 130;
      throw error;
    } finally {
      process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
    }
  },
};

/** Loaded where there is OCaml to build. */
async function buildModules(options: CamlBuildOptions) {
  const { buildCaml } = await import('../../ocaml/build.ts');
  return buildCaml(options);
}

/** Options of gcc that take the next word as their value. */
const withValue = new Set(
  '-I -D -U -L -l -x -include -imacros -isystem -iquote -idirafter -u -T -Xlinker -Xassembler -Xpreprocessor --param'.split(
    ' ',
  ),
);

/** Options of gcc that make something else than an image. */
const notAnImage = /^-(c|S|E|M|MM|shared|static|pie|static-pie|r)$/;

interface Words {
  width: Width;
  output: string;
  /** There is a module of OCaml's among the inputs. */
  isCaml: boolean;
  isBytecode: boolean;
  readonly packages: string[];
  readonly rest: string[];
}

export function readWords(words: readonly string[]): Words {
  const found: Words = {
    ...{ width: 64, output: '', isCaml: words.some((word) => isModule(word)), isBytecode: false },
    ...{ packages: [], rest: [] },
  };
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift())
    readWord(word, queue, found);
  checkOcaml(found);
  const standard = defaultOutput(found.rest.filter(isInput));
  return { ...found, output: found.output || standard };
}

function readWord(word: string, queue: string[], found: Words): void {
  if (notAnImage.test(word)) throw usageError(`build: ${word}: build makes whole images`);
  if (word === '--bytecode') found.isBytecode = true;
  else if (word === '-package') found.packages.push(...take(queue, word).split(','));
  else if (word === '-m32' || word === '-m64') found.width = word === '-m32' ? 32 : 64;
  else if (word === '-o') found.output = take(queue, word);
  else if (word.startsWith('-o')) found.output = word.slice(2);
  else found.rest.push(word, ...(withValue.has(word) ? [take(queue, word)] : []));
}

const isModule = (word: string): boolean => /\.mli?$/.test(word);

function checkOcaml({ isCaml, isBytecode, packages, rest }: Words): void {
  if (isCaml && !rest.some((word) => /\.(ml|cmxa?|cmo|cma)$/.test(word)))
    throw usageError('build: there is an interface of OCaml’s, and no module to make a program of');
  if (isCaml) return;
  if (isBytecode) throw usageError('build: --bytecode: there is no module of OCaml’s to build');
  if (packages.length > 0)
    throw usageError(
      `build: -package ${packages.join(',')}: there is no module of OCaml’s to build`,
    );
}

/** A word that is no option and no option's value. */
const isInput = (word: string, index: number, all: readonly string[]): boolean =>
  !word.startsWith('-') && !withValue.has(all[index - 1] ?? '');

/** The first source's name, or of OCaml's modules the last one's, which is the program, with .elf for its ending. */
function defaultOutput(inputs: readonly string[]): string {
  const first = inputs.findLast((name) => name.endsWith('.ml')) ?? inputs[0];
  if (first === undefined)
    throw usageError('build: no SOURCE.c given; try: build hello.c -o hello.elf');
  return `${basename(first).replace(/\.[^.]*$/, '')}.elf`;
}

function take(queue: string[], option: string): string {
  const value = queue.shift();
  if (value === undefined) throw usageError(`build: ${option} needs a value`);
  return value;
}

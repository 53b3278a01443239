/** The benchmark programs: our own C in programs/, each of which prints a checksum, and the nanoseconds of its first rounds and of those measured. */
import { fileURLToPath } from 'node:url';

/** What a program spends its time in; the first three are the integer set, of which the geometric mean is taken. */
export type Kind = 'integer' | 'calls' | 'memory' | 'strings' | 'library' | 'floats' | 'x87';

export const integerSet: readonly Kind[] = ['integer', 'calls', 'memory'];

export interface Program {
  readonly name: string;
  readonly kind: Kind;
  /** Beside bench.c, which has main. */
  readonly sources: readonly string[];
  /** The program's one argument: about 0.3 s of native time. */
  readonly rounds: number;
}

/** The compiled JavaScript lies three directories below the checkout. */
export const programDirectory = fileURLToPath(
  new URL('../../../tests/bench/programs', import.meta.url),
);

// biome-ignore format: one program a line
export const programs: readonly Program[] = [
  { name: 'core',        kind: 'integer', sources: ['core.c'],               rounds: 30_000 },
  { name: 'records',     kind: 'integer', sources: ['records.c'],            rounds: 12_000_000 },
  { name: 'words',       kind: 'memory',  sources: ['words.c'],              rounds: 200_000 },
  { name: 'chase',       kind: 'memory',  sources: ['chase.c'],              rounds: 50_000 },
  { name: 'hash',        kind: 'integer', sources: ['hash.c'],               rounds: 2_000 },
  { name: 'interpreter', kind: 'integer', sources: ['interpreter.c'],        rounds: 2_500 },
  { name: 'fib',         kind: 'calls',   sources: ['fib.c'],                rounds: 500 },
  { name: 'pointers',    kind: 'calls',   sources: ['pointers.c'],           rounds: 40_000 },
  { name: 'sha256',      kind: 'integer', sources: ['sha256.c'],             rounds: 18_000 },
  { name: 'compress',    kind: 'integer', sources: ['compress.c', 'lz.c'],   rounds: 250 },
  { name: 'decompress',  kind: 'integer', sources: ['decompress.c', 'lz.c'], rounds: 2_500 },
  { name: 'strings',     kind: 'strings', sources: ['strings.c'],            rounds: 80_000 },
  { name: 'blocks',      kind: 'library', sources: ['blocks.c'],             rounds: 80_000 },
  { name: 'nbody',       kind: 'floats',  sources: ['nbody.c'],              rounds: 40_000 },
  { name: 'spectral',    kind: 'floats',  sources: ['spectral.c'],           rounds: 1_200 },
  { name: 'x87',         kind: 'x87',     sources: ['x87.c'],                rounds: 100_000 },
];

/** What speed is asked for, and whether a run's rows have it. */
import { type Width, widths } from '../../toolchain/index.ts';
import { integerSet, type Program } from './programs.ts';
import { geometricMean, type Row } from './ratios.ts';

interface Target {
  readonly what: string;
  /** The figure of one width's rows; undefined where a row of it has no ratio. */
  readonly figure: (rows: readonly Row[]) => number | undefined;
  readonly limit: Readonly<Record<Width, number>>;
  /** Where larger is better. */
  readonly isLeast?: boolean;
}

const both = (limit: number): Readonly<Record<Width, number>> => ({ 64: limit, 32: limit });

/** The slowest of the programs chosen. */
const worst =
  (isChosen: (program: Program) => boolean) =>
  (rows: readonly Row[]): number | undefined => {
    const ratios = rows
      .filter(({ program }) => isChosen(program))
      .map(({ stubdom }) => ('ratio' in stubdom ? stubdom.ratio : undefined));
    let most: number | undefined;
    for (const ratio of ratios) {
      if (ratio === undefined) return undefined;
      most = Math.max(most ?? 0, ratio);
    }
    return most;
  };

function timesFaster(rows: readonly Row[]): number | undefined {
  const [ours, theirs] = [geometricMean(rows, 'stubdom'), geometricMean(rows, 'qemu')];
  return ours === undefined || theirs === undefined ? undefined : theirs / ours;
}

// biome-ignore format: one target a line
export const targets: readonly Target[] = [
  { what: 'geometric mean of the integer set', figure: (rows) => geometricMean(rows, 'stubdom'), limit: { 64: 1.9, 32: 1.8 } },
  { what: 'times faster than qemu-user',       figure: timesFaster, limit: both(1.7), isLeast: true },
  { what: 'slowest of the integer set',        figure: worst(({ kind }) => integerSet.includes(kind)), limit: both(3.5) },
  { what: 'recursion and function pointers',   figure: worst(({ kind }) => kind === 'calls'), limit: both(2.8) },
  { what: 'rep movs and stos',                 figure: worst(({ kind }) => kind === 'strings'), limit: both(1.5) },
  { what: 'nbody and spectral',                figure: worst(({ kind }) => kind === 'floats'), limit: both(2) },
];

/** One line a target. */
export function targetLines(rows: readonly Row[], width: Width): string[] {
  const ofWidth = rows.filter((row) => row.width === width);
  return targets.map(({ what, figure, limit, isLeast = false }) => {
    const found = figure(ofWidth);
    const wanted = `${isLeast ? 'at least' : 'at most'} ${limit[width].toFixed(1)}`;
    const left = `${widths[width].name}  ${what.padEnd(34)}`;
    if (found === undefined) return `${left}    —  ${wanted}: not measured`;
    const isMet = isLeast ? found >= limit[width] : found <= limit[width];
    return `${left} ${found.toFixed(2).padStart(5)}  ${wanted}: ${isMet ? 'met' : 'missed'}`;
  });
}

/** Ratios to native of a program in one width: runs taken in turn, so that what else the machine does hits all alike. */
import type { Width } from '../../toolchain/index.ts';
import { integerSet, type Program } from './programs.ts';
import { buildVariants, runVariant, type Sample, type VariantName } from './variants.ts';

/** A ratio to native; `wrong` where the checksum is not the native one; else why there is none. */
export type Ratio =
  | { readonly ratio: number; readonly least: number; readonly most: number }
  | { readonly wrong: string }
  | { readonly failure: string };

export interface Row {
  readonly program: Program;
  readonly width: Width;
  readonly nativeMilliseconds: number;
  readonly stubdom: Ratio;
  /** Of the first rounds, where code is still translated and optimised; no target counts it. */
  readonly first: Ratio;
  /** Undefined where qemu-user is not installed. */
  readonly qemu: Ratio | undefined;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Each run against the native one of its own round. */
export function ratioOf(
  natives: readonly Sample[],
  samples: readonly Sample[],
  section: 'first' | 'nanoseconds' = 'nanoseconds',
): Ratio {
  const ratios: number[] = [];
  for (const [i, sample] of samples.entries()) {
    const native = natives[i];
    if (native === undefined || 'failure' in native) return { failure: 'no native run' };
    if ('failure' in sample) return sample;
    if (sample.checksum !== native.checksum)
      return { wrong: `checksum ${sample.checksum}, natively ${native.checksum}` };
    ratios.push(sample[section] / native[section]);
  }
  return { ratio: median(ratios), least: Math.min(...ratios), most: Math.max(...ratios) };
}

/** Of the integer set; undefined where one of it has no ratio. */
export const geometricMean = (
  rows: readonly Row[],
  of: 'stubdom' | 'first' | 'qemu',
): number | undefined => geometricMeanOf(rows, (row) => row[of]);

export function geometricMeanOf<R extends { readonly program: Program }>(
  rows: readonly R[],
  of: (row: R) => Ratio | undefined,
): number | undefined {
  let sum = 0;
  const chosen = rows.filter(({ program }) => integerSet.includes(program.kind));
  for (const row of chosen) {
    const ratio = of(row);
    if (ratio === undefined || !('ratio' in ratio)) return undefined;
    sum += Math.log(ratio.ratio);
  }
  return chosen.length === 0 ? undefined : Math.exp(sum / chosen.length);
}

export async function measure(
  program: Program,
  width: Width,
  options: { readonly runs: number; readonly directory: string },
): Promise<Row> {
  const variants = await buildVariants(program, width, options.directory);
  const samples: Record<VariantName, Sample[]> = { native: [], stubdom: [], qemu: [] };
  for (let run = 0; run < options.runs; run++)
    for (const variant of variants)
      samples[variant.name].push(await runVariant(variant, options.directory));
  const { native, stubdom, qemu } = samples;
  return {
    program,
    width,
    nativeMilliseconds: median(
      native.map((sample) => ('failure' in sample ? Number.NaN : sample.nanoseconds / 1e6)),
    ),
    stubdom: ratioOf(native, stubdom),
    first: ratioOf(native, stubdom, 'first'),
    qemu: qemu.length === 0 ? undefined : ratioOf(native, qemu),
  };
}

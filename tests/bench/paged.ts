/** The same images with their memory behind real page tables: ratios to native, and what the tables cost in exits. */
import { fileURLToPath } from 'node:url';
import type { PagingCounts } from '../../runtime/cpu/paging.ts';
import type { Width } from '../../toolchain/index.ts';
import { runProcess } from '../../toolchain/process.ts';
import type { Frames } from '../support/paged-mapping.ts';
import type { Program } from './programs.ts';
import { geometricMeanOf, type Ratio, ratioOf } from './ratios.ts';
import { buildVariants, readSample, runVariant, type Sample, type Variant } from './variants.ts';

export const layouts: readonly Frames[] = ['in order', 'scattered'];

export interface PagedRow {
  readonly program: Program;
  readonly width: Width;
  /** One linear run, as applications have it. */
  readonly linear: Ratio;
  readonly paged: Readonly<Record<Frames, { readonly ratio: Ratio; readonly counts: Counts }>>;
}

type Counts = PagingCounts | undefined;

const script = fileURLToPath(new URL('paged-run.js', import.meta.url));
const limitSeconds = 120;

export async function measurePaged(
  program: Program,
  width: Width,
  { runs, directory }: { readonly runs: number; readonly directory: string },
): Promise<PagedRow> {
  const variants = await buildVariants(program, width, directory);
  const of = (name: Variant['name']): Variant => {
    const found = variants.find((variant) => variant.name === name);
    if (found === undefined) throw new TypeError(`${program.name} has no variant ${name}`);
    return found;
  };
  const [native, linear] = [of('native'), of('stubdom')];
  const samples: Record<'native' | 'linear' | Frames, Sample[]> = {
    ...{ native: [], linear: [], 'in order': [], scattered: [] },
  };
  const counts: Record<Frames, Counts> = { 'in order': undefined, scattered: undefined };
  for (let run = 0; run < runs; run++) {
    samples.native.push(await runVariant(native, directory));
    samples.linear.push(await runVariant(linear, directory));
    for (const frames of layouts) {
      const { sample, paging } = await runPaged(frames, `${native.command}.elf`, program.rounds);
      samples[frames].push(sample);
      counts[frames] = paging;
    }
  }
  const paged = (frames: Frames): { ratio: Ratio; counts: Counts } => ({
    ratio: ratioOf(samples.native, samples[frames]),
    counts: counts[frames],
  });
  return {
    ...{ program, width, linear: ratioOf(samples.native, samples.linear) },
    paged: { 'in order': paged('in order'), scattered: paged('scattered') },
  };
}

async function runPaged(
  frames: Frames,
  image: string,
  rounds: number,
): Promise<{ sample: Sample; paging: Counts }> {
  const signal = AbortSignal.timeout(limitSeconds * 1000);
  try {
    const words = [script, frames, image, String(rounds)];
    const { status, stdout, stderr } = await runProcess(process.execPath, words, { signal });
    if (status !== 0)
      return { sample: { failure: `status ${status}: ${stderr.trim()}` }, paging: undefined };
    const end = stdout.lastIndexOf('\n', stdout.length - 2) + 1;
    const paging = JSON.parse(stdout.slice(end)) as PagingCounts;
    return { sample: readSample(stdout.slice(0, end)), paging };
  } catch (error) {
    if (!signal.aborted) throw error;
    return { sample: { failure: `no end after ${limitSeconds} s` }, paging: undefined };
  }
}

export const pagedHeading = [
  'Memory behind real page tables, time relative to native; exits / refills / functions written anew.',
  '',
  `${'program'.padEnd(12)} ${'width'.padEnd(7)} ${'linear'.padEnd(8)} ${layouts.map((frames) => `frames ${frames}`.padEnd(32)).join('')}`.trimEnd(),
].join('\n');

export function pagedRowText({ program, width, linear, paged }: PagedRow): string {
  const cells = layouts.map((frames) => {
    const { ratio, counts } = paged[frames];
    const { exits = 0, refills = 0, recompilations = 0 } = counts ?? {};
    return `${text(ratio).padEnd(8)}${exits} / ${refills} / ${recompilations}`.padEnd(32);
  });
  return `${program.name.padEnd(12)} x86-${String(width).padEnd(3)} ${text(linear).padEnd(8)} ${cells.join('')}`.trimEnd();
}

/** Of the integer set; a dash where one of it has no ratio. */
export function pagedMeanText(rows: readonly PagedRow[], width: Width): string {
  const own = rows.filter((row) => row.width === width);
  const mean = (of: (row: PagedRow) => Ratio): string =>
    geometricMeanOf(own, of)?.toFixed(2) ?? '—';
  const cells = layouts.map((frames) => mean((row) => row.paged[frames].ratio).padEnd(32));
  return `${'mean'.padEnd(12)} x86-${String(width).padEnd(3)} ${mean((row) => row.linear).padEnd(8)} ${cells.join('')}`.trimEnd();
}

function text(ratio: Ratio): string {
  if ('ratio' in ratio) return ratio.ratio.toFixed(2);
  return 'wrong' in ratio ? `wrong: ${ratio.wrong} ` : `failed: ${ratio.failure} `;
}

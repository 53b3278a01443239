/**
 * `npm run lockstep -- [--instructions N] [--seed N] [--width 64|32] [--form resumable|fast|adaptive] [--paged]`: long random
 * programs on this machine's CPU and in Wasm until so many instructions have run. A seed that went wrong is printed with
 * the shortest program that still does; `--seed` of it repeats that.
 */
import { parseArgs } from 'node:util';
import type { Tier } from '../../runtime/cpu/translations-options.ts';
import { UserError } from '../../runtime/errors.ts';
import { CpuOracle } from './cpu-oracle.ts';
import { Lockstep } from './lockstep.ts';
import { freshSeed } from './random.ts';

const tiers: readonly Tier[] = ['resumable', 'fast', 'adaptive'];
/** Instructions between two lines of progress. */
const portion = 500_000;

function parse(words: readonly string[]) {
  const { values } = parseArgs({
    args: [...words],
    options: {
      instructions: { type: 'string', default: '10000000' },
      seed: { type: 'string' },
      width: { type: 'string', default: '64' },
      form: { type: 'string', default: 'resumable' },
      paged: { type: 'boolean', default: false },
    },
  });
  const tier = tiers.find((each) => each === values.form);
  const width = ([64, 32] as const).find((each) => String(each) === values.width);
  if (tier === undefined) throw new UserError(`--form ${values.form}: one of ${tiers.join(', ')}`);
  if (width === undefined) throw new UserError(`--width ${values.width}: 64 or 32`);
  const seed = values.seed === undefined ? freshSeed() % 1_000_000_000 : Number(values.seed);
  return { tier, width, seed, instructions: Number(values.instructions), paged: values.paged };
}

async function main(words: readonly string[]): Promise<number> {
  const { tier, width, seed, instructions, paged } = parse(words);
  process.stdout.write(
    `lockstep: ${width}-bit, ${tier}${paged ? ', paged' : ''}, --seed ${seed}\n`,
  );
  const oracle = await CpuOracle.start(width);
  const start = performance.now();
  const total = { programs: 0, instructions: 0, skipped: 0, faulted: 0, wrong: 0 };
  try {
    const lockstep = new Lockstep(width, oracle, paged, tier);
    for (let at = seed; total.instructions < instructions && total.wrong < 5; ) {
      const wanted = Math.min(portion, instructions - total.instructions);
      const report = await lockstep.race(at, wanted);
      at = report.next;
      for (const key of ['programs', 'instructions', 'skipped', 'faulted'] as const)
        total[key] += report[key];
      total.wrong += report.wrong.length;
      for (const text of report.wrong) process.stdout.write(`${text}\n\n`);
      const seconds = ((performance.now() - start) / 1000).toFixed(0);
      process.stdout.write(
        `${total.instructions} instructions of ${total.programs} programs (${total.faulted} ended by a fault, ` +
          `${total.skipped} say nothing), ${total.wrong} wrong, ${seconds} s\n`,
      );
    }
  } finally {
    await oracle.close();
  }
  return total.wrong === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  if (!(error instanceof UserError)) throw error;
  process.stderr.write(`lockstep: ${error.message}\n`);
  return 2;
});

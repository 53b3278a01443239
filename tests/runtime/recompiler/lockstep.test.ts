/** Random programs end alike in the reference evaluator, in recompiled Wasm and on this machine's CPU. SEED=n repeats. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CpuOracle } from '../../support/cpu-oracle.ts';
import { Lockstep } from '../../support/lockstep.ts';
import { freshSeed } from '../../support/random.ts';

interface Beds {
  readonly oracles: CpuOracle[];
  readonly of: Map<64 | 32, Lockstep>;
}

const test = suite<Beds>('runtime/recompiler/lockstep', { oracles: [], of: new Map() });
const isFull = process.env['STUBDOM_TEST_TIER'] === 'full';
const given = process.env['SEED'];
const counts = { blocks: isFull ? 2_000 : 250, programs: isFull ? 2_000 : 200 } as const;

test.before(async ({ oracles, of }) => {
  for (const width of [64, 32] as const) {
    const oracle = await CpuOracle.start(width);
    oracles.push(oracle);
    of.set(width, new Lockstep(width, oracle));
  }
});

test.after(async ({ oracles }) => {
  for (const oracle of oracles) await oracle.close();
});

for (const width of [64, 32] as const)
  for (const kind of ['blocks', 'programs'] as const)
    test(`${width}: random ${kind} end alike evaluated, recompiled and on the CPU`, async ({
      of,
    }) => {
      const seed = given === undefined ? freshSeed() : Number(given);
      const count = given === undefined ? counts[kind] : 1;

      const report = await of.get(width)?.run(kind, seed, count);

      assert.equal(report?.wrong, [], report?.wrong.join('\n\n'));
      const ran = report?.programs ?? 0;
      assert.ok(
        given !== undefined || ran > 0.8 * count,
        `seed ${seed}: only ${ran} say something`,
      );
    });

/** `npm run lockstep` runs more of these: ten million instructions by default. */
const raceLength = isFull ? 1_000_000 : 60_000;

for (const width of [64, 32] as const)
  for (const tier of ['resumable', 'fast'] as const)
    test(`${width}: long random programs end alike on the CPU and in the ${tier} form`, async ({
      oracles,
    }) => {
      const seed = given === undefined ? freshSeed() % 1_000_000_000 : Number(given);
      const oracle = oracles.find((each) => each.width === width);
      if (oracle === undefined) throw new TypeError('no oracle');

      const lockstep = new Lockstep(width, oracle, false, tier);
      const report = await lockstep.race(seed, raceLength);

      assert.equal(report.wrong, [], report.wrong.join('\n\n'));
      assert.ok(
        // Of sixteen programs two may, now and then.
        report.skipped <= Math.max(4, 0.1 * report.programs),
        `seed ${seed}: ${report.skipped} of ${report.programs} say nothing`,
      );
    });

test.run();

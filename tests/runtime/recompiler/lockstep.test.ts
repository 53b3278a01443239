/** Random programs end alike in the reference evaluator, in recompiled Wasm and on this machine's CPU. SEED=n repeats. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CpuOracle } from '../../support/cpu-oracle.ts';
import { Lockstep } from '../../support/lockstep.ts';
import { freshSeed } from '../../support/random.ts';

const test = suite('runtime/recompiler/lockstep');
const isFull = process.env['STUBDOM_TEST_TIER'] === 'full';
const given = process.env['SEED'];
const counts = { blocks: isFull ? 10_000 : 300, programs: isFull ? 10_000 : 300 } as const;

for (const width of [64, 32] as const)
  for (const kind of ['blocks', 'programs'] as const)
    test(`${width}: random ${kind} end alike evaluated, recompiled and on the CPU`, async () => {
      const seed = given === undefined ? freshSeed() : Number(given);
      const oracle = await CpuOracle.start(width);
      try {
        const lockstep = new Lockstep(width, oracle);

        const report = await lockstep.run(kind, seed, given === undefined ? counts[kind] : 1);

        assert.is(report.wrong.length, 0, report.wrong.join('\n\n'));
        assert.ok(report.programs > report.skipped, `seed ${seed}: most programs say nothing`);
      } finally {
        await oracle.close();
      }
    });

test.run();

/** Random programs whose every page lies somewhere else in the machine end as on this machine's CPU. SEED=n repeats. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CpuOracle } from '../../support/cpu-oracle.ts';
import { Lockstep } from '../../support/lockstep.ts';
import { freshSeed } from '../../support/random.ts';

const test = suite('runtime/recompiler/paged-lockstep');
const isFull = process.env['STUBDOM_TEST_TIER'] === 'full';
const given = process.env['SEED'];
const count = given !== undefined ? 1 : isFull ? 2_000 : 60;

for (const width of [64, 32] as const)
  for (const kind of ['blocks', 'programs'] as const)
    test(`${width}: random ${kind} end alike through page tables, evaluated and on the CPU`, async () => {
      const seed = given === undefined ? freshSeed() : Number(given);
      const oracle = await CpuOracle.start(width);
      try {
        const report = await new Lockstep(width, oracle, true).run(kind, seed, count);

        assert.equal(report.wrong, [], `seed ${seed}\n${report.wrong.join('\n\n')}`);
        assert.ok(given !== undefined || report.programs > 0.8 * count, `seed ${seed}`);
      } finally {
        await oracle.close();
      }
    });

test.run();

/** A guest that asks for hypercalls nearly at random: whatever becomes of it, nothing is thrown at the host, and it ends. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { boot } from '../../runtime/index.ts';
import { buildPvGuest } from '../support/pv-guest.ts';
import { freshSeed } from '../support/random.ts';

const pv = suite('guests/pv-fuzz');

/** At least so many; more until one has come to its end, since many a run crashes its guest. */
const runs = 2;
const mostRuns = 10;
const callsInRun = 1000;
/** Of its own accord (whatever code it has left for that), by a fault, or because it never got its console back. */
const ends: ReadonlySet<string> = new Set(['shutdown', 'fault', 'stopped']);

for (const width of [64, 32] as const) {
  const seeds = Array.from({ length: mostRuns }, () => freshSeed() >>> 1);

  pv(
    `${width}: hostile hypercalls end nobody but the guest (seeds ${seeds.join(' ')})`,
    async () => {
      const image = await buildPvGuest('../pv-fuzz', width);
      let finished = 0;
      for (const [run, seed] of seeds.entries()) {
        if (run >= runs && finished > 0) break;
        const commandLine = `${seed} ${callsInRun}`;
        const options = { name: 'fuzz', memory: 16 * 2 ** 20, budget: 2 ** 20 };

        const domain = await boot(image, { ...options, commandLine });
        const ending = await domain.exited;

        assert.ok(ends.has(ending.reason), `seed ${seed}: ${ending.reason}`);
        if (domain.console.text.includes('done')) finished++;
      }
      assert.ok(finished > 0, 'no run came to its end');
    },
  );
}

pv.run();

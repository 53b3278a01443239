import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { measurePvCalls, pvCallsText } from './pv-calls.ts';

const bench = suite('bench/pv-calls');

for (const width of [64, 32] as const)
  bench(`x86-${width}: calls and events are counted`, async () => {
    const speed = await measurePvCalls(width, { runs: 1, rounds: 2000 });

    assert.ok(speed.calls > 0 && speed.events > 0 && speed.programs > 0);
  });

bench('they are told in thousands', () => {
  assert.is(
    pvCallsText({ width: 64, calls: 151_600, events: 40_100, programs: 12_400 }),
    'x86-64: 152,000 hypercalls a second, 40,000 events sent and taken as upcalls, 12,000 requests of a program to its kernel',
  );
});

bench.run();

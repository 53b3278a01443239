/** struct thread against what gcc makes of the sysroot's headers (tests/golden/abi/minios-thread.json). */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { thread, threadSize } from '../../../../runtime/minios/abi/sched.ts';

const sched = suite('runtime/minios/abi/sched');

// The compiled tests lie one directory deeper than the recorded ones.
const recorded = JSON.parse(
  readFileSync(
    new URL('../../../../../tests/golden/abi/minios-thread.json', import.meta.url),
    'utf8',
  ),
) as Record<'64' | '32', Record<string, number>>;

for (const width of [64, 32] as const) {
  sched(`x86-${width}: every field lies where the C header has it`, () => {
    const { offsets, size } = thread.layout(width);
    const { reent, sizeof: whole, ...fields } = recorded[`${width}`];

    assert.equal({ ...offsets }, fields);
    assert.is(size, reent);
    assert.is(threadSize[width], whole);
  });
}

sched.run();

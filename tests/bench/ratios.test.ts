import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Program } from './programs.ts';
import { geometricMean, median, type Ratio, type Row, ratioOf } from './ratios.ts';
import type { Sample } from './variants.ts';

const ratios = suite('bench/ratios');

const sample = (nanoseconds: number, checksum = 'a'): Sample => ({
  checksum,
  first: 2 * nanoseconds,
  nanoseconds,
});

ratios('a median is the middle value, or lies between the middle two', () => {
  assert.is(median([9, 1, 2]), 2);
  assert.is(median([9, 1, 2, 4]), 3);
});

ratios('a run is compared with the native run of its own round', () => {
  const natives = [sample(100), sample(200), sample(400)];

  const ratio = ratioOf(natives, [sample(200), sample(600), sample(400)]);

  assert.equal(ratio, { ratio: 2, least: 1, most: 3 });
});

ratios('the first rounds are compared with the native first rounds', () => {
  const slow: Sample = { checksum: 'a', first: 800, nanoseconds: 100 };

  assert.equal(ratioOf([sample(100)], [slow], 'first'), { ratio: 4, least: 4, most: 4 });
  assert.equal(ratioOf([sample(100)], [slow]), { ratio: 1, least: 1, most: 1 });
});

ratios('another checksum than the native one is no ratio', () => {
  const ratio = ratioOf([sample(1), sample(1)], [sample(1), sample(1, 'b')]);

  assert.equal(ratio, { wrong: 'checksum b, natively a' });
});

ratios('a run that failed is no ratio', () => {
  assert.equal(ratioOf([sample(1)], [{ failure: 'status 3' }]), { failure: 'status 3' });
  assert.equal(ratioOf([{ failure: 'status 3' }], [sample(1)]), { failure: 'no native run' });
});

ratios('the geometric mean is of integer work, calls and memory, and of all of it', () => {
  const row = (kind: Program['kind'], stubdom: Ratio): Row => ({
    program: { name: kind, kind, sources: [], rounds: 1 },
    ...{ width: 64, nativeMilliseconds: 1, stubdom, first: stubdom, qemu: undefined },
  });
  const of = (ratio: number): Ratio => ({ ratio, least: ratio, most: ratio });
  const rows = [row('integer', of(2)), row('calls', of(8)), row('x87', of(100))];

  assert.ok(Math.abs((geometricMean(rows, 'stubdom') ?? 0) - 4) < 1e-9);
  assert.is(geometricMean([...rows, row('memory', { wrong: '' })], 'stubdom'), undefined);
  assert.is(geometricMean(rows, 'qemu'), undefined);
});

ratios.run();

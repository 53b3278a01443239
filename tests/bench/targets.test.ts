import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { integerSet, type Program, programs } from './programs.ts';
import type { Ratio, Row } from './ratios.ts';
import { targetLines } from './targets.ts';

const targets = suite('bench/targets');

const of = (ratio: number): Ratio => ({ ratio, least: ratio, most: ratio });

const row = (name: string, kind: Program['kind'], stubdom: Ratio, qemu?: Ratio): Row => ({
  program: { name, kind, sources: [], rounds: 1 },
  ...{ width: 32, nativeMilliseconds: 1, stubdom, first: stubdom, qemu },
});

targets('the integer set is eleven programs, two of which are calls', () => {
  const set = programs.filter(({ kind }) => integerSet.includes(kind));

  assert.is(set.length, 11);
  assert.equal(
    set.filter(({ kind }) => kind === 'calls').map(({ name }) => name),
    ['fib', 'pointers'],
  );
});

targets('a limit is met by what is not above it, and a least by what is not below it', () => {
  const rows = [
    row('a', 'integer', of(1.8), of(1.8 * 1.5)),
    row('b', 'calls', of(1.8), of(1.8 * 1.5)),
    row('c', 'floats', of(1)),
    row('d', 'floats', of(2.01)),
  ];

  const lines = targetLines(rows, 32).map((line) => line.replace(/^x86-32 +/, ''));

  assert.match(lines[0] ?? '', /^geometric mean .* 1\.80 {2}at most 1\.8: met$/);
  assert.match(lines[1] ?? '', / 1\.50 {2}at least 1\.7: missed$/);
  assert.match(lines[4] ?? '', /not measured$/);
  assert.match(lines[5] ?? '', / 2\.01 {2}at most 2\.0: missed$/);
});

targets('a program without a ratio leaves its target unmeasured', () => {
  const lines = targetLines([row('a', 'integer', { wrong: '' }), row('b', 'calls', of(1))], 32);

  assert.match(lines[0] ?? '', /not measured$/);
  assert.match(lines[2] ?? '', /not measured$/);
  assert.match(lines[3] ?? '', / 1\.00 {2}at most 2\.8: met$/);
});

targets.run();

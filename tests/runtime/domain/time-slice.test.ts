/** Polls, fitted to time. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { TimeSlice } from '../../../runtime/domain/time-slice.ts';

const slice = suite('runtime/domain/time-slice');

/** Slices of a guest that takes so long for a poll; how long the last ones took. */
function run(nanosecondsPerPoll: number, rounds = 40): number[] {
  let now = 0n;
  const time = new TimeSlice(now);
  return Array.from({ length: rounds }, () => {
    const polls = time.begin(now);
    const took = BigInt(Math.round(polls * nanosecondsPerPoll));
    now += took;
    time.spent(now);
    return Number(took) / 1e6;
  }).slice(-10);
}

slice('whatever a poll takes, those given at once come to take half a millisecond', () => {
  for (const each of [1, 50, 1000, 5000])
    for (const took of run(each)) assert.ok(Math.abs(took - 0.5) < 0.1, `${each}: ${took} ms`);
});

slice('polls are given again until the slice is over, also where the clock stands', () => {
  const time = new TimeSlice(0n);
  time.begin(0n);

  assert.ok(time.more(500_000n) > 0);
  assert.ok(time.more(1_900_000n) > 0);
  assert.is(time.more(2_000_000n), 0);

  time.begin(3_000_000n);
  let given = 0;
  while (time.more(3_000_000n) > 0) given++;
  assert.ok(given > 10 && given < 100, `${given}`);
});

slice('what goes into translating says nothing of what a poll takes', () => {
  const time = new TimeSlice(0n);
  const first = time.begin(0n);
  time.extend(100_000_000n);

  assert.ok(time.more(100_500_000n) >= first * 0.9);
});

slice('polls that are spent are counted once', () => {
  const time = new TimeSlice(0n);
  const first = time.begin(0n);
  assert.is(time.more(4_000_000n), 0);
  time.spent(4_000_001n);

  assert.is(time.begin(4_000_001n), first / 8);
});

slice('polls never run out of bounds', () => {
  assert.ok(run(0.000_01).every((took) => took < 10));
  assert.ok(run(1e9).every((took) => took === 64_000));
});

slice('a slice is over after its time, whatever it was spent on', () => {
  const time = new TimeSlice(0n);
  time.begin(1_000_000n);

  assert.not(time.isOver(2_900_000n));
  assert.ok(time.isOver(3_000_000n));
});

slice(
  'time that goes into code which is about to run makes a slice longer, but not for ever',
  () => {
    const time = new TimeSlice(0n);
    time.begin(0n);
    time.extend(100_000_000n);

    assert.not(time.isOver(150_000_000n));
    assert.ok(time.isOver(160_000_000n));
    time.begin(160_000_000n);
    assert.ok(time.isOver(162_000_000n), 'the next slice is as long as any');

    time.extend(100_000_000_000n);
    time.begin(0n);
    time.extend(100_000_000_000n);
    assert.ok(time.isOver(2_000_000n), 'there is an end to it');
  },
);

slice.run();

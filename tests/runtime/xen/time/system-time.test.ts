import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  SystemTime,
  timestampHertz,
  timestampScale,
} from '../../../../runtime/xen/time/system-time.ts';
import { FakeClock } from '../../../support/fake-clock.ts';

const test = suite('runtime/xen/time/system-time');

test('time begins after 0 and goes on with the clock', () => {
  const clock = new FakeClock();
  const time = new SystemTime(clock);
  const first = time.now();
  clock.now += 5_000n;

  assert.ok(first > 0n);
  assert.is(time.now() - first, 5_000n);
  assert.is(time.toMonotonic(time.now()), clock.now);
  assert.is(time.fromMonotonic(clock.now), time.now());
});

test('no two readings of the counter are the same', () => {
  const time = new SystemTime(new FakeClock());

  const readings = Array.from({ length: 10 }, () => time.timestamp());

  assert.is(new Set(readings).size, 10);
});

test('the scale makes nanoseconds of a second of ticks', () => {
  const shifted = timestampHertz << BigInt(timestampScale.tsc_shift);

  assert.is((shifted * BigInt(timestampScale.tsc_to_system_mul)) >> 32n, 1_000_000_000n);
});

test('the wall clock is that of the host', () => {
  const clock = new FakeClock();
  const time = new SystemTime(clock);
  clock.now += 77n;

  assert.is(time.wallClockStart() + time.now(), clock.realtime());
});

test.run();

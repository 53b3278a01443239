/**
 * The machine's time as Xen gives it to guests: system time, nanoseconds that never go back; the time-stamp counter, which
 * counts them; and the wall clock, as seconds and nanoseconds at system time 0 (xen.h: vcpu_time_info, shared_info).
 */
import type { Clock } from '../../domain/clock.ts';

/** No guest starts at time 0, which stands for "no time" in many places. */
const firstInstant = 1_000_000_000n;

/** The counter's ticks a second, and the scale that makes nanoseconds of them: (ticks << 1) * 2^31 >> 32. */
export const timestampHertz = 1_000_000_000n;
export const timestampScale = { tsc_to_system_mul: 0x8000_0000, tsc_shift: 1 } as const;

export class SystemTime {
  readonly #clock: Clock;
  readonly #start: bigint;
  #last = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#start = clock.monotonic() - firstInstant;
  }

  now(): bigint {
    return this.#clock.monotonic() - this.#start;
  }

  /** Of the host's monotonic clock, for whoever waits. */
  toMonotonic(time: bigint): bigint {
    return time + this.#start;
  }

  fromMonotonic(time: bigint): bigint {
    return time - this.#start;
  }

  /** What RDTSC reads; no two readings are the same. */
  timestamp(): bigint {
    const now = this.now();
    this.#last = now > this.#last ? now : this.#last + 1n;
    return this.#last;
  }

  /** Nanoseconds since 1970 at system time 0. */
  wallClockStart(): bigint {
    return this.#clock.realtime() - this.now();
  }
}

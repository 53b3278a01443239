/** The three clocks of an application (MINIOS_CLOCK of mini-os/posix.h). */
import type { Clock } from '../../domain/clock.ts';
import { MINIOS_CLOCK } from '../abi/posix.ts';
import { failure } from '../errno.ts';

export class KernelClocks {
  readonly #clock: Clock;
  readonly #began: bigint;
  #running = 0n;
  /** By how much the domain has set its time. */
  #ahead = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  /** Since the domain began; never 0, which a wakeup_time keeps for "none". */
  monotonic(): bigint {
    return this.#clock.monotonic() - this.#began + 1n;
  }

  realtime(): bigint {
    return this.#clock.realtime() + this.#ahead;
  }

  /** Of this domain alone. */
  setRealtime(time: bigint): void {
    this.#ahead = time - this.#clock.realtime();
  }

  /** The time of the machine's clock at which that of the domain will be `time`. */
  toMachine(time: bigint): bigint {
    return time + this.#began - 1n;
  }

  ran(nanoseconds: bigint): void {
    this.#running += nanoseconds;
  }

  read(clock: number): bigint {
    if (clock === MINIOS_CLOCK.REALTIME) return this.realtime();
    if (clock === MINIOS_CLOCK.MONOTONIC) return this.monotonic();
    if (clock === MINIOS_CLOCK.RUNNING) return this.#running;
    throw failure('EINVAL', `clock ${clock}`);
  }
}

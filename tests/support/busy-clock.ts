/** The system's clock on a host that is too busy for its timers at times: those that are due then come late. */
import { type Clock, systemClock } from '../../runtime/domain/clock.ts';

export class BusyClock implements Clock {
  readonly #system = systemClock();
  readonly #late = new Set<() => void>();
  #isBusy = false;

  /** Until `letTimersGo` none comes. */
  holdTimers(): void {
    this.#isBusy = true;
  }

  letTimersGo(): void {
    this.#isBusy = false;
    const late = [...this.#late];
    this.#late.clear();
    for (const call of late) call();
  }

  monotonic(): bigint {
    return this.#system.monotonic();
  }

  realtime(): bigint {
    return this.#system.realtime();
  }

  after(nanoseconds: bigint, call: () => void): () => void {
    // Of its own, so that the same function may be called by two timers.
    const due = (): void => call();
    const forget = this.#system.after(nanoseconds, () => {
      if (this.#isBusy) this.#late.add(due);
      else due();
    });
    return () => {
      forget();
      this.#late.delete(due);
    };
  }

  turn(): Promise<void> {
    return this.#system.turn();
  }
}

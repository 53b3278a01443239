/** Time that only passes when somebody waits for it, or says so. */
import type { Clock } from '../../runtime/domain/clock.ts';

interface Timer {
  readonly at: bigint;
  readonly call: () => void;
}

export class FakeClock implements Clock {
  now = 1_000_000_000n;
  turns = 0;
  #timers: Timer[] = [];

  monotonic(): bigint {
    return this.now;
  }

  realtime(): bigint {
    return this.now + 1_600_000_000_000_000_000n;
  }

  after(nanoseconds: bigint, call: () => void): () => void {
    const timer = { at: this.now + nanoseconds, call };
    this.#timers.push(timer);
    queueMicrotask(() => this.#fire(timer));
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  turn(): Promise<void> {
    this.turns++;
    return Promise.resolve();
  }

  /** Nobody else runs meanwhile, so the time comes at once. */
  #fire(timer: Timer): void {
    if (!this.#timers.includes(timer)) return;
    this.#timers = this.#timers.filter((other) => other !== timer);
    if (timer.at > this.now) this.now = timer.at;
    timer.call();
  }
}

/**
 * Serving one front-end's ring: as long as there is something to do, with turns for the host's event loop, never from within itself, and
 * no more once the guest has counted there what cannot be.
 */
import type { Clock } from '../domain/clock.ts';
import { XenError } from '../errors.ts';

/** How long a front-end is served before the host's event loop has a turn, in nanoseconds. */
const mostAtOnce = 2_000_000n;

export interface ServiceParts {
  readonly clock: Clock;
  /** Does the next thing that there is to do; false where there is none. An XenError breaks the service. */
  step(): boolean;
  /** Hands over what the steps have answered. */
  finish(): void;
  /** The guest's rings are not looked at any more. */
  onBroken(reason: string): void;
}

export class Service {
  readonly #parts: ServiceParts;
  #state: 'open' | 'broken' | 'closed' = 'open';
  #isServing = false;
  #isPaused = false;
  #willFinish = false;

  constructor(parts: ServiceParts) {
    this.#parts = parts;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** What steps bring about must not begin them anew. */
  get isServing(): boolean {
    return this.#isServing;
  }

  serve(): void {
    if (this.#isServing || this.#isPaused) return;
    this.#isServing = true;
    try {
      this.guarded(() => this.#stepAll());
    } finally {
      this.#isServing = false;
    }
    this.guarded(() => this.#parts.finish());
  }

  /** No more steps until `done`; then they go on. */
  pause(done: Promise<void>): void {
    this.#isPaused = true;
    void done.then(() => {
      this.#isPaused = false;
      this.serve();
    });
  }

  /** Something is answered that a step left open: handed over together with what else is answered in this moment. */
  finishSoon(): void {
    if (this.#willFinish) return;
    this.#willFinish = true;
    queueMicrotask(() => {
      this.#willFinish = false;
      this.guarded(() => this.#parts.finish());
      this.serve();
    });
  }

  /** Only while it is open. What is the guest's fault ends its device, nothing else. */
  guarded(work: () => void): void {
    if (this.#state !== 'open') return;
    try {
      work();
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      this.#state = 'broken';
      this.#parts.onBroken(error.message);
    }
  }

  close(): void {
    this.#state = 'closed';
  }

  #stepAll(): void {
    const { clock } = this.#parts;
    const until = clock.monotonic() + mostAtOnce;
    while (this.isOpen && !this.#isPaused && this.#parts.step())
      if (clock.monotonic() >= until) this.pause(clock.turn());
  }
}

/** How long a guest may run before the host's event loop has a turn: polls, fitted to the time that they take. */

/** Of the 4 ms at most between two turns; the rest is for what one poll may be late. */
const sliceNanoseconds = 2_000_000;
const fewestPolls = 64;
const mostPolls = 1 << 28;

export class TimeSlice {
  #polls = 4096;
  #began: bigint;

  constructor(now: bigint) {
    this.#began = now;
  }

  /** Polls to give a guest for a slice that begins now. */
  begin(now: bigint): number {
    this.#began = now;
    return this.#polls;
  }

  isOver(now: bigint): boolean {
    return Number(now - this.#began) >= sliceNanoseconds;
  }

  /** All polls of the slice were spent: the next gets as many as would have filled it. */
  spent(now: bigint): void {
    const took = Math.max(Number(now - this.#began), 1);
    const factor = Math.min(Math.max(sliceNanoseconds / took, 1 / 8), 8);
    this.#polls = Math.min(Math.max(Math.round(this.#polls * factor), fewestPolls), mostPolls);
  }
}

/** How long a guest may run before the host's event loop has a turn: polls, fitted to the time that they take. */

/** Of the 4 ms at most between two turns; the rest is for what one poll may be late. */
const sliceNanoseconds = 2_000_000;
/**
 * To end a slice in the midst of a cold start unwinds the frames of calls, which then have to be made enterable: so the time
 * that goes into code which is about to run extends it, up to this for all slices together.
 */
const mostExtension = 10_000_000_000;
/** V8 compiles code when it is first run, which takes half as long again. */
const firstRun = 1.5;
/** For what is not known to be translating, in all. */
const mostOvertime = 1_000_000_000;
const fewestPolls = 64;
const mostPolls = 1 << 28;

export class TimeSlice {
  #polls = 4096;
  #began: bigint;
  #extension = 0;
  #extensionLeft = mostExtension;
  #overtimeLeft = mostOvertime;

  constructor(now: bigint) {
    this.#began = now;
  }

  /** Polls to give a guest for a slice that begins now. */
  begin(now: bigint): number {
    this.#began = now;
    this.#extension = 0;
    return this.#polls;
  }

  isOver(now: bigint): boolean {
    return Number(now - this.#began) >= sliceNanoseconds + this.#extension;
  }

  /**
   * Whether a slice that is over now has to end while frames of the guest stand. At a start not yet: code that runs for the
   * first time is compiled by V8 first.
   */
  mustUnwind(now: bigint): boolean {
    if (!this.isOver(now)) return false;
    const wanted = Number(now - this.#began) - this.#extension;
    if (wanted > this.#overtimeLeft) return true;
    this.#overtimeLeft -= wanted;
    this.#extension += wanted;
    return false;
  }

  /** Time that went into code which the guest is about to run first; it makes the slice longer. */
  extend(nanoseconds: bigint): void {
    const wanted = Number(nanoseconds) * firstRun + 2 * sliceNanoseconds;
    const granted = Math.min(wanted, this.#extensionLeft);
    this.#extensionLeft -= granted;
    this.#extension += granted;
  }

  /** All polls of the slice were spent: the next gets as many as would have filled it. */
  spent(now: bigint): void {
    const took = Math.max(Number(now - this.#began), 1);
    const factor = Math.min(Math.max(sliceNanoseconds / took, 1 / 8), 8);
    this.#polls = Math.min(Math.max(Math.round(this.#polls * factor), fewestPolls), mostPolls);
  }
}

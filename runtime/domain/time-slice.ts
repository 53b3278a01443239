/** How long a guest may run before the host's event loop has a turn: polls, fitted to the time that they take. */

/** Of the 4 ms at most between two turns; the rest is for what one poll may be late. */
const sliceNanoseconds = 2_000_000;
/** What polls are fitted to: to look at the clock is cheap, to end a slice too early is not. */
const portionNanoseconds = sliceNanoseconds / 4;
/** Of a slice, should the clock stand. */
const mostPortions = 64;
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
  /** When polls were given last, and how often since the slice began; what went into translating since. */
  #given: bigint;
  #portions = 0;
  #translated = 0;
  #isSpent = false;
  /** Of this slice: for what was translated, and for what is not known to be. */
  #extension = 0;
  #overtime = 0;
  #extensionLeft = mostExtension;
  #overtimeLeft = mostOvertime;

  constructor(now: bigint) {
    this.#began = now;
    this.#given = now;
  }

  /** Polls to give a guest for a slice that begins now. */
  begin(now: bigint): number {
    this.#began = now;
    this.#extension = 0;
    this.#overtime = 0;
    this.#portions = 0;
    return this.#give(now);
  }

  /** Polls to give when those that were given are spent; 0 where the slice is over, overtime aside: what spends polls computes. */
  more(now: bigint): number {
    this.spent(now);
    const isOver = this.#overdue(now) + this.#overtime >= 0;
    return isOver || ++this.#portions === mostPortions ? 0 : this.#give(now);
  }

  #give(now: bigint): number {
    this.#given = now;
    this.#translated = 0;
    this.#isSpent = false;
    return this.#polls;
  }

  isOver(now: bigint): boolean {
    return this.#overdue(now) >= 0;
  }

  #overdue(now: bigint): number {
    return Number(now - this.#began) - sliceNanoseconds - this.#extension - this.#overtime;
  }

  /**
   * Whether a slice that is over now has to end while frames of the guest stand. At a start not yet: code that runs for the
   * first time is compiled by V8 first.
   */
  mustUnwind(now: bigint): boolean {
    if (!this.isOver(now)) return false;
    const wanted = this.#overdue(now) + sliceNanoseconds;
    if (wanted > this.#overtimeLeft) return true;
    this.#overtimeLeft -= wanted;
    this.#overtime += wanted;
    return false;
  }

  /** Time that went into code which the guest is about to run first; it makes the slice longer. */
  extend(nanoseconds: bigint): void {
    this.#translated += Number(nanoseconds);
    const wanted = Number(nanoseconds) * firstRun + 2 * sliceNanoseconds;
    const granted = Math.min(wanted, this.#extensionLeft);
    this.#extensionLeft -= granted;
    this.#extension += granted;
  }

  /** All polls were spent: the next time there are as many as would have taken a part of the slice. */
  spent(now: bigint): void {
    if (this.#isSpent) return;
    this.#isSpent = true;
    const took = Math.max(Number(now - this.#given) - this.#translated, 1);
    const factor = Math.min(Math.max(portionNanoseconds / took, 1 / 8), 8);
    this.#polls = Math.min(Math.max(Math.round(this.#polls * factor), fewestPolls), mostPolls);
  }
}

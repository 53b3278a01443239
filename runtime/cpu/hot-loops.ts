/** Where polls are spent in the resumable form: a place that comes up again and again is the head of a loop that never ends. */

/** Polls that end at a place before it is hot. */
const hotPolls = 3;
/** Places that are counted. */
const mostPolled = 1000;

export class HotLoops {
  readonly #polled = new Map<bigint, number>();
  #hot: bigint | undefined;
  /** What has been taken. */
  readonly #rooted = new Set<bigint>();

  /** Polls ended at a place. */
  note(address: bigint): void {
    if (this.#rooted.has(address)) return;
    if (this.#polled.size >= mostPolled) this.#polled.clear();
    const count = (this.#polled.get(address) ?? 0) + 1;
    this.#polled.set(address, count);
    if (count >= hotPolls) this.#hot = address;
  }

  /** Whether there is something to take. */
  get isHot(): boolean {
    return this.#hot !== undefined;
  }

  /** A place that is hot, once. */
  take(): bigint | undefined {
    const address = this.#hot;
    if (address === undefined) return undefined;
    this.#hot = undefined;
    this.#polled.clear();
    this.#rooted.add(address);
    return address;
  }
}

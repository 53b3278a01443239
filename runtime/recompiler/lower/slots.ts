/** Places of the function table: a module's functions lie one after another, and give their places back together. */

interface Gap {
  readonly start: number;
  readonly length: number;
}

export class Slots {
  readonly #size: number;
  /** In order, none beside another. */
  #gaps: readonly Gap[];

  constructor(size: number) {
    this.#size = size;
    this.#gaps = [{ start: 0, length: size }];
  }

  /** The first of some places in a row. */
  take(count: number): number {
    const gap = this.#gaps.find(({ length }) => length >= count);
    if (gap === undefined)
      throw new RangeError(`the function table is full (${this.#size} functions)`);
    const rest = { start: gap.start + count, length: gap.length - count };
    this.#gaps = this.#gaps.flatMap((each) =>
      each !== gap ? [each] : rest.length > 0 ? [rest] : [],
    );
    return gap.start;
  }

  give(start: number, count: number): void {
    if (count === 0) return;
    const gaps = [...this.#gaps, { start, length: count }].sort((a, b) => a.start - b.start);
    this.#gaps = gaps.reduce<Gap[]>((joined, gap) => {
      const last = joined.at(-1);
      if (last !== undefined && last.start + last.length === gap.start)
        joined[joined.length - 1] = { start: last.start, length: last.length + gap.length };
      else joined.push(gap);
      return joined;
    }, []);
  }
}

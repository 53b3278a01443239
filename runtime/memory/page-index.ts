/** Which things touch which addresses: a few thousand stretches of bytes, found by the pages that they lie in. */

/** Addresses from `from` up to, and without, `to`. */
export interface Stretch {
  readonly from: bigint;
  readonly to: bigint;
}

const pageBits = 12n;

export class PageIndex<Thing> {
  readonly #pages = new Map<bigint, Map<Thing, Stretch[]>>();

  add(thing: Thing, stretches: readonly Stretch[]): void {
    for (const stretch of stretches) {
      for (const page of pagesOf(stretch)) {
        const things = this.#pages.get(page) ?? new Map<Thing, Stretch[]>();
        this.#pages.set(page, things);
        const known = things.get(thing);
        if (known === undefined) things.set(thing, [stretch]);
        else known.push(stretch);
      }
    }
  }

  /** Forgets a thing that was added with these stretches. */
  remove(thing: Thing, stretches: readonly Stretch[]): void {
    for (const page of stretches.flatMap((stretch) => [...pagesOf(stretch)])) {
      const things = this.#pages.get(page);
      things?.delete(thing);
      if (things?.size === 0) this.#pages.delete(page);
    }
  }

  /** What touches any byte of a stretch. */
  touching(wanted: Stretch): Set<Thing> {
    const found = new Set<Thing>();
    for (const page of pagesOf(wanted))
      for (const [thing, stretches] of this.#pages.get(page) ?? [])
        if (stretches.some(({ from, to }) => from < wanted.to && to > wanted.from))
          found.add(thing);
    return found;
  }
}

/** Numbers of the pages that a stretch touches. */
export function* pagesOf({ from, to }: Stretch): Generator<bigint> {
  for (let page = from >> pageBits; page << pageBits < to; page++) yield page;
}

/**
 * Which bytes of the machine's memory translated code was made from: a bit each, of the pages that have some. A bit that is
 * set may be old; one that is clear is never wrong. Stores beside code look at a copy in the machine's memory.
 */

const pageSize = 4096;
/** Bytes that the bits of a page take. */
export const codeBitsBytes = pageSize / 8;

interface CodePage {
  /** Stretches that functions hold here. */
  held: number;
  readonly bits: Uint8Array;
  /** Host offset of the copy, where somebody has asked for one. */
  copy: number | undefined;
}

/** Where copies of bits are put. */
export interface BitsStore {
  bytes(): Uint8Array;
  /** Undefined where there is no room. */
  tryAllocate(bytes: number): number | undefined;
}

export class CodeBytes {
  readonly #store: BitsStore;
  readonly #pages = new Map<number, CodePage>();
  /** Copies that nobody uses. */
  readonly #spare: number[] = [];

  constructor(store: BitsStore) {
    this.#store = store;
  }

  /** Host offsets of pages that hold code. */
  get pages(): Iterable<number> {
    return this.#pages.keys();
  }

  get isEmpty(): boolean {
    return this.#pages.size === 0;
  }

  has(page: number): boolean {
    return this.#pages.has(page);
  }

  /** A function was made from bytes of one page; whether it is the first one of the page. */
  hold(from: number, to: number): boolean {
    const at = pageOf(from);
    const found = this.#pages.get(at);
    const page = found ?? { held: 0, bits: new Uint8Array(codeBitsBytes), copy: undefined };
    if (found === undefined) this.#pages.set(at, page);
    page.held++;
    this.#mark(page, from - at, to - at, true);
    return found === undefined;
  }

  /** The function is no more; whether it was the last one of the page. */
  release(from: number): boolean {
    const at = pageOf(from);
    const page = this.#pages.get(at);
    if (page === undefined || --page.held > 0) return false;
    if (page.copy !== undefined) this.#spare.push(page.copy);
    this.#pages.delete(at);
    return true;
  }

  /** Whether a function may have been made from any of these bytes. */
  touches(host: number, bytes: number): boolean {
    for (let at = pageOf(host); at < host + bytes; at += pageSize) {
      const page = this.#pages.get(at);
      if (page === undefined) continue;
      const end = Math.min(host + bytes - at, pageSize);
      for (let bit = Math.max(host - at, 0); bit < end; bit++)
        if (((page.bits[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0) return true;
    }
    return false;
  }

  /** All functions made from these bytes are forgotten. */
  forgotten(host: number, bytes: number): void {
    for (let at = pageOf(host); at < host + bytes; at += pageSize) {
      const page = this.#pages.get(at);
      if (page === undefined) continue;
      this.#mark(page, Math.max(host - at, 0), Math.min(host + bytes - at, pageSize), false);
    }
  }

  /** Host offset of a page's bits, good as long as the page holds code; undefined where there is none, or no room. */
  bitsOf(page: number): number | undefined {
    const found = this.#pages.get(page);
    if (found === undefined) return undefined;
    found.copy ??= this.#spare.pop() ?? this.#allocate();
    if (found.copy !== undefined) this.#store.bytes().set(found.bits, found.copy);
    return found.copy;
  }

  /** A frame has those of several pages. */
  #allocate(): number | undefined {
    const frame = this.#store.tryAllocate(pageSize);
    if (frame === undefined) return undefined;
    for (let at = codeBitsBytes; at < pageSize; at += codeBitsBytes) this.#spare.push(frame + at);
    return frame;
  }

  #mark({ bits, copy }: CodePage, from: number, to: number, value: boolean): void {
    for (let bit = from; bit < to; bit++) {
      const mask = 1 << (bit & 7);
      const byte = bits[bit >> 3] ?? 0;
      bits[bit >> 3] = value ? byte | mask : byte & ~mask;
    }
    if (copy !== undefined) this.#store.bytes().set(bits, copy);
  }
}

const pageOf = (host: number): number => host - (host % pageSize);

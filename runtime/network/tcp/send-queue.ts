/** Bytes on their way to a TCP peer, kept until it has acknowledged them. */

export class SendQueue {
  #chunks: Uint8Array[] = [];
  /** Of the first chunk, what is acknowledged. */
  #skipped = 0;
  #length = 0;

  /** Bytes that are not acknowledged yet. */
  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  /** Forgets bytes at the front. */
  drop(count: number): void {
    this.#length -= count;
    this.#skipped += count;
    let first = this.#chunks[0];
    let gone = 0;
    while (first !== undefined && this.#skipped >= first.length) {
      this.#skipped -= first.length;
      first = this.#chunks[++gone];
    }
    if (gone > 0) this.#chunks = this.#chunks.slice(gone);
  }

  /** A copy of that part, as far as there is one. */
  copy(offset: number, count: number): Uint8Array {
    const bytes = new Uint8Array(Math.max(0, Math.min(count, this.#length - offset)));
    let skip = offset + this.#skipped;
    let done = 0;
    for (const chunk of this.#chunks) {
      if (done === bytes.length) break;
      if (skip >= chunk.length) {
        skip -= chunk.length;
        continue;
      }
      const part = chunk.subarray(skip, skip + bytes.length - done);
      bytes.set(part, done);
      done += part.length;
      skip = 0;
    }
    return bytes;
  }
}

/** Bytes that wait to be read, in the pieces that they came in. */

export class ByteQueue {
  #pieces: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pieces.push(bytes);
    this.#length += bytes.length;
  }

  /** At most `count`; never more than one piece. */
  take(count: number): Uint8Array {
    const first = this.#pieces[0];
    if (first === undefined || count <= 0) return new Uint8Array();
    const taken = first.subarray(0, count);
    if (taken.length === first.length) this.#pieces.shift();
    else this.#pieces[0] = first.subarray(count);
    this.#length -= taken.length;
    return taken;
  }
}

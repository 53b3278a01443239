/** Bytes that grow, with LEB128 numbers (WebAssembly core specification, 5.2.2). */

const encoder = new TextEncoder();

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(size = 1024) {
    this.#bytes = new Uint8Array(size);
  }

  get length(): number {
    return this.#length;
  }

  finished(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  byte(value: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
  }

  /** Writes over a byte written before. */
  patch(at: number, value: number): void {
    this.#bytes[at] = value;
  }

  bytes(values: ArrayLike<number>): void {
    this.#grow(values.length);
    if (values.length < 32) {
      for (let i = 0; i < values.length; i++) this.#bytes[this.#length++] = values[i] ?? 0;
      return;
    }
    this.#bytes.set(values, this.#length);
    this.#length += values.length;
  }

  /** Unsigned, up to 32 bits. */
  unsigned(value: number): void {
    if (value >= 0 && value < 0x80) {
      this.byte(value);
      return;
    }
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  signed32(value: number): void {
    if (value >= -0x40 && value < 0x40) {
      this.byte(value & 0x7f);
      return;
    }
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      const isLast = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
      this.byte(isLast ? low : low | 0x80);
      if (isLast) return;
    }
  }

  signed64(value: bigint): void {
    if (BigInt.asIntN(32, value) === value) {
      this.signed32(Number(value));
      return;
    }
    let rest = value;
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      const isLast = (rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0);
      this.byte(isLast ? low : low | 0x80);
      if (isLast) return;
    }
  }

  text(value: string): void {
    const encoded = encoder.encode(value);
    this.unsigned(encoded.length);
    this.bytes(encoded);
  }

  /** A part with its length in front: a section, a function's body. */
  sized(part: Uint8Array): void {
    this.unsigned(part.length);
    this.bytes(part);
  }

  #grow(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** A file in memory whose writes are lost when the host crashes, or some of them, in any order, but for those that a flush has reached. */
import type { ImageFile } from '../../runtime/backends/block/qcow2/image-file.ts';
import type { Random } from './random.ts';

interface Write {
  readonly position: number;
  readonly bytes: Uint8Array;
}

const room = 1 * 2 ** 20;

export class VolatileImageFile implements ImageFile {
  readonly name = 'image.qcow2';
  readonly #now = new Uint8Array(room);
  readonly #stable = new Uint8Array(room);
  #pending: Write[] = [];
  #size: number;

  constructor(bytes: Uint8Array) {
    this.#now.set(bytes);
    this.#stable.set(bytes);
    this.#size = bytes.length;
  }

  get size(): number {
    return this.#size;
  }

  read(position: number, buffers: readonly Uint8Array[]): void {
    let at = position;
    for (const buffer of buffers) {
      buffer.set(this.#now.subarray(at, at + buffer.length));
      at += buffer.length;
    }
  }

  write(position: number, buffers: readonly Uint8Array[]): void {
    let at = position;
    for (const buffer of buffers) {
      if (at + buffer.length > room) throw new RangeError(`a write to ${at}`);
      this.#now.set(buffer, at);
      this.#pending.push({ position: at, bytes: buffer.slice() });
      at += buffer.length;
    }
    this.#size = Math.max(this.#size, at);
  }

  async flush(): Promise<void> {
    const written = this.#pending.length;
    for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve));
    for (const { position, bytes } of this.#pending.splice(0, written))
      this.#stable.set(bytes, position);
  }

  /** What a crash leaves. */
  crashed(r: Random): Uint8Array {
    const left = this.#stable.slice();
    const [of, end] = [1 + r.below(4), this.#size];
    for (const { position, bytes } of this.#pending) if (r.below(of) > 0) left.set(bytes, position);
    return left.slice(0, end);
  }

  async close(): Promise<void> {}
}

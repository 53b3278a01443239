/** The bytes of 9P messages (9P2000.L): little-endian numbers, texts behind their lengths in two bytes. */
import { XenError } from '../../errors.ts';

/** size[4] type[1] tag[2] */
export const headerLength = 7;
/** What Rread and Rreaddir have around their data. */
export const dataOverhead = headerLength + 4;

export interface Qid {
  readonly type: number;
  readonly version: number;
  readonly path: bigint;
}

export const QID = { DIRECTORY: 0x80, LINK: 0x02, FILE: 0x00 } as const;

/** Takes a message apart; EINVAL where it ends too early. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = headerLength;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A char a byte, as folders have their names. */
  text(): string {
    return String.fromCharCode(...this.bytes(this.u16()));
  }

  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new XenError('EINVAL', 'a message ends too early');
    this.#at += count;
    return at;
  }
}

export class MessageWriter {
  #bytes = new Uint8Array(256);
  #length: number = headerLength;

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    return this.#put(1, (view, at) => view.setUint8(at, value));
  }

  u16(value: number): this {
    return this.#put(2, (view, at) => view.setUint16(at, value, true));
  }

  u32(value: number): this {
    return this.#put(4, (view, at) => view.setUint32(at, value, true));
  }

  u64(value: bigint): this {
    return this.#put(8, (view, at) => view.setBigUint64(at, BigInt.asUintN(64, value), true));
  }

  text(value: string): this {
    return this.u16(value.length).bytes(Uint8Array.from(value, (char) => char.charCodeAt(0)));
  }

  qid({ type, version, path }: Qid): this {
    return this.u8(type).u32(version).u64(path);
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** Room for that many bytes at the end, to be filled in; what is not needed is given back by `cut`. */
  room(count: number): Uint8Array {
    const at = this.#grow(count);
    return this.#bytes.subarray(at, at + count);
  }

  cut(count: number): this {
    this.#length -= count;
    return this;
  }

  /** The whole message; nothing is to be written afterwards. */
  finish(type: number, tag: number): Uint8Array {
    const message = this.#bytes.subarray(0, this.#length);
    const view = new DataView(message.buffer);
    view.setUint32(0, message.length, true);
    view.setUint8(4, type);
    view.setUint16(5, tag, true);
    return message;
  }

  #put(count: number, write: (view: DataView, at: number) => void): this {
    const at = this.#grow(count);
    write(new DataView(this.#bytes.buffer), at);
    return this;
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return at;
  }
}

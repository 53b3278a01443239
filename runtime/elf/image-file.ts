/**
 * An image file's bytes, little-endian. A guest's file is hostile: nothing reads it but through a part, which lies
 * inside the file or is refused by name.
 */
import { UserError } from '../errors.ts';

export type Width = 64 | 32;

/** What a person may see of a count or an offset that came from the file. */
export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

/** A stranger's text as one line that a terminal may show. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]/gu, (each) => `\\u{${each.codePointAt(0)?.toString(16)}}`);

export class ImageFile {
  readonly name: string;
  readonly bytes: Uint8Array;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
  }

  get size(): number {
    return this.bytes.byteLength;
  }

  fail(message: string): never {
    throw new UserError(printable(`${this.name}: ${message}`));
  }

  /** `size` bytes at `offset`, which the message calls `what`. */
  part(what: string, offset: number | bigint, size: number | bigint): DataView {
    const start = BigInt(offset);
    if (start + BigInt(size) > BigInt(this.size)) {
      const extent = size === 0 ? '' : ` and is ${hex(size)} bytes long`;
      this.fail(
        `truncated: ${what} lies at ${hex(start)}${extent}, beyond the end of the file (${hex(this.size)} bytes)`,
      );
    }
    const { buffer, byteOffset } = this.bytes;
    return new DataView(buffer, byteOffset + Number(start), Number(size));
  }
}

/** An address, an offset or a size, as wide as the image's class makes it. */
export function word(view: DataView, offset: number, width: Width): bigint {
  return width === 64 ? view.getBigUint64(offset, true) : BigInt(view.getUint32(offset, true));
}

export const viewBytes = (view: DataView): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

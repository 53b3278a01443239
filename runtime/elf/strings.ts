/** String tables (System V ABI, chapter 4): names that end with a NUL, read only as far as a name may be long. */
import { hex, type ImageFile, viewBytes } from './image-file.ts';

export interface StringTable {
  readonly size: number;
  /** The whole string; one that is too long to be a name is refused. */
  name(offset: number | bigint): string;
  /** As much of the string as a person will read. */
  label(offset: number): string;
  /** Whether that string, up to its NUL, is `text`. */
  is(offset: number, text: string): boolean;
}

/** Longer than any name that libminios.so exports; it bounds what a hostile table can make us allocate. */
const LONGEST_NAME = 255;

export function stringTable(file: ImageFile, view: DataView, what: string): StringTable {
  const bytes = viewBytes(view);
  const decoder = new TextDecoder();

  const endOf = (offset: number): number => {
    const end = bytes.subarray(offset, offset + LONGEST_NAME + 1).indexOf(0);
    return end === -1 ? -1 : offset + end;
  };

  const name = (offset: number | bigint): string => {
    const start = Number(offset);
    if (start >= bytes.byteLength)
      file.fail(
        `truncated: ${what} has ${hex(bytes.byteLength)} bytes, a name lies at ${hex(offset)}`,
      );
    const end = endOf(start);
    if (end === -1)
      file.fail(`${what}: the name at ${hex(start)} does not end within ${LONGEST_NAME} bytes`);
    return decoder.decode(bytes.subarray(start, end));
  };

  return {
    size: bytes.byteLength,
    name,
    label(offset) {
      const end = endOf(offset);
      if (end !== -1) return decoder.decode(bytes.subarray(offset, end));
      return `${decoder.decode(bytes.subarray(offset, offset + LONGEST_NAME))}…`;
    },
    is(offset, text) {
      const end = endOf(offset);
      return end !== -1 && decoder.decode(bytes.subarray(offset, end)) === text;
    },
  };
}

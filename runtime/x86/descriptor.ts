/** Selectors and segment descriptors (SDM vol. 3, 3.4.2 and 3.4.5; system types: table 3-2). */

/** A descriptor's 8 bytes as its table holds them. */
export interface Descriptor {
  readonly base: bigint;
  /** In bytes: the granularity is applied. */
  readonly limit: bigint;
  /** Four bits; of code and data: accessed, writable or readable, conforming or expand-down, code. */
  readonly type: number;
  /** Code or data; else a gate, TSS or LDT. */
  readonly isMemory: boolean;
  readonly privilege: number;
  readonly present: boolean;
  /** 64-bit code. */
  readonly long: boolean;
  /** 32-bit code or stack; else 16 bits. */
  readonly big: boolean;
  /** The upper four bytes, as LAR shows parts of them. */
  readonly high: number;
}

const bits = (word: bigint, from: number, count: number): bigint =>
  (word >> BigInt(from)) & ((1n << BigInt(count)) - 1n);
const bit = (word: bigint, index: number): boolean => bits(word, index, 1) === 1n;

export function decodeDescriptor(word: bigint): Descriptor {
  const raw = bits(word, 0, 16) | (bits(word, 48, 4) << 16n);
  return {
    base: bits(word, 16, 24) | (bits(word, 56, 8) << 24n),
    limit: bit(word, 55) ? (raw << 12n) | 0xfffn : raw,
    type: Number(bits(word, 40, 4)),
    isMemory: bit(word, 44),
    privilege: Number(bits(word, 45, 2)),
    present: bit(word, 47),
    long: bit(word, 53),
    big: bit(word, 54),
    high: Number(bits(word, 32, 32)),
  };
}

export const isCode = ({ isMemory, type }: Descriptor): boolean => isMemory && (type & 8) !== 0;
const isData = ({ isMemory, type }: Descriptor): boolean => isMemory && (type & 8) === 0;
export const isConforming = (d: Descriptor): boolean => isCode(d) && (d.type & 4) !== 0;
export const isReadable = (d: Descriptor): boolean =>
  isData(d) || (isCode(d) && (d.type & 2) !== 0);
export const isWritable = (d: Descriptor): boolean => isData(d) && (d.type & 2) !== 0;

/** Privilege level that a selector asks for. */
export const requested = (selector: number): number => selector & 3;
/** Index 0 of the GDT, whatever its RPL. */
export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;
/** A selector as an exception's error code names it. */
export const errorCodeOf = (selector: number): number => selector & 0xfffc;

/** Segment registers by number. */
export const segments = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5 } as const;

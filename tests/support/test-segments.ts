/** A descriptor table for tests of segment checks: one of each kind, at the index that its comment names. */
import type { World } from './run-system.ts';

/** 4 GiB, granularity 4 KiB; `access` is byte 5, `kind` the flags of byte 6 (SDM vol. 3, figure 3-8). */
const segment = (access: number, kind = 0xc, base = 0n): bigint =>
  0xffffn |
  ((base & 0xff_ffffn) << 16n) |
  (BigInt(access) << 40n) |
  (0xfn << 48n) |
  (BigInt(kind) << 52n) |
  ((base >> 24n) << 56n);

/** By index, each at the selector index * 8. */
// biome-ignore format: a table
const table: Readonly<Record<number, bigint>> = {
  1: segment(0x9b), // level 0, code
  2: segment(0x93), // level 0, data
  3: segment(0xfb, 0xc), // level 3, readable code of 32 bits
  4: segment(0xf3), // level 3, writable data
  5: segment(0xf1), // level 3, data to read
  6: segment(0xf9), // level 3, code to execute alone
  7: segment(0x73), // level 3, data that is not present
  8: segment(0x9f), // level 0, conforming readable code
  9: segment(0x8b, 0), // a busy TSS
  10: segment(0xf3, 0xc, 0x1234_5000n), // level 3, data with a base
  11: segment(0xfb, 0xa), // level 3, code of 64 bits
  12: segment(0x7b, 0xa), // the same, not present
  13: segment(0xe4, 0), // a call gate of 16 bits
  14: segment(0xbb), // level 1, code
  15: segment(0xb3), // level 1, data
};
export const world: World = {
  selectors: [0x23, 0x1b, 0x23, 0x23, 0, 0],
  environment: { descriptor: (selector) => table[selector >> 3] },
};
export const world64: World = { ...world, selectors: [0x23, 0x5b, 0x23, 0x23, 0, 0] };

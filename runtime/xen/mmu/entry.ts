/** Entries of page tables as Xen looks at them: two halves, a frame and flags (SDM vol. 3, tables 4-14 to 4-20). */
import { pageBits } from '../../memory/page-tables.ts';

export interface Entry {
  readonly low: number;
  readonly high: number;
}

export const entryOf = (value: bigint): Entry => ({
  low: Number(value & 0xffff_ffffn),
  high: Number((value >> 32n) & 0xffff_ffffn),
});

export const wordOf = ({ low, high }: Entry): bigint => (BigInt(high) << 32n) | BigInt(low);

export const isPresent = ({ low }: Entry): boolean => (low & pageBits.present) !== 0;
export const isWritable = ({ low }: Entry): boolean => (low & pageBits.writable) !== 0;

/** Bits 12 to 51. */
export const frameOf = ({ low, high }: Entry): number =>
  (high & 0x000f_ffff) * 0x10_0000 + (low >>> 12);

/** PWT, PCD, and PAT or PS: a domain without devices may not set them. */
const lowDisallowed = 0x98;
const global = 0x100;
/** Bit 62 of a last-level entry marks our own grant mappings: what a guest writes there is not kept. */
export const grantMark = 0x4000_0000;
/** Bits 52 to 63. */
const upperFlags = 0xfff0_0000;
/** Bit 52: says of a mapping that the guest wanted it for its kernel alone, since all of them have the user bit. */
const guestKernel = 0x0010_0000;

/** Flags that a guest may not set at a level; 0 if there are none. */
export function disallowedFlags({ low, high }: Entry, level: number, width: 64 | 32): number {
  const lower = level === 1 ? lowDisallowed : lowDisallowed | global;
  const upper = level === 3 && width === 32 ? upperFlags : 0;
  return (low & lower) | ((high & upper) >>> 12);
}

/** As Xen changes what a guest writes: a 64-bit kernel runs in ring 3, so all that it maps is the user's. */
export function adjusted({ low, high }: Entry, level: number, width: 64 | 32): Entry {
  if ((low & pageBits.present) === 0) return { low, high };
  const { user, writable, accessed } = pageBits;
  if (level === 1) return adjustedLeaf({ low, high: (high & ~grantMark) >>> 0 }, width);
  if (width === 32) return level === 3 ? { low: low | user | writable, high } : { low, high };
  // As if the processor had looked at all of the topmost table already.
  return { low: low | user | (level === 4 ? accessed : 0), high };
}

/** Programs' mappings stay in the TLB when the kernel runs, and the other way round. */
function adjustedLeaf({ low, high }: Entry, width: 64 | 32): Entry {
  if (width === 32) return { low, high };
  const isProgram = (low & pageBits.user) !== 0;
  if (!isProgram) return { low: low | pageBits.user, high: (high | guestKernel) >>> 0 };
  // What Xen has marked, and a guest writes back.
  return (high & guestKernel) !== 0 ? { low, high } : { low: low | global, high };
}

/** Whether frame, presence or right to write differ. */
export const hasChanged = (a: Entry, b: Entry): boolean =>
  frameOf(a) !== frameOf(b) || ((a.low ^ b.low) & (pageBits.present | pageBits.writable)) !== 0;

/** Where recompiled code finds what is not in a local: constants of every module made for one vCPU. */
import type { Mode } from '../x86/registers.ts';
import type { AccessSites } from './access/access-sites.ts';

export interface Layout {
  readonly mode: Mode;
  /** Offset of the vCPU's state block (x86/state.ts) in the machine's memory. */
  readonly state: number;
  /** Offset of the table of page flags: one byte a 4 KiB page of the machine's memory; not 0: a store there needs a look. */
  readonly pageFlags: number;
  /** The linear run: guest addresses from `lo` on lie at `host` on; its length is in the state block. */
  readonly run: { readonly lo: bigint; readonly host: number };
  /** Page tables in place of the linear run, which is empty then. */
  readonly paging?: {
    /** Offset of the vCPU's TLB (memory/tlb.ts). */
    readonly tlb: number;
    readonly sites: AccessSites;
    /** Offset of a value on its way across the border of two pages (paged-crossing.ts). */
    readonly crossing: number;
  };
  /** Offset of the code map: address → function and block. */
  readonly codeMap: number;
}

/** The code map: a direct-mapped table of {address: u64, function: u32, block: u32}. */
export const codeMapEntries = 0x1_0000;
export const codeMapBytes = codeMapEntries * 16;

/** An entry is empty that holds an address of another entry: all ones, but for the entry of that. */
export const emptyAddress = 0xffff_ffff_ffff_ffffn;

/** Which entry an address has. */
export const codeMapIndex = (address: bigint): number => {
  const low = Number(address & 0xffff_ffffn);
  return (low ^ (low >>> 16)) & (codeMapEntries - 1);
};

/** The pc that a function returns when it left for the host: no guest's return address is compared with it. */
export const left = -1n;

/** Bytes of host stack that a chain of recompiled functions may use (V8 has about 984 KB). */
export const stackBudget = 600_000;

/** Instructions of a function that is worth a copy in its callers (lower/inline-calls.ts). */
export const mostOfCopy = 30;

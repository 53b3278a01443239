/**
 * Where everything lies that a domain finds at its start, in the order in which Xen's tools lay it out (xen.h, start of day
 * memory layout): image, ramdisk, list of frames, start info, xenstore's and the console's pages, page tables, stack. All
 * are pseudo-physical frames; those up to the tables' end are mapped one behind the other from VIRT_BASE on.
 */
import type { Width } from '../../elf/image.ts';
import { UserError } from '../../errors.ts';
import { pageSize, pagesOf } from '../../memory/machine-memory.ts';
import { type DomainImage, isGuestRange } from './domain-image.ts';

/** Tables of one level: those for the addresses from `first` to `last`, with `count` of them from frame `pfn` on. */
export interface TableRow {
  readonly level: number;
  /** Bits of an address below what one table maps. */
  readonly shift: bigint;
  readonly first: bigint;
  readonly last: bigint;
  readonly pfn: number;
  readonly count: number;
}

export interface AddressPlan {
  readonly domain: DomainImage;
  /** Frames in all. */
  readonly pages: number;
  /** Frame and, where it is mapped, address of the ramdisk; its bytes. */
  readonly ramdisk: { readonly pfn: number; readonly bytes: Uint8Array } | undefined;
  readonly p2m: { readonly pfn: number; readonly pages: number; readonly address: bigint };
  readonly startInfo: number;
  readonly xenstore: number;
  readonly console: number;
  /** Topmost first; of what is mapped from VIRT_BASE on. */
  readonly tables: readonly TableRow[];
  readonly tableFrames: number;
  /** Tables below the topmost level of the list of frames, where that has a place of its own. */
  readonly p2mTables: readonly TableRow[];
  readonly stack: number;
  /** Behind the last address that is mapped from VIRT_BASE on. */
  readonly mappedEnd: bigint;
}

const page = BigInt(pageSize);
const tableBits = 9n;
/** Addresses are mapped in whole 4 MiB, with at least 512 KiB behind the stack. */
const mappedUnit = 0x40_0000n;
const paddingPages = 0x8_0000 / pageSize;

export function planAddresses(
  domain: DomainImage,
  memory: number,
  ramdisk: Uint8Array | undefined,
): AddressPlan {
  const { base, width } = domain;
  const pages = Math.floor(memory / pageSize);
  const take = counter(domain, pages, Number((domain.end - base + page - 1n) / page));
  const isUnmapped = domain.takesUnmappedRamdisk;
  const modulePages = ramdisk === undefined ? 0 : Math.max(pagesOf(ramdisk.length), 1);
  const mapped = ramdisk && !isUnmapped ? take('the ramdisk', modulePages) : undefined;
  const p2mPages = pagesOf((pages * width) / 8);
  const ownP2m = domain.p2m === undefined ? take('the list of frames', p2mPages) : undefined;
  const [startInfo, xenstore] = [take('the start info', 1), take('the xenstore page', 1)];
  const console = take('the console page', 1);
  const { rows: tables, mappedEnd } = planTables(domain, take(`page tables`, 0));
  const tableFrames = tables.reduce((sum, { count }) => sum + count, 0);
  take('page tables', tableFrames);
  checkReach(domain, mappedEnd, p2mPages);
  const stack = take('the first stack', 1);
  const farP2m = ownP2m ?? take('the list of frames', p2mPages);
  const p2mAddress = domain.p2m ?? base + BigInt(farP2m) * page;
  const p2mTables =
    domain.p2m === undefined ? [] : planP2mTables(width, p2mAddress, p2mPages, take);
  const moved = ramdisk && isUnmapped ? take('the ramdisk', modulePages) : undefined;
  const pfn = mapped ?? moved;
  return {
    ...{ domain, pages, startInfo, xenstore, console, tables, tableFrames, stack, mappedEnd },
    ramdisk: ramdisk === undefined || pfn === undefined ? undefined : { pfn, bytes: ramdisk },
    p2m: { pfn: farP2m, pages: p2mPages, address: p2mAddress },
    p2mTables,
  };
}

/** What is mapped at the start must be the guest's own addresses, and the list of frames has a topmost entry to itself. */
function checkReach({ image, width, base, p2m }: DomainImage, end: bigint, p2mPages: number): void {
  const fail = (message: string): never => {
    throw new UserError(`${image.name}: ${message}`);
  };
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  if (!isGuestRange(width, base, end))
    fail(`what is mapped from VIRT_BASE ${hex(base)} on would reach into Xen's own addresses`);
  if (p2m === undefined) return;
  const p2mEnd = p2m + BigInt(p2mPages) * page;
  if (!isGuestRange(width, p2m, p2mEnd))
    fail(`the list of frames at INIT_P2M ${hex(p2m)} would reach into Xen's own addresses`);
  if (p2m < end && p2mEnd > base)
    fail(`its notes contradict each other: INIT_P2M ${hex(p2m)} is mapped from VIRT_BASE on`);
  const slot = (address: bigint): bigint => address >> 39n;
  if (slot(p2m) <= slot(end - 1n) && slot(p2mEnd - 1n) >= slot(base))
    fail(`its INIT_P2M ${hex(p2m)} in the same 512 GiB as VIRT_BASE is not supported yet`);
}

/** Gives frames one behind the other; what is not there any more is told by the name of what needed it. */
function counter(domain: DomainImage, pages: number, first: number) {
  let next = first;
  const check = (what: string): void => {
    if (next > pages) throw new UserError(tooLarge(domain, what, next, pages));
  };
  check('the image');
  return (what: string, count: number): number => {
    const pfn = next;
    next += count;
    check(what);
    return pfn;
  };
}

function tooLarge({ image }: DomainImage, what: string, needed: number, pages: number): string {
  const megabytes = (count: number): string => `${((count * pageSize) / 2 ** 20).toFixed(1)} MiB`;
  return `${image.name}: ${what} does not fit into memory: ${megabytes(needed)} are needed, there are ${megabytes(pages)}; give more with --memory`;
}

/** The tables that map from VIRT_BASE to the end of themselves, the stack and some padding. */
function planTables(
  domain: DomainImage,
  firstPfn: number,
): { rows: readonly TableRow[]; mappedEnd: bigint } {
  const { base } = domain;
  const start = base + BigInt(firstPfn) * page;
  for (let extra = BigInt(1 + paddingPages); ; ) {
    const mappedEnd = ((start + extra * page) | (mappedUnit - 1n)) + 1n;
    const rows = rowsFor(domain, mappedEnd, firstPfn);
    const count = rows.reduce((sum, row) => sum + row.count, 0);
    extra = BigInt(count + 1 + paddingPages);
    if (start + extra * page <= mappedEnd) return { rows, mappedEnd };
  }
}

/** Where a table begins that maps an address. */
const firstOf = (address: bigint, shift: bigint): bigint => (address >> shift) << shift;

function rowsFor(domain: DomainImage, end: bigint, pfn: number): TableRow[] {
  const { base, width } = domain;
  let next = pfn;
  const rows: TableRow[] = [];
  for (let level = width === 64 ? 4 : 3; level > 0; level--) {
    const shift = 12n + tableBits * BigInt(level);
    const [first, last] = paeRange(domain, level) ?? [base, end - 1n];
    const from = firstOf(first, shift);
    const top = firstOf(last, shift);
    const spans = Number((top - from) >> shift) + 1;
    // The old layout has the last GiB's table beside those that are needed.
    const extra = width === 32 && level === 2 && domain.hasOldTables && top >> shift < 3n ? 1 : 0;
    const count = level === (width === 64 ? 4 : 3) ? 1 : spans + extra;
    rows.push({ level, shift, first: from, last: top, pfn: next, count });
    next += count;
  }
  return rows;
}

/** Of PAE all four tables of level 2 are there, since Xen 4.6. */
const paeRange = (
  { width, hasOldTables }: DomainImage,
  level: number,
): readonly [bigint, bigint] | undefined =>
  width === 32 && level === 2 && !hasOldTables ? [0n, 0xffff_ffffn] : undefined;

/** Levels 3 to 1 for the list of frames, which has a part of the topmost table to itself. */
function planP2mTables(
  width: Width,
  address: bigint,
  pages: number,
  take: (what: string, count: number) => number,
): TableRow[] {
  const last = address + BigInt(pages) * page - 1n;
  const rows: TableRow[] = [];
  for (let level = width === 64 ? 3 : 2; level > 0; level--) {
    const shift = 12n + tableBits * BigInt(level);
    const [from, top] = [firstOf(address, shift), firstOf(last, shift)];
    const count = Number((top - from) >> shift) + 1;
    const pfn = take('page tables', count);
    rows.push({ level, shift, first: from, last: top, pfn, count });
  }
  return rows;
}

/** The page tables that a domain begins with, as Xen's tools write them: their own frames, and no others, are read-only. */
import { pageSize } from '../../memory/machine-memory.ts';
import { pageBits } from '../../memory/page-tables.ts';
import type { AddressPlan, TableRow } from './address-plan.ts';

/** Writes an entry of the table in a pseudo-physical frame; `target` is another such frame. */
export type WriteEntry = (table: number, index: number, target: number, flags: number) => void;

const { present, writable, accessed, dirty, user } = pageBits;
const leaf = present | writable | accessed;
const pointer = present | writable | accessed | dirty | user;
const page = BigInt(pageSize);
const entriesBits = 9n;
/** Where the last of PAE's four tables of level 2 begins. */
const lastGigabyte = 0xc000_0000n;

/** Flags of entries that point to a table, by the level that they stand in; the topmost of PAE have none but `present`. */
const flagsAbove = (width: 64 | 32, level: number): number =>
  width === 32 && level === 3 ? present : pointer;

export function writeTables(plan: AddressPlan, write: WriteEntry): void {
  const { domain, tables, p2mTables, p2m, pages, mappedEnd } = plan;
  const root = tables[0];
  if (root === undefined) throw new TypeError('no table at all');
  const isTable = tableFrames(plan);
  linkTables(domain.width, tables, write);
  for (let address = domain.base; address < mappedEnd; address += page) {
    const pfn = Number((address - domain.base) / page);
    if (pfn >= pages) break;
    writeLeaf(tables, address, pfn, isTable.has(pfn) ? leaf & ~writable : leaf, write);
  }
  if (p2mTables.length === 0) return;
  linkTables(domain.width, [root, ...p2mTables], write);
  for (let i = 0; i < p2m.pages; i++)
    writeLeaf(p2mTables, p2m.address + BigInt(i) * page, p2m.pfn + i, leaf, write);
}

/** All frames that are page tables. */
export function tableFrames({ tables, p2mTables }: AddressPlan): ReadonlySet<number> {
  const rows = [...tables, ...p2mTables];
  return new Set(
    rows.flatMap(({ pfn, count }) => Array.from({ length: count }, (_, i) => pfn + i)),
  );
}

/** From each row to the one below it. */
function linkTables(width: 64 | 32, rows: readonly TableRow[], write: WriteEntry): void {
  rows.forEach((row, depth) => {
    const below = rows[depth + 1];
    if (below === undefined) return;
    for (let i = 0; i < below.count; i++) {
      const address = addressOf(below, i);
      write(
        tableAt(row, address),
        indexAt(below, address),
        below.pfn + i,
        flagsAbove(width, row.level),
      );
    }
  });
}

function writeLeaf(
  rows: readonly TableRow[],
  address: bigint,
  pfn: number,
  flags: number,
  write: WriteEntry,
): void {
  const row = rows.at(-1);
  if (row === undefined) throw new TypeError('no table at all');
  write(tableAt(row, address), Number((address / page) & 511n), pfn, flags);
}

/** The address from which on the i-th table of a row maps: beyond the last one it is the last gigabyte's. */
function addressOf({ first, last, shift }: TableRow, i: number): bigint {
  const address = first + (BigInt(i) << shift);
  return address > last ? lastGigabyte : address;
}

/** The frame of the table of a row that maps an address; the topmost one maps all. */
const tableAt = ({ pfn, first, shift, count }: TableRow, address: bigint): number =>
  count === 1 ? pfn : pfn + Math.min(Number((address - first) >> shift), count - 1);

/** Where in the table above it a table of a row stands. */
const indexAt = ({ shift }: TableRow, address: bigint): number =>
  Number((address >> shift) & ((1n << entriesBits) - 1n));

/**
 * Mappings of other domains' frames, in a guest's own page tables: Xen writes them, marked, and only Xen takes them away
 * (grant_table.h). What they refer to is held by the grant, not by the entry.
 */
import { GNTMAP } from '../../abi/grant-table.ts';
import { XenError } from '../../errors.ts';
import { pageBits } from '../../memory/page-tables.ts';
import { frameTypes } from '../frames.ts';
import { GrantError } from '../grants/grant-error.ts';
import type { GrantMapper } from '../grants/grant-mappings.ts';
import { adjusted, type Entry, frameOf, grantMark, isPresent } from './entry.ts';
import type { Mmu } from './mmu.ts';

const { present, writable, accessed, dirty, user } = pageBits;
const nothing: Entry = { low: 0, high: 0 };

/** Where an entry stands, in a last-level table that is one now. */
interface Place {
  readonly table: number;
  readonly index: number;
  /** Undefined where it is not known. */
  readonly address: bigint | undefined;
}

export const grantMapper = (mmu: Mmu): GrantMapper => ({
  map: (address, frame, flags) => {
    const place = placeOf(mmu, address, flags);
    const isReadOnly = (flags & GNTMAP.readonly) !== 0;
    const isForPrograms = (flags & GNTMAP.application_map) !== 0;
    const low =
      present | accessed | dirty | (isReadOnly ? 0 : writable) | (isForPrograms ? user : 0);
    const entry = {
      low: (((frame << 12) >>> 0) | low) >>> 0,
      high: Math.floor(frame / 0x10_0000),
    };
    const { low: own, high } = adjusted(entry, 1, mmu.types.width);
    replace(mmu, place, { low: own, high: (high | grantMark) >>> 0 });
  },

  unmap: (address, frame, flags, replacement) => {
    const place = placeOf(mmu, address, flags);
    const found = mmu.types.read(place.table, place.index);
    if (!isPresent(found) || frameOf(found) !== frame || (found.high & grantMark) === 0)
      throw new GrantError('general_error', `frame ${frame} is not mapped by that entry`);
    if (replacement === 0n) {
      write(mmu, place, nothing);
      return;
    }
    const other = placeOf(mmu, replacement, 0);
    const moved = mmu.types.read(other.table, other.index);
    write(mmu, other, nothing);
    write(mmu, place, moved);
  },
});

function placeOf(mmu: Mmu, address: bigint, flags: number): Place {
  const isEntry = (flags & GNTMAP.contains_pte) !== 0;
  const table = isEntry ? Number(address >> 12n) : mmu.lastTable(address);
  const isTable =
    table !== undefined &&
    mmu.isOwn(table) &&
    mmu.frames.typeOf(table) === frameTypes.l1 &&
    mmu.frames.typeCountOf(table) > 0;
  if (!isTable || (isEntry && (address & 7n) !== 0n))
    throw new GrantError('general_error', `0x${address.toString(16)} has no last-level entry`);
  const index = Number((address >> (isEntry ? 3n : 12n)) & 511n);
  return { table, index, address: isEntry ? undefined : address };
}

/** What was mapped there is let go. */
function replace(mmu: Mmu, place: Place, entry: Entry): void {
  const old = mmu.types.read(place.table, place.index);
  if (isPresent(old) && (old.high & grantMark) !== 0)
    throw new GrantError('general_error', 'a granted frame is mapped there');
  write(mmu, place, entry);
  try {
    mmu.types.putEntry(old, place.table, frameTypes.l1);
  } catch (error) {
    if (!(error instanceof XenError)) throw error;
    throw new GrantError('general_error', error.message);
  }
}

function write(mmu: Mmu, { table, index, address }: Place, entry: Entry): void {
  mmu.types.write(table, index, entry);
  if (address === undefined) mmu.tables.flush();
  else mmu.tables.invalidate(address);
}

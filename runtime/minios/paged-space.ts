/**
 * An application's memory behind page tables, for images that map others' pages: what they map can lie anywhere in the machine.
 * All others have one linear run, which recompiled code knows better.
 */
import type { Access, PageFault, ProtectedSpace } from '../memory/address-space.ts';
import { type MachineMemory, pageSize } from '../memory/machine-memory.ts';
import { PageTables, pageBits } from '../memory/page-tables.ts';
import { type NumberedPlaces, TableBuilder } from '../memory/table-builder.ts';
import type { Mapping } from './loader.ts';

const page = BigInt(pageSize);
const present = BigInt(pageBits.present);
const writable = BigInt(pageBits.writable);
const noExecute = 1n << 63n;
/** Accessed and dirty, since nobody asks. */
const dataBits = present | BigInt(pageBits.accessed | pageBits.dirty) | noExecute;

export class PagedSpace implements ProtectedSpace {
  readonly tables: PageTables;
  /** Entries as they stand; who changes one here must invalidate it. */
  readonly builder: TableBuilder;
  /** Makes a page that may be written of one that is not there yet; false where there is none such. */
  onMissing: ((address: bigint) => boolean) | undefined;

  constructor(memory: MachineMemory, frames: NumberedPlaces, width: 64 | 32) {
    const levels = width === 64 ? 4 : 3;
    this.builder = new TableBuilder(memory, levels, frames);
    this.tables = new PageTables({ levels, memory, frames, root: this.builder.root });
  }

  translate(address: bigint, access: Access): number | PageFault {
    const place = this.tables.translate(address, access);
    if (typeof place === 'number' || access !== 'write' || this.onMissing?.(address) !== true)
      return place;
    return this.tables.translate(address, access);
  }

  /** A whole page, in place of what was there. */
  map(address: bigint, host: number, isWritable: boolean): void {
    this.builder.map(address, host, isWritable ? dataBits | writable : dataBits);
    this.tables.invalidate(address);
  }

  isMapped(address: bigint): boolean {
    return this.tables.look(address) !== undefined;
  }

  /** A whole page that is nowhere afterwards. */
  forget(address: bigint): void {
    this.builder.setEntry(address, 0n);
    this.tables.invalidate(address);
  }

  protect(address: bigint, length: bigint | number, isWritable: boolean): void {
    const bits = isWritable ? present | writable : present;
    this.#change(address, length, (entry) => (entry & ~writable) | bits);
  }

  unmap(address: bigint, length: bigint | number): void {
    this.#change(address, length, (entry) => entry & ~present);
  }

  allowExecution(address: bigint, length: bigint | number): void {
    this.#change(address, length, (entry) => entry & ~noExecute);
  }

  #change(address: bigint, length: bigint | number, to: (entry: bigint) => bigint): void {
    const end = address + BigInt(length);
    for (let at = address - (address % page); at < end; at += page) {
      this.builder.setEntry(at, to(this.builder.entry(at)));
      this.tables.invalidate(at);
    }
  }
}

export const pagedMapping = (
  frames: NumberedPlaces,
  allocate: (bytes: number) => number,
  width: 64 | 32,
): Mapping & { readonly space: () => PagedSpace | undefined } => {
  let space: PagedSpace | undefined;
  return {
    space: () => space,
    map: (memory, ranges) => {
      const made = new PagedSpace(memory, frames, width);
      for (const { lo, length } of ranges) {
        const host = allocate(Number(length));
        for (let at = 0; at < length; at += pageSize) made.map(lo + BigInt(at), host + at, true);
      }
      space = made;
      return { addressSpace: made, pageTables: made.tables };
    },
  };
};

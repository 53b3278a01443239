/** An application's memory behind real page tables, as a domain builder would make them: frames in order, or each somewhere. */
import type { Access, PageFault, ProtectedSpace } from '../../runtime/memory/address-space.ts';
import { type MachineMemory, pageSize } from '../../runtime/memory/machine-memory.ts';
import { PageTables, pageBits } from '../../runtime/memory/page-tables.ts';
import { TableBuilder } from '../../runtime/memory/table-builder.ts';
import type { AddressRange, MappedMemory, Mapping } from '../../runtime/minios/loader.ts';
import { NumberedFrames } from './numbered-frames.ts';
import { random } from './random.ts';

export type Frames = 'in order' | 'scattered';

const page = BigInt(pageSize);
const present = BigInt(pageBits.present);
const writable = BigInt(pageBits.writable);
const noExecute = 1n << 63n;
/** As kernels map their own memory. */
const kernelBits = present | writable | BigInt(pageBits.accessed | pageBits.dirty) | noExecute;

/** Far away from the image, as the heap of a real Mini-OS is. */
const heaps = { 64: 0x2000_0000_0000n, 32: 0x9000_0000n } as const;
const seed = 1;

export const pagedMapping = (width: 64 | 32, frames: Frames): Mapping => ({
  heap: heaps[width],
  map: (memory, ranges) => mapPages(memory, width, ranges, frames),
});

export function mapPages(
  memory: MachineMemory,
  width: 64 | 32,
  ranges: readonly AddressRange[],
  frames: Frames,
): MappedMemory & { readonly addressSpace: BuiltSpace; readonly pageTables: PageTables } {
  const builder = new TableBuilder(memory, width === 64 ? 4 : 3, new NumberedFrames(memory));
  for (const { lo, length } of ranges) {
    const count = Number(length / page);
    const host = memory.allocate(count * pageSize);
    const order = Array.from({ length: count }, (_, i) => i);
    if (frames === 'scattered') shuffle(order);
    order.forEach((frame, i) => {
      builder.map(lo + BigInt(i) * page, host + frame * pageSize, kernelBits);
    });
  }
  const { levels, root } = builder;
  const pageTables = new PageTables({ levels, memory, frames: builder.frames, root });
  return { addressSpace: new BuiltSpace(builder, pageTables), pageTables };
}

function shuffle(order: number[]): void {
  const next = random(seed);
  for (let i = order.length - 1; i > 0; i--) {
    const j = next.below(i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
}

/** Changes entries as mmu_update does, and invalidates what they said. */
export class BuiltSpace implements ProtectedSpace {
  readonly builder: TableBuilder;
  readonly tables: PageTables;

  constructor(builder: TableBuilder, tables: PageTables) {
    this.builder = builder;
    this.tables = tables;
  }

  translate(address: bigint, access: Access): number | PageFault {
    return this.tables.translate(address, access);
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

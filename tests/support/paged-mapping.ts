/** An application's memory behind real page tables, as a domain builder would make them: frames in order, or each somewhere. */
import { type MachineMemory, pageSize } from '../../runtime/memory/machine-memory.ts';
import type { PageTables } from '../../runtime/memory/page-tables.ts';
import type { AddressRange, MappedMemory, Mapping } from '../../runtime/minios/loader.ts';
import { PagedSpace } from '../../runtime/minios/paged-space.ts';
import { NumberedFrames } from './numbered-frames.ts';
import { random } from './random.ts';

export type Frames = 'in order' | 'scattered';

const page = BigInt(pageSize);

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
): MappedMemory & { readonly addressSpace: PagedSpace; readonly pageTables: PageTables } {
  const space = new PagedSpace(memory, new NumberedFrames(memory), width);
  for (const { lo, length } of ranges) {
    const count = Number(length / page);
    const host = memory.allocate(count * pageSize);
    const order = Array.from({ length: count }, (_, i) => i);
    if (frames === 'scattered') shuffle(order);
    order.forEach((frame, i) => {
      space.map(lo + BigInt(i) * page, host + frame * pageSize, true);
    });
  }
  return { addressSpace: space, pageTables: space.tables };
}

function shuffle(order: number[]): void {
  const next = random(seed);
  for (let i = order.length - 1; i > 0; i--) {
    const j = next.below(i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
}

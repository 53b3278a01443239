/**
 * Pages of a saved domain: what each is (XEN_DOMCTL_PFINFO_… of domctl.h), and page tables with pseudo-physical numbers in
 * place of machine frames, since another machine has other frames.
 */
import { UserError } from '../../errors.ts';
import type { Width } from '../../memory/layout.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { FrameTable, FrameType } from '../frames.ts';
import { frameTypes } from '../frames.ts';
import { frameOf, isPresent } from '../mmu/entry.ts';
import { levelOf, type PageTypes } from '../mmu/page-types.ts';

/** Types in the upper four bits of a page's word. */
export const pageKinds = { normal: 0, pinned: 8, broken: 13, allocated: 14, none: 15 } as const;
const entries = 512;

/** The level of a page table, or 0, with whether it is pinned. */
export function kindOf(table: FrameTable, frame: number): number {
  if (table.typeCountOf(frame) === 0) return pageKinds.normal;
  const level = levelOf(table.typeOf(frame));
  return level === 0 ? pageKinds.normal : level | (table.isPinned(frame) ? pageKinds.pinned : 0);
}

export const hasBytes = (kind: number): boolean => kind < pageKinds.broken;

/** What a kind of page is to be here; PAE's last level-2 table, part of which is Xen's, is told by who leads to it. */
export function typeOfKind(kind: number, width: Width): FrameType | undefined {
  const level = kind & 7;
  if (level === 0 || level > (width === 64 ? 4 : 3)) return undefined;
  return [frameTypes.l1, frameTypes.l2, frameTypes.l3, frameTypes.l4][level - 1];
}

export interface Renumbering {
  readonly types: PageTypes;
  /** What stands in place of a frame; undefined where it may not stand there. */
  readonly numberOf: (frame: number) => number | undefined;
}

/** A copy of a page table with other numbers, and nothing in the slots that are Xen's. */
export function renumbered(
  bytes: Uint8Array,
  type: FrameType,
  { types, numberOf }: Renumbering,
  name: string,
): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let index = 0; index < entries; index++) {
    const entry = {
      low: view.getUint32(8 * index, true),
      high: view.getUint32(8 * index + 4, true),
    };
    if (!types.isGuestSlot(type, index)) view.setBigUint64(8 * index, 0n, true);
    else if (isPresent(entry)) {
      const number = numberOf(frameOf(entry));
      if (number === undefined)
        throw new UserError(
          `entry ${index} of ${name} maps frame 0x${frameOf(entry).toString(16)}, which is not the domain’s memory`,
        );
      view.setUint32(8 * index, (((number << 12) >>> 0) | (entry.low & 0xfff)) >>> 0, true);
      const high = (entry.high & 0xfff0_0000) | Math.floor(number / 0x10_0000);
      view.setUint32(8 * index + 4, high >>> 0, true);
    }
  }
  return copy;
}

export const pageAt = (table: FrameTable, frame: number): Uint8Array => {
  const host = table.hostOf(frame) ?? 0;
  return table.memory.bytes().subarray(host, host + pageSize);
};

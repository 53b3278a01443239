/**
 * A guest's own list of its frames, where Xen's tools look for it (arch-x86/xen.h, struct arch_shared_info): a list of lists
 * of the frames that have it, or, of 64-bit guests, an address in page tables.
 */
import { shared_info } from '../../abi/xen.ts';
import { UserError } from '../../errors.ts';
import type { Width } from '../../memory/layout.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { FrameTable } from '../frames.ts';

export interface ListedFrames {
  /** Machine frames of the list's own pages. */
  readonly list: readonly number[];
  /** Machine frame of each pseudo-physical one that the domain has; the others are undefined. */
  readonly frames: readonly (number | undefined)[];
}

export interface FrameListParts {
  readonly table: FrameTable;
  readonly domain: number;
  readonly width: Width;
  /** Host offset. */
  readonly sharedInfo: number;
}

const addressBits = 0x000f_ffff_ffff_f000n;

/** What the guest says is believed where the machine's own table says the same. */
export function listedFrames(parts: FrameListParts): ListedFrames {
  const { table, domain, width } = parts;
  const perPage = (pageSize * 8) / width;
  const arch = shared_info.layout(width).at(table.memory, parts.sharedInfo).arch;
  const count = Number(arch.max_pfn);
  if (count === 0 || count > table.count)
    throw new UserError(`the guest has not said where its list of frames is (max_pfn is ${count})`);
  const pages = Math.ceil(count / perPage);
  const list =
    width === 64 && arch.p2m_cr3 !== 0n
      ? byAddress(parts, arch.p2m_cr3, arch.p2m_vaddr, pages)
      : byLists(parts, Number(arch.pfn_to_mfn_frame_list_list), pages);
  const frames: (number | undefined)[] = [];
  for (let pfn = 0; pfn < count; pfn++) {
    const frame = wordIn(parts, list[Math.floor(pfn / perPage)] ?? 0, pfn % perPage);
    const isThere =
      table.ownerOf(frame) === domain && table.pseudoPhysicalOf(frame, width) === BigInt(pfn);
    frames.push(isThere ? frame : undefined);
  }
  return { list, frames };
}

function byLists(parts: FrameListParts, top: number, pages: number): number[] {
  const perPage = (pageSize * 8) / parts.width;
  const list: number[] = [];
  for (let page = 0; page < pages; page++)
    list.push(wordIn(parts, wordIn(parts, top, Math.floor(page / perPage)), page % perPage));
  return list;
}

/** CR3's upper bits are a frame's. */
function byAddress(parts: FrameListParts, root: bigint, address: bigint, pages: number): number[] {
  const list: number[] = [];
  for (let page = 0; page < pages; page++) {
    const at = address + BigInt(page * pageSize);
    let frame = Number(root >> 12n);
    for (let shift = 39n; shift >= 12n; shift -= 9n) {
      const entry = entryIn(parts, frame, Number((at >> shift) & 511n));
      if ((entry & 1n) === 0n) throw lost(`0x${at.toString(16)} is not mapped`);
      frame = Number((entry & addressBits) >> 12n);
    }
    list.push(frame);
  }
  return list;
}

const lost = (why: string): UserError =>
  new UserError(`the guest’s list of frames is not where it says: ${why}`);

function hostOf({ table, domain }: FrameListParts, frame: number): number {
  const host = table.ownerOf(frame) === domain ? table.hostOf(frame) : undefined;
  if (host === undefined) throw lost(`frame 0x${frame.toString(16)} is not the domain’s`);
  return host;
}

const entryIn = (parts: FrameListParts, frame: number, index: number): bigint =>
  parts.table.memory.view().getBigUint64(hostOf(parts, frame) + 8 * index, true);

const wordIn = (parts: FrameListParts, frame: number, index: number): number => {
  const at = hostOf(parts, frame) + (index * parts.width) / 8;
  const view = parts.table.memory.view();
  return parts.width === 64 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
};

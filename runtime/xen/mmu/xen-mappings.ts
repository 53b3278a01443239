/**
 * What Xen has in every guest's address space: the machine-to-physical table, read-only, at HYPERVISOR_VIRT_START. 64-bit
 * guests have it through slot 256 of each topmost table, PAE guests through the upper part of the last level-2 table.
 */
import { HYPERVISOR_VIRT_START } from '../../abi/xen.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import { pageBits } from '../../memory/page-tables.ts';
import { type FrameTable, type FrameType, frameTypes } from '../frames.ts';
import { checkedDescriptor } from './descriptors.ts';

/** Topmost entries that are Xen's: 0xffff800000000000 to 0xffff87ffffffffff. */
const xenSlots4 = { first: 256, end: 272 } as const;
/** Entries of PAE's last level-2 table from Xen's first address on. */
const firstXenSlot2 = Number((HYPERVISOR_VIRT_START[32] >> 21n) & 511n);
/** A 64-bit kernel is a user to the processor, a 32-bit one is not. */
const readOnly = {
  64: pageBits.present | pageBits.accessed | pageBits.user,
  32: pageBits.present | pageBits.accessed,
} as const;
const entries = 512;

export class XenMappings {
  readonly #frames: FrameTable;
  /** Tables of the level below the slots, by width: first entries of what is copied into guests' tables. */
  readonly #tables: { 64: readonly number[] | undefined; 32: readonly number[] | undefined } = {
    64: undefined,
    32: undefined,
  };

  constructor(frames: FrameTable) {
    this.#frames = frames;
  }

  isGuestSlot(type: FrameType, index: number, width: 64 | 32): boolean {
    if (type === frameTypes.l4) return index < xenSlots4.first || index >= xenSlots4.end;
    if (type === frameTypes.l2OfXen) return index < firstXenSlot2;
    return !(width === 32 && type === frameTypes.l3 && index > 3);
  }

  /** Writes Xen's entries into a table that is becoming one; a topmost one shows nothing yet. */
  fill(frame: number, type: FrameType, width: 64 | 32): void {
    if (type === frameTypes.l4)
      for (let index = xenSlots4.first; index < xenSlots4.end; index++)
        this.#write(frame, index, 0, 64);
    if (type !== frameTypes.l2OfXen) return;
    const tables = this.#tablesOf(width);
    for (let index = firstXenSlot2; index < entries; index++)
      this.#write(frame, index, tables[index - firstXenSlot2] ?? 0, 32);
  }

  /** Whether a 64-bit guest finds the table of frames by a topmost table: kernels do, programs do not. */
  show(root: number, isShown: boolean): void {
    const [table = 0] = isShown ? this.#tablesOf(64) : [];
    this.#write(root, xenSlots4.first, table, 64);
  }

  /** A frame becomes one of a descriptor table: each of its descriptors must be such as may stand there. */
  checkDescriptors(frame: number, width: 64 | 32): void {
    const host = this.#frames.hostOf(frame) ?? 0;
    const view = this.#frames.memory.view();
    const words = Array.from({ length: entries }, (_, i) =>
      checkedDescriptor(view.getBigUint64(host + 8 * i, true), width),
    );
    this.#frames.memory.willWrite(host, pageSize);
    words.forEach((word, i) => {
      view.setBigUint64(host + 8 * i, word, true);
    });
  }

  /** Frames of the tables that Xen's slots point to, topmost slot first. */
  #tablesOf(width: 64 | 32): readonly number[] {
    const known = this.#tables[width];
    if (known !== undefined) return known;
    const pages = this.#frames.m2pBytes(width) / pageSize;
    const first = this.#frames.frameOf(this.#frames.m2p(width));
    let level = this.#group(
      Array.from({ length: pages }, (_, i) => first + i),
      width,
    );
    if (width === 64) level = this.#group(this.#group(level, 64), 64);
    this.#tables[width] = level;
    return level;
  }

  /** Tables whose entries point to these frames. */
  #group(targets: readonly number[], width: 64 | 32): number[] {
    const tables: number[] = [];
    for (let at = 0; at < targets.length; at += entries) {
      const table = this.#frames.frameOf(this.#frames.memory.allocate(pageSize));
      targets.slice(at, at + entries).forEach((target, index) => {
        this.#write(table, index, target, width);
      });
      tables.push(table);
    }
    return tables;
  }

  #write(table: number, index: number, target: number, width: 64 | 32): void {
    const host = this.#frames.hostOf(table) ?? 0;
    const view = this.#frames.memory.view();
    const at = host + 8 * index;
    const low = target === 0 ? 0 : ((target << 12) | readOnly[width]) >>> 0;
    view.setUint32(at, low, true);
    view.setUint32(at + 4, target === 0 ? 0 : Math.floor(target / 0x10_0000), true);
  }
}

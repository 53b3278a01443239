/**
 * A PV guest's MMU: it writes its page tables through Xen, which checks each entry (xen.h, mmu_update). Changes are seen by
 * the guest when it flushes, as on a processor; Xen flushes of its own accord only where a frame is given away.
 */
import { HYPERVISOR_VIRT_END, HYPERVISOR_VIRT_START, MMU, VMASST } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { isCanonical, pageFaultCode } from '../../memory/address-space.ts';
import type { PageTables } from '../../memory/page-tables.ts';
import { pageBits } from '../../memory/page-tables.ts';
import { type FrameTable, type FrameType, frameTypes } from '../frames.ts';
import { GuestError } from '../guest-error.ts';
import type { PvCpu } from '../pv-cpu.ts';
import {
  adjusted,
  disallowedFlags,
  type Entry,
  entryOf,
  frameOf,
  grantMark,
  hasChanged,
  isPresent,
  isWritable,
  wordOf,
} from './entry.ts';
import { hexFrame, levelOf, type PageTypes } from './page-types.ts';

export interface MmuParts {
  readonly types: PageTypes;
  readonly tables: PageTables;
  readonly pv: PvCpu;
}

const indexBits = 9n;

export class Mmu {
  readonly types: PageTypes;
  readonly tables: PageTables;
  readonly frames: FrameTable;
  readonly #pv: PvCpu;
  /** The address of the mapping that is being written, where it is known. */
  #writes: bigint | undefined;

  constructor({ types, tables, pv }: MmuParts) {
    this.types = types;
    this.tables = tables;
    this.frames = types.frames;
    this.#pv = pv;
  }

  get rootType(): FrameType {
    return this.types.width === 64 ? frameTypes.l4 : frameTypes.l3;
  }

  /** The tables that a domain begins with: validated and pinned. */
  begin(root: number): void {
    this.pin(root, this.rootType);
    this.types.getType(root, this.rootType);
    this.types.showFrames(root, true);
    this.#pv.roots.kernel = root;
    this.tables.root = root;
  }

  /** The tables of a domain that was saved, of which those are pinned already that were; 0: no programs. */
  resume(root: number, userRoot: number): void {
    this.types.getType(root, this.rootType);
    this.types.showFrames(root, true);
    this.#pv.roots.kernel = root;
    this.tables.root = root;
    this.setUserRoot(userRoot);
  }

  isOwn(frame: number): boolean {
    return this.types.isOwn(frame);
  }

  // Pinning and roots.

  pin(frame: number, type: FrameType): void {
    this.types.getType(frame, type);
    if (!this.frames.isPinned(frame)) {
      this.frames.setPinned(frame, true);
      return;
    }
    this.types.putType(frame);
    throw new XenError('EINVAL', `frame ${hexFrame(frame)} is pinned already`);
  }

  unpin(frame: number): void {
    this.types.get(frame);
    const wasPinned = this.frames.isPinned(frame);
    if (wasPinned) {
      this.frames.setPinned(frame, false);
      this.types.putType(frame);
    }
    this.types.put(frame);
    if (!wasPinned) throw new XenError('EINVAL', `frame ${hexFrame(frame)} is not pinned`);
  }

  setKernelRoot(frame: number): void {
    const old = this.#pv.roots.kernel;
    if (frame !== old) {
      this.types.getType(frame, this.rootType);
      if (!this.#isStrict || frame !== this.#pv.roots.user) this.types.showFrames(frame, true);
      this.#pv.roots.kernel = frame;
      if (this.#pv.inKernel || this.types.width === 32) this.tables.root = frame;
      this.types.putType(old);
    }
    this.tables.flush();
  }

  setUserRoot(frame: number): void {
    const old = this.#pv.roots.user;
    if (frame === old) return;
    if (frame !== 0) {
      this.types.getType(frame, this.rootType);
      if (this.#isStrict) this.types.showFrames(frame, false);
    }
    this.#pv.roots.user = frame;
    if (old !== 0) this.types.putType(old);
  }

  /** Programs are not to find the table of frames, even by tables that were the kernel's. */
  get #isStrict(): boolean {
    return this.#pv.assists.has(VMASST.TYPE_m2p_strict);
  }

  // Entries.

  /** One request of mmu_update; `owner` has the frames that entries map. */
  update(address: bigint, value: bigint, owner?: number): void {
    const command = Number(address & 7n);
    const frame = Number(address >> 12n);
    if (command === MMU.MACHPHYS_UPDATE) {
      this.#setPseudoPhysical(frame, value, owner);
      return;
    }
    const keepsMarks = command === MMU.PT_UPDATE_PRESERVE_AD;
    const index = Number((address >> 3n) & 511n);
    if (command > MMU.PT_UPDATE_NO_TRANSLATE)
      throw new XenError('ENOSYS', `mmu_update has no command ${command}`);
    this.types.get(frame);
    try {
      this.#writeAny(frame, index, entryOf(value), keepsMarks, owner);
    } finally {
      this.types.put(frame);
    }
  }

  /** The entry that maps an address, in the tables that the vCPU runs with. */
  updateMapping(address: bigint, value: bigint, owner?: number): void {
    const frame = this.lastTable(address);
    if (frame === undefined || this.frames.typeOf(frame) !== frameTypes.l1)
      throw new XenError('EINVAL', `no last-level table maps 0x${address.toString(16)}`);
    const index = Number((address >> 12n) & 511n);
    this.#writes = address;
    try {
      this.writeEntry(frame, index, entryOf(value), false, owner);
    } finally {
      this.#writes = undefined;
    }
  }

  /** Machine frame of the table that has the last-level entry of an address. */
  lastTable(address: bigint): number | undefined {
    const isXens =
      address >= HYPERVISOR_VIRT_START[this.types.width] &&
      address < HYPERVISOR_VIRT_END[this.types.width];
    if (isXens || (this.types.width === 64 && !isCanonical(address))) return undefined;
    let frame = this.tables.root;
    for (let level = this.tables.levels as number; level > 1; level--) {
      const shift = 12n + indexBits * BigInt(level - 1);
      const entry = this.types.read(frame, Number((address >> shift) & 511n));
      if (!isPresent(entry) || (entry.low & pageBits.large) !== 0) return undefined;
      frame = frameOf(entry);
    }
    return frame;
  }

  /** Whether a write that has faulted was one to a last-level table, which Xen does in the guest's place. */
  isTableWrite(address: bigint, errorCode: number): boolean {
    const { present, write, reserved } = pageFaultCode;
    if ((errorCode & (present | write | reserved)) !== (present | write)) return false;
    const table = this.lastTable(address);
    if (table === undefined) return false;
    const entry = this.types.read(table, Number((address >> 12n) & 511n));
    const frame = frameOf(entry);
    const isTable = this.frames.typeOf(frame) === frameTypes.l1;
    return (
      isPresent(entry) &&
      !isWritable(entry) &&
      isTable &&
      this.frames.typeCountOf(frame) > 0 &&
      this.isOwn(frame)
    );
  }

  /** A store to a last-level table that is mapped there, of a whole entry or an aligned part of one; false where it may not be. */
  storeMapped(address: bigint, bytes: number, value: bigint): boolean {
    const offset = Number(address & 7n);
    const isPart = bytes <= 8 && (bytes & (bytes - 1)) === 0 && offset % bytes === 0;
    const table = isPart ? this.#mapped(address) : undefined;
    if (table === undefined) return false;
    const index = Number((address >> 3n) & 511n);
    const shift = BigInt(8 * offset);
    const mask = ((1n << BigInt(8 * bytes)) - 1n) << shift;
    const old = wordOf(this.types.read(table, index));
    const wanted = (old & ~mask) | ((value << shift) & mask);
    return (
      this.#tryEntry(table, index, wanted) ||
      // Who writes the upper half first, while the entry is there, means to write the lower one next.
      (this.types.width === 32 &&
        bytes === 4 &&
        offset === 4 &&
        this.#tryEntry(table, index, wanted & ~1n))
    );
  }

  #tryEntry(table: number, index: number, value: bigint): boolean {
    try {
      this.writeEntry(table, index, entryOf(value), false);
      return true;
    } catch (error) {
      if (error instanceof XenError) return false;
      throw error;
    }
  }

  /** The frame that a last-level entry maps at an address. */
  #mapped(address: bigint): number | undefined {
    const table = this.lastTable(address);
    return table === undefined
      ? undefined
      : frameOf(this.types.read(table, Number((address >> 12n) & 511n)));
  }

  /** An entry of what is a page table, or 8 bytes of what is none. */
  #writeAny(frame: number, index: number, entry: Entry, keepsMarks: boolean, owner?: number): void {
    const isUsed = this.frames.typeCountOf(frame) > 0;
    if (isUsed && levelOf(this.frames.typeOf(frame)) > 0) {
      this.writeEntry(frame, index, entry, keepsMarks, owner);
      return;
    }
    this.types.getType(frame, frameTypes.writable);
    this.types.write(frame, index, entry);
    this.types.putType(frame);
  }

  /** An entry of a page table. */
  writeEntry(
    frame: number,
    index: number,
    wanted: Entry,
    keepsMarks: boolean,
    owner?: number,
  ): void {
    const { types } = this;
    const type = this.frames.typeOf(frame);
    const level = levelOf(type);
    if (!types.isGuestSlot(type, index))
      throw new XenError('EINVAL', `entry ${index} of level ${level} is Xen's own`);
    const old = types.read(frame, index);
    const next = keepsMarks ? withMarks(wanted, old) : wanted;
    if (level === 1 && isPresent(old) && (old.high & grantMark) !== 0) {
      this.#writeGranted(frame, index, old, next);
      return;
    }
    if (!isPresent(next)) {
      types.write(frame, index, next);
      types.putEntry(old, frame, type);
      this.#unmapped(old, level, frame);
      return;
    }
    const bad = disallowedFlags(next, level, types.width);
    if (bad !== 0) throw new XenError('EINVAL', `bad flags ${hexFrame(bad)} at level ${level}`);
    const isSame = isPresent(old) && !hasChanged(old, next);
    if (!isSame) types.getEntry(next, { frame, type, index }, owner);
    types.write(frame, index, adjusted(next, level, types.width));
    if (isSame) return;
    types.putEntry(old, frame, type);
    this.#unmapped(old, level, frame);
  }

  #unmapped(old: Entry, level: number, table: number): void {
    const isOnce = this.frames.typeCountOf(table) - (this.frames.isPinned(table) ? 1 : 0) === 1;
    if (this.#writes !== undefined && isOnce) {
      this.tables.invalidate(this.#writes);
      return;
    }
    const host = level === 1 && isPresent(old) ? this.frames.hostOf(frameOf(old)) : undefined;
    if (host !== undefined) this.tables.unmapped(host);
  }

  /** Rights and marks of a granted frame's entry may change; what it maps, only by way of the grant. */
  #writeGranted(frame: number, index: number, old: Entry, next: Entry): void {
    const mayWrite = (old.low & pageBits.writable) !== 0 || (next.low & pageBits.writable) === 0;
    const isSame = isPresent(next) && frameOf(next) === frameOf(old) && mayWrite;
    if (!isSame)
      throw new GuestError(`it changes the entry of a granted frame, ${hexFrame(frameOf(old))}`);
    const { low, high } = adjusted(next, 1, this.types.width);
    this.types.write(frame, index, { low, high: (high | grantMark) >>> 0 });
  }

  #setPseudoPhysical(frame: number, value: bigint, owner?: number): void {
    const isOwn = owner === undefined;
    if (isOwn) this.types.get(frame);
    else throw new XenError('EINVAL', `frame ${hexFrame(frame)} is of domain ${owner}`);
    this.frames.setPseudoPhysical(frame, value);
    this.types.put(frame);
  }
}

/** Accessed and dirty, which the processor may have set meanwhile. */
const withMarks = ({ low, high }: Entry, old: Entry): Entry => ({
  low: (low | (old.low & (pageBits.accessed | pageBits.dirty))) >>> 0,
  high,
});

/**
 * Xen's rules for frames: a frame is one thing at a time, counted by who uses it as such; it becomes a page table only after
 * each of its entries has been checked, and then no mapping can write to it.
 */
import { DOMID } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { type FrameTable, type FrameType, frameTypes } from '../frames.ts';
import {
  adjusted,
  disallowedFlags,
  type Entry,
  frameOf,
  grantMark,
  isPresent,
  isWritable,
} from './entry.ts';
import { LinearTables } from './linear-tables.ts';
import type { XenMappings } from './xen-mappings.ts';

const entries = 512;

export interface PageTypesOptions {
  readonly frames: FrameTable;
  readonly domain: number;
  readonly width: 64 | 32;
  /** What Xen writes into tables of its own accord. */
  readonly xen: XenMappings;
}

/** An entry's place: the table, what that is, and which entry. */
export interface Slot {
  readonly frame: number;
  readonly type: FrameType;
  readonly index: number;
}

/** Which level a type of page table is; 0 of other types. */
export const levelOf = (type: FrameType): number =>
  type === frameTypes.l2OfXen ? 2 : type <= frameTypes.l4 ? type : 0;

export const hexFrame = (frame: number): string => `0x${frame.toString(16)}`;

export class PageTypes {
  readonly frames: FrameTable;
  readonly width: 64 | 32;
  readonly #domain: number;
  readonly #xen: XenMappings;
  readonly #linear = new LinearTables();

  constructor({ frames, domain, width, xen }: PageTypesOptions) {
    this.frames = frames;
    this.width = width;
    this.#domain = domain;
    this.#xen = xen;
  }

  /** A reference to a frame of the domain; EINVAL where it is not its own. */
  get(frame: number): void {
    if (!this.isOwn(frame))
      throw new XenError('EINVAL', `frame ${hexFrame(frame)} does not belong to the domain`);
    this.frames.addReference(frame, 1);
  }

  isOwn(frame: number): boolean {
    return this.frames.ownerOf(frame) === this.#domain;
  }

  put(frame: number): void {
    this.frames.dropReference(frame);
  }

  /** A reference to a frame as a type; it becomes that type where nobody uses it as another. */
  getType(frame: number, type: FrameType): void {
    this.get(frame);
    try {
      this.#addType(frame, type);
    } catch (error) {
      this.put(frame);
      throw error;
    }
  }

  putType(frame: number): void {
    this.#dropType(frame);
    this.put(frame);
  }

  /** Entries that the guest may write: the others are Xen's. */
  isGuestSlot(type: FrameType, index: number): boolean {
    return this.#xen.isGuestSlot(type, index, this.width);
  }

  /** Whether a 64-bit guest finds the table of frames by a topmost table. */
  showFrames(root: number, isShown: boolean): void {
    if (this.width === 64) this.#xen.show(root, isShown);
  }

  /** What an entry of a table refers to is referred to once more; throws as Xen answers where it may not be. */
  getEntry(entry: Entry, { frame, type, index }: Slot, owner = this.#domain): void {
    const level = levelOf(type);
    const bad = disallowedFlags(entry, level, this.width);
    if (bad !== 0)
      throw new XenError('EINVAL', `bad flags ${hexFrame(bad)} in an entry of level ${level}`);
    if (level === 1) this.#getMapped(entry, owner);
    else this.#getTable(entry, frame, this.#typeBelow(type, index));
  }

  /** The reverse. */
  putEntry(entry: Entry, table: number, type: FrameType): void {
    if (!isPresent(entry)) return;
    const frame = frameOf(entry);
    // What a grant maps is held by the grant.
    if (levelOf(type) === 1 && (entry.high & grantMark) !== 0) return;
    if (levelOf(type) > 1) {
      if (frame === table) return;
      if (levelOf(this.frames.typeOf(frame)) === levelOf(type)) {
        this.#linear.count(frame, 1);
        this.#linear.count(table, -1);
      }
      this.putType(frame);
      return;
    }
    if (isWritable(entry)) this.#dropType(frame);
    this.put(frame);
  }

  /** The table that an entry leads to: one of the level below, or a linear one. */
  #getTable(entry: Entry, table: number, type: FrameType): void {
    const frame = frameOf(entry);
    try {
      this.getType(frame, type);
    } catch (error) {
      const isOther = error instanceof XenError && error.errno === 'EINVAL';
      if (!isOther || !this.#getLinear(entry, table)) throw error;
    }
  }

  /**
   * A table may lead to itself, or to another of its level that has no such entries, so that the guest reads its tables as
   * memory: by an entry that may not be written through. One step alone: who is led to by another leads to none.
   */
  #getLinear(entry: Entry, table: number): boolean {
    const frame = frameOf(entry);
    const level = levelOf(this.frames.typeOf(table));
    if (isWritable(entry) || (this.width === 32 && level === 3)) return false;
    if (frame === table) return true;
    const isTable = this.isOwn(frame) && levelOf(this.frames.typeOf(frame)) === level;
    if (!isTable || this.frames.typeCountOf(frame) === 0) return false;
    if (!this.#linear.mayLead(table) || !this.#linear.mayBeLedTo(frame)) return false;
    this.#linear.count(table, 1);
    this.#linear.count(frame, -1);
    this.frames.addReference(frame, 1);
    this.frames.addTypeCount(frame, 1);
    return true;
  }

  #typeBelow(type: FrameType, index: number): FrameType {
    if (type === frameTypes.l4) return frameTypes.l3;
    if (type !== frameTypes.l3) return frameTypes.l1;
    return this.width === 32 && index === 3 ? frameTypes.l2OfXen : frameTypes.l2;
  }

  /** A frame that a last-level entry maps. */
  #getMapped(entry: Entry, owner: number): void {
    const frame = frameOf(entry);
    const real = this.frames.ownerOf(frame);
    if (real === DOMID.INVALID || real === DOMID.IO)
      throw new XenError('EPERM', `${hexFrame(frame)} is no frame of memory`);
    if (real !== owner)
      throw new XenError('EBUSY', `frame ${hexFrame(frame)} belongs to domain ${real}`);
    if (!isWritable(entry)) {
      this.frames.addReference(frame, 1);
      return;
    }
    try {
      this.#addType(frame, frameTypes.writable);
    } catch (cause) {
      throw new XenError('EBUSY', `frame ${hexFrame(frame)} cannot be mapped writable`, { cause });
    }
    this.frames.addReference(frame, 1);
  }

  #addType(frame: number, type: FrameType): void {
    const { frames } = this;
    const current = frames.typeOf(frame);
    if (frames.typeCountOf(frame) > 0) {
      if (current !== type)
        throw new XenError(
          'EINVAL',
          `frame ${hexFrame(frame)} is in use as type ${current}, wanted as ${type}`,
        );
      frames.addTypeCount(frame, 1);
      return;
    }
    frames.setType(frame, type);
    // Counted while it is looked at: a table may lead to itself, and is then found to be in use.
    frames.addTypeCount(frame, 1);
    if (type === frameTypes.writable) return;
    try {
      frames.setReadOnly(frame, true);
      if (type === frameTypes.descriptors) this.#xen.checkDescriptors(frame, this.width);
      else this.#validate(frame, type);
    } catch (error) {
      frames.setReadOnly(frame, false);
      frames.addTypeCount(frame, -1);
      frames.setType(frame, frameTypes.none);
      throw error;
    }
  }

  #dropType(frame: number): void {
    const { frames } = this;
    const type = frames.typeOf(frame);
    if (frames.typeCountOf(frame) > 1 || type === frameTypes.writable) {
      frames.addTypeCount(frame, -1);
      return;
    }
    if (levelOf(type) > 0) this.#release(frame, type, entries);
    frames.addTypeCount(frame, -1);
    frames.setReadOnly(frame, false);
  }

  #validate(frame: number, type: FrameType): void {
    const level = levelOf(type);
    const count = this.width === 32 && level === 3 ? 4 : entries;
    for (let index = 0; index < count; index++) {
      if (!this.isGuestSlot(type, index)) continue;
      const entry = this.read(frame, index);
      if (!isPresent(entry)) continue;
      try {
        this.getEntry(entry, { frame, type, index });
      } catch (error) {
        this.#release(frame, type, index);
        throw error;
      }
      this.write(frame, index, adjusted(entry, level, this.width));
    }
    this.#xen.fill(frame, type, this.width);
  }

  /** What the entries before `end` refer to is let go. */
  #release(frame: number, type: FrameType, end: number): void {
    const count = this.width === 32 && type === frameTypes.l3 ? Math.min(end, 4) : end;
    for (let index = 0; index < count; index++)
      if (this.isGuestSlot(type, index)) this.putEntry(this.read(frame, index), frame, type);
  }

  read(frame: number, index: number): Entry {
    const at = this.#place(frame, index);
    const view = this.frames.memory.view();
    return { low: view.getUint32(at, true), high: view.getUint32(at + 4, true) };
  }

  write(frame: number, index: number, { low, high }: Entry): void {
    const at = this.#place(frame, index);
    const view = this.frames.memory.view();
    this.frames.changed(frame);
    this.frames.memory.willWrite(at, 8);
    view.setUint32(at, low, true);
    view.setUint32(at + 4, high, true);
  }

  #place(frame: number, index: number): number {
    const host = this.frames.hostOf(frame);
    if (host === undefined) throw new RangeError(`no machine frame ${hexFrame(frame)}`);
    return host + 8 * index;
  }
}

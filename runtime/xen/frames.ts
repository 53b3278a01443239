/**
 * The machine's frames as Xen keeps them (xen/include/public/xen.h): who owns each, what it is used as and how often, and the
 * table from machine frames to pseudo-physical ones that every PV guest can read.
 *
 * A frame's type is what keeps guests apart from each other and from us: only frames of their own become page tables, each
 * entry of which has been checked, and a page table has no writable mapping while it is one.
 */
import { DOMID } from '../abi/xen.ts';
import { framesOffset, type MachineMemory, pageSize } from '../memory/machine-memory.ts';
import type { MachineFrames } from '../memory/page-tables.ts';

/**
 * How a frame is used; a count above 0 says that it may not become another. Levels are their own numbers; `l2OfXen` is the
 * level-2 table of PAE's last gigabyte, a part of which is Xen's.
 */
export const frameTypes = {
  none: 0,
  l1: 1,
  l2: 2,
  l3: 3,
  l4: 4,
  descriptors: 5,
  writable: 7,
  l2OfXen: 8,
} as const;
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

/** Machine frames are numbered from here on, so that no guest's pseudo-physical numbers pass for them. */
const firstFrame = 0x1_0000;

/** M2P entries: of frames that nobody owns, and of those that Xen shares with a guest. */
export const INVALID_M2P_ENTRY = 0xffff_ffff_ffff_ffffn;
const SHARED_M2P_ENTRY = 0xffff_ffff_ffff_fffen;

/** Bytes of an M2P entry, by the guest's width. */
export const m2pEntryBytes = { 64: 8, 32: 4 } as const;

export class FrameTable implements MachineFrames {
  readonly memory: MachineMemory;
  /** Frames that the machine can have. */
  readonly count: number;
  readonly #owners: Uint16Array;
  readonly #types: Uint8Array;
  /** How often a frame is used as its type. */
  readonly #typeCounts: Uint32Array;
  /** How often a frame is referred to, by page tables and by grants, beside its owner's having it. */
  readonly #references: Uint32Array;
  readonly #pinned: Uint8Array;
  /** Frames that Xen shares with their owner: no part of its memory. */
  readonly #shared: Uint8Array;
  /** By page of the machine: how often what it says as a page table has changed. */
  readonly #versions: Uint32Array;
  /** Frames of each domain's memory. */
  readonly #owned = new Map<number, number>();
  readonly #givenUp = new Set<number>();
  readonly #m2p: { 64: number | undefined; 32: number | undefined } = {
    64: undefined,
    32: undefined,
  };

  constructor(memory: MachineMemory) {
    this.memory = memory;
    this.count = memory.maximumPages * 16;
    this.#owners = new Uint16Array(this.count).fill(DOMID.INVALID);
    this.#types = new Uint8Array(this.count);
    this.#typeCounts = new Uint32Array(this.count);
    this.#references = new Uint32Array(this.count);
    this.#pinned = new Uint8Array(this.count);
    this.#shared = new Uint8Array(this.count);
    this.#versions = new Uint32Array(memory.maximumPages);
  }

  hostOf(frame: number): number | undefined {
    const host = (frame - firstFrame) * pageSize;
    return host >= framesOffset && host < this.memory.bytes().length ? host : undefined;
  }

  /** Of page tables: another one where entries may have changed. */
  versionOf(host: number): number {
    return this.#versions[Math.floor(host / pageSize)] ?? 0;
  }

  /** An entry of what may be a page table has been written, or its page becomes one. */
  changed(frame: number): void {
    const index = frame - firstFrame;
    this.#versions[index] = (this.#versions[index] ?? 0) + 1;
  }

  /** The machine frame around a host offset. */
  frameOf(host: number): number {
    return firstFrame + Math.floor(host / pageSize);
  }

  /** One behind the last frame that the machine can have. */
  get end(): number {
    return firstFrame + this.count;
  }

  // Owners.

  /** Zeroed frames, one behind the other, the first a multiple of `alignment`; its number. Nothing maps them yet. */
  allocate(owner: number, count: number, alignment = 1): number {
    const first = this.#take(count, alignment);
    for (let i = 0; i < count; i++) this.#owners[first + i - firstFrame] = owner;
    this.#count(owner, count);
    return first;
  }

  /** A zeroed frame of Xen's that its owner may map, and write. */
  allocateShared(owner: number): number {
    const frame = this.#take(1, 1);
    this.#owners[frame - firstFrame] = owner;
    this.#shared[frame - firstFrame] = 1;
    this.#types[frame - firstFrame] = frameTypes.writable;
    this.addTypeCount(frame, 1);
    this.setPseudoPhysical(frame, SHARED_M2P_ENTRY);
    return frame;
  }

  /** Whether Xen shares it with its owner, and goes on writing to it whatever the owner asks for. */
  isShared(frame: number): boolean {
    return this.#shared[frame - firstFrame] === 1;
  }

  /** How many frames of memory a domain has. */
  countOf(owner: number): number {
    return this.#owned.get(owner) ?? 0;
  }

  #take(count: number, alignment: number): number {
    const extra = alignment - 1;
    const start = this.frameOf(this.memory.allocate((count + extra) * pageSize));
    const first = Math.ceil(start / alignment) * alignment;
    const end = start + count + extra;
    this.#giveBack(start, first - start);
    this.#giveBack(first + count, end - first - count);
    return first;
  }

  #giveBack(frame: number, count: number): void {
    if (count > 0) this.memory.free((frame - firstFrame) * pageSize, count * pageSize);
  }

  #count(owner: number, by: number): void {
    this.#owned.set(owner, this.countOf(owner) + by);
  }

  /** Its owner does not want a frame any more; its next owner finds zeros. It is kept while anything refers to it. */
  giveUp(frame: number): void {
    if (this.ownerOf(frame) === DOMID.INVALID)
      throw new RangeError(`machine frame ${frame} belongs to nobody`);
    if (this.referencesOf(frame) > 0) this.#givenUp.add(frame);
    else this.#free(frame);
  }

  /** At a domain's end: what nobody else refers to is free at once, the rest when it is let go. */
  giveUpAll(owner: number): void {
    for (let index = 0; index < this.count; index++) {
      if (this.#owners[index] !== owner) continue;
      const first = index;
      while (this.#owners[index] === owner && this.#references[index] === 0) index++;
      if (index > first) this.#freeRun(first + firstFrame, index - first);
      if (this.#owners[index] === owner) this.#givenUp.add(index + firstFrame);
    }
  }

  #freeRun(first: number, count: number): void {
    for (let frame = first; frame < first + count; frame++) this.#forget(frame);
    this.#giveBack(first, count);
  }

  #free(frame: number): void {
    this.#forget(frame);
    this.#giveBack(frame, 1);
  }

  #forget(frame: number): void {
    const index = frame - firstFrame;
    if (this.#shared[index] === 0) this.#count(this.ownerOf(frame), -1);
    this.#shared[index] = 0;
    this.#owners[frame - firstFrame] = DOMID.INVALID;
    this.#types[frame - firstFrame] = frameTypes.none;
    this.#typeCounts[index] = 0;
    this.setPseudoPhysical(frame, INVALID_M2P_ENTRY);
  }

  /** DOMID.INVALID where it is nobody's, or no frame. */
  ownerOf(frame: number): number {
    return this.#owners[frame - firstFrame] ?? DOMID.INVALID;
  }

  /** Only of a frame that nobody refers to. */
  setOwner(frame: number, owner: number): void {
    this.#count(this.ownerOf(frame), -1);
    this.#count(owner, 1);
    this.#owners[frame - firstFrame] = owner;
  }

  // Types.

  typeOf(frame: number): FrameType {
    return (this.#types[frame - firstFrame] ?? frameTypes.none) as FrameType;
  }

  /** Only where its count is 0. */
  setType(frame: number, type: FrameType): void {
    this.#types[frame - firstFrame] = type;
  }

  typeCountOf(frame: number): number {
    return this.#typeCounts[frame - firstFrame] ?? 0;
  }

  /** The count as it becomes. */
  addTypeCount(frame: number, by: 1 | -1): number {
    return add(this.#typeCounts, frame, by);
  }

  referencesOf(frame: number): number {
    return this.#references[frame - firstFrame] ?? 0;
  }

  addReference(frame: number, by: 1 | -1): number {
    return add(this.#references, frame, by);
  }

  /** What was referred to is so once less; a frame that its owner gave up meanwhile is free then. */
  dropReference(frame: number): void {
    const left = this.addReference(frame, -1);
    if (left === 0 && this.#givenUp.delete(frame)) this.#free(frame);
  }

  /** Stores to a page table leave recompiled code, which may have known the page as writable. */
  setReadOnly(frame: number, readOnly: boolean): void {
    const host = this.hostOf(frame);
    this.changed(frame);
    if (host !== undefined) this.memory.setPageTable(host, readOnly);
  }

  isPinned(frame: number): boolean {
    return this.#pinned[frame - firstFrame] === 1;
  }

  setPinned(frame: number, pinned: boolean): void {
    this.#pinned[frame - firstFrame] = pinned ? 1 : 0;
  }

  // The machine-to-physical table, which guests read in their own address spaces.

  /** Host offset of the table for guests of a width; whole pages. */
  m2p(width: 64 | 32): number {
    const known = this.#m2p[width];
    if (known !== undefined) return known;
    const bytes = this.m2pBytes(width);
    const host = this.memory.allocate(bytes);
    this.memory.bytes().fill(0xff, host, host + bytes);
    this.#m2p[width] = host;
    return host;
  }

  m2pBytes(width: 64 | 32): number {
    return Math.ceil((this.end * m2pEntryBytes[width]) / pageSize) * pageSize;
  }

  /** As a guest of a width reads it. */
  pseudoPhysicalOf(frame: number, width: 64 | 32): bigint {
    const table = this.#m2p[width];
    if (table === undefined || frame >= this.end) return INVALID_M2P_ENTRY;
    const view = this.memory.view();
    return width === 64
      ? view.getBigUint64(table + 8 * frame, true)
      : BigInt(view.getUint32(table + 4 * frame, true));
  }

  /** In the tables of both widths, where they are. */
  setPseudoPhysical(frame: number, pfn: bigint): void {
    const view = this.memory.view();
    const { 64: wide, 32: narrow } = this.#m2p;
    if (wide !== undefined) view.setBigUint64(wide + 8 * frame, pfn, true);
    if (narrow !== undefined)
      view.setUint32(narrow + 4 * frame, Number(BigInt.asUintN(32, pfn)), true);
  }
}

/** Counts below 0 would be ours to explain. */
function add(counts: Uint32Array, frame: number, by: 1 | -1): number {
  const index = frame - firstFrame;
  const before = counts[index] ?? 0;
  if (before + by < 0) throw new RangeError(`machine frame ${frame} is released too often`);
  counts[index] = before + by;
  return before + by;
}

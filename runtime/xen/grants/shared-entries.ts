/**
 * The pages of a domain's grant table that it shares with Xen (grant_table.h): entries of either version, and for version 2 a
 * status page beside. Xen owns the pages, so that the guest cannot make others of them.
 */
import {
  GNTTAB_NR_RESERVED_ENTRIES,
  GTF,
  grant_entry_v1,
  grant_entry_v2,
} from '../../abi/grant-table.ts';
import { XenError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { FrameTable } from '../frames.ts';

/** What xl gives a domain. */
export const mostGrantFrames = 64;

const v1 = grant_entry_v1.layout(64);
const v2 = grant_entry_v2.layout(64);
const entryBytes = { 1: v1.size, 2: v2.size } as const;
const statusesInPage = pageSize / 2;

export type GrantVersion = 1 | 2;

/** What an entry says, of whatever version. */
export interface GrantEntry {
  readonly flags: number;
  readonly domid: number;
  readonly frame: bigint;
  /** Of version 2: the part of the page, where GTF.sub_page is set. */
  readonly offset: number;
  readonly length: number;
  /** Where it is transitive: whose grant, and which. */
  readonly transitiveDomain: number;
  readonly transitiveReference: number;
}

export class SharedEntries {
  readonly #domid: number;
  readonly #frames: FrameTable;
  readonly #shared: number[] = [];
  readonly #status: number[] = [];
  #version: GrantVersion = 1;

  constructor(domid: number, frames: FrameTable) {
    this.#domid = domid;
    this.#frames = frames;
    this.#shared.push(this.#page());
  }

  get version(): GrantVersion {
    return this.#version;
  }

  /** Machine frames, as the guest maps them. */
  get sharedFrames(): readonly number[] {
    return this.#shared;
  }

  get statusFrames(): readonly number[] {
    return this.#status;
  }

  /** References below it have entries. */
  get count(): number {
    return (this.#shared.length * pageSize) / entryBytes[this.#version];
  }

  /** Never shrinks. */
  grow(frames: number): void {
    while (this.#shared.length < frames) this.#shared.push(this.#page());
    this.#addStatus();
  }

  /** Where nothing but reserved entries is in use; those stay. */
  setVersion(version: GrantVersion): void {
    const kept = Array.from({ length: GNTTAB_NR_RESERVED_ENTRIES }, (_, ref) => this.#kept(ref));
    if (this.#status.some((frame) => this.#frames.referencesOf(frame) > 0))
      throw new XenError('EBUSY', 'the guest maps its status pages');
    for (const frame of this.#shared) this.#clear(frame);
    if (version === 1) for (const frame of this.#status.splice(0)) this.#release(frame);
    this.#version = version;
    this.#addStatus();
    for (const [ref, { flags, domid, frame }] of kept.entries()) {
      const entry = this.#at(ref);
      this.#write16(entry + v1.offsets.flags, version === 1 ? flags : flags & ~statusFlags);
      this.#write16(entry + v1.offsets.domid, domid);
      if (version === 1) this.#view().setUint32(entry + v1.offsets.frame, Number(frame), true);
      else this.#view().setBigUint64(entry + v2.offsets.frame, frame, true);
      if (version === 2) this.#write16(this.#statusAt(ref), flags & statusFlags);
    }
  }

  /** A copy: the guest may change it at any time. */
  entry(ref: number): GrantEntry {
    const view = this.#view();
    const at = this.#at(ref);
    const flags = view.getUint16(at + v1.offsets.flags, true);
    const domid = view.getUint16(at + v1.offsets.domid, true);
    // Written out, since this is asked for every page that a device moves.
    if (this.#version === 1)
      return {
        flags,
        domid,
        frame: BigInt(view.getUint32(at + v1.offsets.frame, true)),
        offset: 0,
        length: pageSize,
        transitiveDomain: 0,
        transitiveReference: 0,
      };
    const offset = view.getUint16(at + v2.offsets.page_off, true);
    const length = view.getUint16(at + v2.offsets.length, true);
    const frame = view.getBigUint64(at + v2.offsets.frame, true);
    const isPart = (flags & GTF.sub_page) !== 0;
    return {
      ...{ flags, domid, frame, offset: isPart ? offset : 0, length: isPart ? length : pageSize },
      transitiveDomain: offset,
      transitiveReference: Number(BigInt.asUintN(32, frame)),
    };
  }

  /** For Xen's own: entries of the console and the xenstore, which the tools write before the guest runs. */
  writeEntry(ref: number, flags: number, domid: number, frame: number): void {
    const at = this.#at(ref);
    this.#write16(at + v1.offsets.domid, domid);
    if (this.#version === 1) this.#view().setUint32(at + v1.offsets.frame, frame, true);
    else this.#view().setBigUint64(at + v2.offsets.frame, BigInt(frame), true);
    this.#write16(at + v1.offsets.flags, flags);
  }

  /** Of version 2: passes on what another domain has granted. */
  writeTransitive(ref: number, domid: number, from: number, fromReference: number): void {
    const at = this.#at(ref);
    this.#write16(at + v2.offsets.domid, domid);
    this.#write16(at + v2.offsets.page_off, from);
    this.#view().setBigUint64(at + v2.offsets.frame, BigInt(fromReference), true);
    this.#write16(at + v2.offsets.flags, GTF.transitive);
  }

  /** What the guest finds of a grant's use. */
  statusOf(ref: number): number {
    return this.#view().getUint16(this.#flagsInUseAt(ref), true);
  }

  /** GTF.reading and GTF.writing, where the version has them. */
  setInUse(ref: number, flags: number): void {
    const at = this.#flagsInUseAt(ref);
    this.#write16(at, this.#view().getUint16(at, true) | flags);
  }

  clearInUse(ref: number, flags: number): void {
    const at = this.#flagsInUseAt(ref);
    this.#write16(at, this.#view().getUint16(at, true) & ~flags);
  }

  /** A transfer has come: the frame that is the domain's now. */
  completeTransfer(ref: number, frame: number): void {
    const { flags, domid } = this.entry(ref);
    this.writeEntry(ref, flags | GTF.transfer_completed, domid, frame);
  }

  commitTransfer(ref: number): void {
    const at = this.#at(ref);
    this.#write16(at, this.#view().getUint16(at, true) | GTF.transfer_committed);
  }

  swap(a: number, b: number): void {
    const bytes = this.#frames.memory.bytes();
    const size = entryBytes[this.#version];
    this.#swapBytes(bytes, this.#at(a), this.#at(b), size);
    if (this.#version === 2) this.#swapBytes(bytes, this.#statusAt(a), this.#statusAt(b), 2);
  }

  #swapBytes(bytes: Uint8Array, a: number, b: number, size: number): void {
    this.#frames.memory.willWrite(a, size);
    this.#frames.memory.willWrite(b, size);
    const kept = bytes.slice(a, a + size);
    bytes.copyWithin(a, b, b + size);
    bytes.set(kept, b);
  }

  /** What a change of version takes along: whole pages for one domain. */
  #kept(ref: number): { flags: number; domid: number; frame: bigint } {
    const { flags, domid, frame } = this.entry(ref);
    if (this.#version === 1) return { flags, domid, frame };
    const inUse = this.#view().getUint16(this.#statusAt(ref), true);
    const type = flags & GTF.type_mask;
    if (type === GTF.transitive || (type === GTF.permit_access && frame >> 32n !== 0n))
      throw new XenError('ERANGE', `grant ${ref} cannot be said in version 1`);
    if (type !== GTF.permit_access) return { flags: 0, domid: 0, frame: 0n };
    return { flags: flags | (inUse & statusFlags), domid, frame };
  }

  #at(ref: number): number {
    const size = entryBytes[this.#version];
    const inPage = pageSize / size;
    return this.#host(this.#shared[Math.floor(ref / inPage)]) + (ref % inPage) * size;
  }

  #statusAt(ref: number): number {
    const frame = this.#status[Math.floor(ref / statusesInPage)];
    return this.#host(frame) + (ref % statusesInPage) * 2;
  }

  #flagsInUseAt(ref: number): number {
    return this.#version === 1 ? this.#at(ref) + v1.offsets.flags : this.#statusAt(ref);
  }

  #addStatus(): void {
    if (this.#version === 1) return;
    const needed = Math.ceil(this.count / statusesInPage);
    while (this.#status.length < needed) this.#status.push(this.#page());
  }

  /** The guest may map it writable; as long as it is the table's, it can become nothing else. */
  #page(): number {
    const frame = this.#frames.allocateShared(this.#domid);
    return frame;
  }

  #release(frame: number): void {
    this.#frames.addTypeCount(frame, -1);
    this.#frames.giveUp(frame);
  }

  #clear(frame: number): void {
    const host = this.#host(frame);
    this.#frames.memory.willWrite(host, pageSize);
    this.#frames.memory.bytes().fill(0, host, host + pageSize);
  }

  #host(frame: number | undefined): number {
    const host = frame === undefined ? undefined : this.#frames.hostOf(frame);
    if (host === undefined) throw new RangeError(`no grant entry in frame ${frame}`);
    return host;
  }

  #write16(at: number, value: number): void {
    this.#frames.memory.willWrite(at, 2);
    this.#view().setUint16(at, value, true);
  }

  #view(): DataView {
    return this.#frames.memory.view();
  }
}

const statusFlags = GTF.reading | GTF.writing;

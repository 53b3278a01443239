/**
 * A guest's page tables, walked as the CPU walks them: PAE and 4-level paging (SDM vol. 3, 4.4 to 4.8), CR0.WP and EFER.NXE
 * set, SMEP and SMAP clear. Entries hold machine frame numbers. The one walk there is: the evaluator, the refill of the
 * vCPU's TLB and the kernel's copies all come here.
 *
 * Accessed and dirty bits are set as hardware sets them in the tables of a PV guest, which Xen shares with it: accessed in
 * every entry that a successful translation used, dirty in the last one before the first write.
 */
import {
  type Access,
  type AddressSpace,
  isCanonical,
  type PageFault,
  pageFaultCode,
} from './address-space.ts';
import type { MachineMemory } from './machine-memory.ts';

/** Where machine frames lie. */
export interface MachineFrames {
  /** Host offset of a machine frame; undefined where the machine has none of that number. */
  hostOf(frame: number): number | undefined;
  /**
   * A number that is another one whenever a page table at a host offset may have other entries, accessed and dirty marks aside;
   * without it nobody can know.
   */
  versionOf?(host: number): number;
}

/** A last-level table: where it is, what the levels above allow, and the version of what it says. */
export interface LastTable {
  readonly host: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly version: number;
}

/** Bits of an entry's lower half (SDM vol. 3, tables 4-14 to 4-20); bit 63 is `noExecute` of the upper half. */
export const pageBits = {
  present: 1,
  writable: 2,
  user: 4,
  accessed: 0x20,
  dirty: 0x40,
  large: 0x80,
} as const;
export const noExecute = 0x8000_0000;

/** What the tables say of one 4 KiB page, whoever asks. */
export interface Mapping {
  /** Host offset of the page's first byte. */
  readonly host: number;
  readonly writable: boolean;
  readonly user: boolean;
  readonly executable: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

/** What remembers translations, as a TLB does. */
export interface TranslationCache {
  invalidate(address: bigint): void;
  flush(): void;
  /** An entry that mapped a page at a host offset does so no more. Nobody has flushed: what was never used must be right. */
  unmapped?(host: number): void;
  /** The tables are the same, but other pages may be used. */
  levelChanged?(): void;
}

export interface PageTablesOptions {
  /** 3: PAE; 4: 4-level. */
  readonly levels: 3 | 4;
  readonly memory: MachineMemory;
  readonly frames: MachineFrames;
  /** Machine frame of the topmost table. */
  readonly root: number;
  /** PAE's four topmost entries may have rights and marks, and bits 52 to 62 mean nothing: a 64-bit Xen has them in long mode. */
  readonly isInLongMode?: boolean;
}

/** Physical addresses have 40 bits, as CPUID says. */
const reservedHigh = { 4: 0x000f_ff00, 3: 0x7fff_ff00 } as const;
const pageOffset = 0xfff;

/** One walk: the entries on the way, and where it ended. */
interface Walk {
  outcome: 'mapped' | 'absent' | 'reserved';
  /** Host offsets of the entries used, topmost first. */
  readonly entries: number[];
  writable: boolean;
  user: boolean;
  executable: boolean;
  /** Lower half of the last entry. */
  leaf: number;
  host: number;
}

export class PageTables implements AddressSpace {
  readonly levels: 3 | 4;
  readonly #memory: MachineMemory;
  readonly #frames: MachineFrames;
  /** Reserved bits of PAE's four topmost entries. */
  readonly #reservedTop: number;
  /** And of the upper halves of the others. */
  readonly #reservedHigh: number;
  /** CR3: the machine frame of the topmost table. Whoever changes it flushes the TLB. */
  root: number;
  #isUser = false;
  /** Who remembers translations. */
  readonly #watchers: TranslationCache[] = [];

  constructor({ levels, memory, frames, root, isInLongMode = false }: PageTablesOptions) {
    this.levels = levels;
    this.#memory = memory;
    this.#frames = frames;
    this.root = root;
    this.#reservedTop = isInLongMode ? 0x180 : 0x1e6;
    this.#reservedHigh = reservedHigh[isInLongMode ? 4 : levels];
  }

  translate(address: bigint, access: Access): number | PageFault {
    if (this.levels === 4 && !isCanonical(address))
      return { errorCode: 0, address, isCanonical: false };
    const walk = this.#walk(address);
    const { outcome } = walk;
    if (outcome === 'mapped' && this.#allows(walk, access)) {
      this.#mark(walk, access);
      return walk.host + Number(address & BigInt(pageOffset));
    }
    return {
      errorCode:
        (outcome === 'absent' ? 0 : pageFaultCode.present) |
        (access === 'write' ? pageFaultCode.write : 0) |
        (this.#isUser ? pageFaultCode.user : 0) |
        (outcome === 'reserved' ? pageFaultCode.reserved : 0) |
        (access === 'execute' ? pageFaultCode.execute : 0),
      address,
    };
  }

  /** Whether accesses are made in user mode (CPL 3). */
  get isUser(): boolean {
    return this.#isUser;
  }

  set isUser(isUser: boolean) {
    if (this.#isUser === isUser) return;
    this.#isUser = isUser;
    for (const cache of this.#watchers) cache.levelChanged?.();
  }

  watch(cache: TranslationCache): void {
    this.#watchers.push(cache);
  }

  /** What INVLPG does: the entries of an address have changed. */
  invalidate(address: bigint): void {
    for (const cache of this.#watchers) cache.invalidate(address);
  }

  /** What a write to CR3 does. */
  flush(): void {
    for (const cache of this.#watchers) cache.flush();
  }

  unmapped(host: number): void {
    for (const cache of this.#watchers) cache.unmapped?.(host);
  }

  /** What is mapped there, with no trace in the tables. */
  look(address: bigint): Mapping | undefined {
    if (this.levels === 4 ? !isCanonical(address) : address >> 32n !== 0n) return undefined;
    const { outcome, host, writable, user, executable, leaf } = this.#walk(address);
    if (outcome !== 'mapped') return undefined;
    const accessed = (leaf & pageBits.accessed) !== 0;
    const dirty = (leaf & pageBits.dirty) !== 0;
    return { host, writable, user, executable, accessed, dirty };
  }

  /** What maps the pages around an address; undefined where there is none, where pages are large, and where no version is known. */
  lastTable(address: bigint): LastTable | undefined {
    const versionOf = this.#frames.versionOf?.bind(this.#frames);
    if (versionOf === undefined || (this.levels === 3 && address >> 32n !== 0n)) return undefined;
    const view = this.#memory.view();
    const low = Number(address & 0xffff_ffffn);
    const high = this.levels === 4 ? Number((address >> 32n) & 0xffffn) : 0;
    let [frame, writable, user] = [this.root, true, true];
    for (let level: number = this.levels; level > 1; level--) {
      const table = this.#frames.hostOf(frame);
      if (table === undefined) return undefined;
      const at = table + 8 * indexAt(level, low, high);
      const [entry, top] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
      if (!isTable(level, entry) || this.#hasReserved(level, entry, top)) return undefined;
      if (this.levels === 4 || level < 3) {
        writable &&= (entry & pageBits.writable) !== 0;
        user &&= (entry & pageBits.user) !== 0;
      }
      frame = (top & 0xff) * 0x10_0000 + (entry >>> 12);
    }
    const host = this.#frames.hostOf(frame);
    return host === undefined ? undefined : { host, writable, user, version: versionOf(host) };
  }

  /** Marks a page as accessed and dirty, as a write through a run would. */
  markDirty(address: bigint): void {
    const walk = this.#walk(address);
    if (walk.outcome === 'mapped') this.#mark(walk, 'write');
  }

  #allows({ writable, user, executable }: Walk, access: Access): boolean {
    if (this.#isUser && !user) return false;
    return access === 'read' || (access === 'write' ? writable : executable);
  }

  #mark({ entries, leaf }: Walk, access: Access): void {
    const wanted = pageBits.accessed | (access === 'write' ? pageBits.dirty : 0);
    if ((leaf & wanted) === wanted) return;
    const view = this.#memory.view();
    entries.forEach((at, depth) => {
      // The four topmost entries of PAE have no such bits.
      if (this.levels === 3 && depth === 0) return;
      const bits = depth === entries.length - 1 ? wanted : pageBits.accessed;
      view.setUint32(at, view.getUint32(at, true) | bits, true);
    });
  }

  #walk(address: bigint): Walk {
    const view = this.#memory.view();
    const low = Number(address & 0xffff_ffffn);
    const high = this.levels === 4 ? Number((address >> 32n) & 0xffffn) : 0;
    // Spreading would cost more than the walk.
    const walk: Walk = {
      outcome: 'absent',
      entries: [],
      writable: true,
      user: true,
      executable: true,
      leaf: 0,
      host: 0,
    };
    let frame = this.root;
    for (let level: number = this.levels; level > 0; level--) {
      const table = this.#frames.hostOf(frame);
      // What reads where no memory is reads ones, among them reserved bits.
      if (table === undefined) return end(walk, 'reserved');
      const at = table + 8 * indexAt(level, low, high);
      const entry = view.getUint32(at, true);
      const top = view.getUint32(at + 4, true);
      if ((entry & pageBits.present) === 0) return walk;
      if (this.#hasReserved(level, entry, top)) return end(walk, 'reserved');
      walk.entries.push(at);
      if (this.levels === 4 || level < 3) restrict(walk, entry, top);
      frame = (top & 0xff) * 0x10_0000 + (entry >>> 12);
      if (level > 1 && (entry & pageBits.large) === 0) continue;
      walk.leaf = entry;
      const pages = 512 ** (level - 1);
      return this.#end(walk, frame - (frame % pages) + ((low >>> 12) % pages));
    }
    return walk;
  }

  #end(walk: Walk, frame: number): Walk {
    const host = this.#frames.hostOf(frame);
    if (host === undefined) return end(walk, 'reserved');
    walk.host = host;
    return end(walk, 'mapped');
  }

  #hasReserved(level: number, entry: number, top: number): boolean {
    if (this.levels === 3 && level === 3)
      return (entry & this.#reservedTop) !== 0 || (top & 0xffff_ff00) !== 0;
    if ((top & this.#reservedHigh) !== 0) return true;
    if (level === 1 || (entry & pageBits.large) === 0) return false;
    // Bits between PAT and the address of a large page; PML4 entries have none of them.
    return level === 4 || (entry & (level === 3 ? 0x3fff_e000 : 0x001f_e000)) !== 0;
  }
}

const isTable = (level: number, entry: number): boolean =>
  (entry & pageBits.present) !== 0 && (level > 3 || (entry & pageBits.large) === 0);

const end = (walk: Walk, outcome: Walk['outcome']): Walk => {
  walk.outcome = outcome;
  return walk;
};

/** Every level must allow what is done. */
function restrict(walk: Walk, entry: number, top: number): void {
  walk.writable &&= (entry & pageBits.writable) !== 0;
  walk.user &&= (entry & pageBits.user) !== 0;
  walk.executable &&= (top & noExecute) === 0;
}

/** Which entry of a table of a level an address has. */
function indexAt(level: number, low: number, high: number): number {
  switch (level) {
    case 4:
      return (high >>> 7) & 0x1ff;
    case 3:
      return ((high << 2) | (low >>> 30)) & 0x1ff;
    case 2:
      return (low >>> 21) & 0x1ff;
    default:
      return (low >>> 12) & 0x1ff;
  }
}

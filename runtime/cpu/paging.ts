/**
 * A vCPU's view of page tables: the walk, and what makes recompiled code need it seldom: TLB, runs, and which site goes
 * where. The evaluator's accesses come through here; each fills the TLB, and tells of the instruction that made it.
 */
import type { Access, AddressSpace, PageFault } from '../memory/address-space.ts';
import { type MachineMemory, pageFlags, pageSize } from '../memory/machine-memory.ts';
import type { PageTables, TranslationCache } from '../memory/page-tables.ts';
import { Runs, runBoundsBytes } from '../memory/runs.ts';
import { Tlb, type TlbKind, tlbBytes } from '../memory/tlb.ts';
import { mostSpan } from '../recompiler/access/access-groups.ts';
import { AccessSites, notesBytes } from '../recompiler/access/access-sites.ts';
import { crossingBytes } from '../recompiler/access/paged-crossing.ts';
import type { Layout } from '../recompiler/layout.ts';

export interface PagingCounts {
  /** Times that recompiled code left for an access. */
  readonly exits: number;
  /** Pages put into the TLB because they were missed. */
  readonly refills: number;
  /** Functions written anew since more was known of their sites. */
  readonly recompilations: number;
}

/** Pages that are filled with a missed one: most accesses go on upward. */
const pagesAhead = 15;
const page = BigInt(pageSize);
/** The first poll after which notes are read, half a second in; then after twice as many each time. */
const firstLearning = 256;
const pollsASample = 4;
/** Slices of 2 ms in which code with notes loses what it costs to write a function anew. */
const pollsAFunction = 4;
/** Exits that are taken before functions are written anew, since others may follow. */
const mostExits = 16;
/** Leaving so often, some 30 µs each, costs what it costs to write a function anew. */
const exitsAFunction = 100;
const none: ReadonlySet<bigint> = new Set();

export class Paging implements AddressSpace, TranslationCache {
  readonly tables: PageTables;
  readonly tlb: Tlb;
  readonly runs: Runs;
  readonly sites: AccessSites;
  readonly #memory: MachineMemory;
  readonly #crossing: number;
  readonly #counts = { exits: 0, refills: 0, recompilations: 0 };
  readonly #stale = new Set<bigint>();
  /** Whether anything has been put into the TLB since it was emptied here. */
  #isFilled = false;
  #instruction = 0n;
  /** Whether recompiled code left at this instruction. */
  #hasLeft = false;
  #isNext = false;
  #exitsSinceStale = 0;
  /** Exits after which the next look is taken at what functions would have to be written anew. */
  #nextStale = mostExits;
  #polls = 0;
  #nextLearning = firstLearning;

  /** `stackPointer` is the guest's at the time. */
  constructor(memory: MachineMemory, tables: PageTables, stackPointer: () => bigint) {
    this.#memory = memory;
    this.tables = tables;
    this.tlb = new Tlb(memory, memory.allocate(tlbBytes));
    const own = memory.allocate(runBoundsBytes + notesBytes + crossingBytes);
    this.#crossing = own + runBoundsBytes + notesBytes;
    this.runs = new Runs(memory, tables, own);
    this.sites = new AccessSites({
      ...{ runs: this.runs, notes: own + runBoundsBytes, stackPointer },
      view: () => memory.view(),
      holdsCode: (address) => this.#holdsCode(address),
    });
    tables.watch(this);
    memory.onFlagged((host, bytes) => this.tlb.forgetStoresTo(host, bytes));
  }

  get counts(): PagingCounts {
    return this.#counts;
  }

  /** What recompiled code must know. */
  get layout(): NonNullable<Layout['paging']> {
    return { tlb: this.tlb.start, sites: this.sites, crossing: this.#crossing };
  }

  /** Recompiled code has left for the evaluator. */
  left(): void {
    this.#counts.exits++;
    this.#isNext = true;
    if (this.#stale.size > 0) this.#exitsSinceStale++;
  }

  /** The evaluator is about to execute an instruction. */
  begin(instruction: bigint): void {
    this.#instruction = instruction;
    this.#hasLeft = this.#isNext;
    this.#isNext = false;
  }

  translate(address: bigint, access: Access): number | PageFault {
    const place = this.tables.translate(address, access);
    if (typeof place !== 'number' || access === 'execute') return place;
    const first = address - (address % page);
    const writes = access === 'write';
    const isBesideCode = writes && this.tlb.isBesideCode(first);
    const isKnown = this.tlb.has(writes ? 'store' : 'load', first) || isBesideCode;
    if (this.#hasLeft) this.#learn(address, writes, { isKnown, isBesideCode });
    if (!isKnown && !(writes && this.#isWatched(first, place)))
      this.#fill(first, place - (place % pageSize), access);
    return place;
  }

  /** Whether there is more in the TLB for an access to come than there was; the tables have no trace of it but accessed bits. */
  refill(address: bigint, bytes: number, writes: boolean): boolean {
    const first = address - (address % page);
    const last = address + BigInt(bytes - 1);
    const isNew = this.#refillPage(first, writes);
    return last < first + page ? isNew : this.#refillPage(first + page, writes) || isNew;
  }

  #refillPage(first: bigint, writes: boolean): boolean {
    if (this.tlb.has(writes ? 'store' : 'load', first)) return false;
    if (writes && this.tlb.isBesideCode(first)) return false;
    const mapping = this.tables.look(first);
    if (mapping === undefined || (this.tables.isUser && !mapping.user)) return false;
    const { host, writable, dirty, accessed } = mapping;
    if (writes && !(writable && dirty && !this.#isWatched(first, host))) return false;
    if (!accessed) this.tables.translate(first, 'read');
    this.#fill(first, host, writes ? 'write' : 'read');
    return true;
  }

  /** Recompiled code left at an instruction that has this access, perhaps for another. */
  #learn(
    address: bigint,
    writes: boolean,
    { isKnown, isBesideCode }: { readonly isKnown: boolean; readonly isBesideCode: boolean },
  ): void {
    const { sites } = this;
    const instruction = this.#instruction;
    const isCrossing = isKnown && !isBesideCode && isNearBorder(address);
    const stale = isCrossing ? sites.crossed(instruction, writes) : none;
    const moved = sites.missed(instruction, writes, { address, isBesideCode });
    for (const entry of [...stale, ...moved]) this.#stale.add(entry);
  }

  #holdsCode(address: bigint): boolean {
    const host = this.tables.look(address)?.host;
    return host !== undefined && (this.#memory.flagsAt(host) & pageFlags.code) !== 0;
  }

  /** Stores there always leave, so all that a refill could do has been done. */
  #isWatched(page: bigint, place: number): boolean {
    const host = place - (place % pageSize);
    const always = this.#isFlagged(host) && this.#memory.codeBits(host) === undefined;
    return always && this.tlb.has('load', page);
  }

  /** What INVLPG does. */
  invalidate(address: bigint): void {
    this.tlb.invalidate(address);
    this.runs.changed(address);
  }

  /** Runs, and pages filled ahead of others, may never have been looked at by the guest: it need not flush them. */
  unmapped(host: number): void {
    for (const address of this.runs.addressesOf(host)) this.runs.changed(address);
    if (this.#isFilled) this.tlb.flush();
    this.#isFilled = false;
  }

  /** What a write to CR3 does. */
  flush(): void {
    this.tlb.flush();
    this.runs.verify();
  }

  levelChanged(): void {
    this.tlb.flush();
    this.runs.levelChanged();
  }

  /** The guest has run for a while: functions to be written anew for what their notes say. */
  polled(): readonly bigint[] {
    if (++this.#polls % pollsASample === 0) this.sites.sample();
    if (this.#polls < this.#nextLearning) return [];
    const least = this.sites.learnable * pollsAFunction;
    this.#nextLearning = this.#polls < least ? least : 2 * this.#polls;
    return this.#polls < least ? [] : this.#counted(this.sites.learn());
  }

  /** Functions whose sites kept leaving for nothing. */
  takeStale(): readonly bigint[] {
    if (this.#exitsSinceStale < this.#nextStale) return [];
    // They are written with all that run: the more that is, the more must leaving have cost.
    const stale = this.sites.together(this.#stale);
    this.#nextStale = Math.max(mostExits, stale.length * exitsAFunction);
    if (this.#exitsSinceStale < this.#nextStale) return [];
    this.#nextStale = mostExits;
    this.#stale.clear();
    this.#exitsSinceStale = 0;
    return this.#counted(stale);
  }

  #counted(functions: readonly bigint[]): readonly bigint[] {
    this.#counts.recompilations += functions.length;
    return functions;
  }

  #fill(address: bigint, host: number, access: 'read' | 'write'): void {
    this.#counts.refills++;
    if (this.runs.at(address) < 0) this.runs.learn(address);
    this.#put(address, host, access === 'write');
    const bits = access === 'write' ? this.#memory.codeBits(host) : undefined;
    if (bits !== undefined) this.tlb.fillBesideCode(address, host, bits);
    const kind = access === 'write' ? 'store' : 'load';
    for (let i = 1n; i <= pagesAhead && this.#fillAhead(address + i * page, kind); i++);
    // Heaps that are taken from the top go on downward; elsewhere what lies below is seldom asked for.
    if (this.runs.at(address) < 0) return;
    for (let i = 1n; i <= pagesAhead && this.#fillAhead(address - i * page, kind); i++);
  }

  /** False where the page is not to be used, or is there: then the rest is, too, and one alone was invalidated. */
  #fillAhead(address: bigint, kind: TlbKind): boolean {
    if (this.tlb.has(kind, address)) return false;
    const ahead = this.tables.look(address);
    if (ahead === undefined || (this.tables.isUser && !ahead.user)) return false;
    if (!ahead.accessed) this.tables.translate(address, 'read');
    this.#put(address, ahead.host, ahead.writable && ahead.dirty);
    return true;
  }

  /** A store must be seen where the page is not dirty yet, or flagged. */
  #put(address: bigint, host: number, isDirty: boolean): void {
    this.#isFilled = true;
    this.tlb.fill('load', address, host);
    if (isDirty && !this.#isFlagged(host)) this.tlb.fill('store', address, host);
  }

  #isFlagged(host: number): boolean {
    return (this.#memory.flagsAt(host) & ~pageFlags.readOnlyInRun) !== 0;
  }
}

/** Whether accesses that are checked together with one there may lie on two pages. */
function isNearBorder(address: bigint): boolean {
  const offset = Number(address % page);
  return offset < mostSpan || offset > pageSize - mostSpan;
}

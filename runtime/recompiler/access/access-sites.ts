/**
 * What is known of the places in guest code that access memory: into which run each goes, or that it goes anywhere. What is
 * written first leaves as seldom as can be, and keeps the last address in a word of its own; what has run for a while is
 * written anew for where it goes.
 */
import type { Run, Runs } from '../../memory/runs.ts';
import type { GuestFunction } from '../discover.ts';
import { type AccessGroup, isStack } from './access-groups.ts';

/**
 * How a site is written: as a run's window; through the TLB; through the TLB with a question before it leaves, since it goes to
 * several runs, to pages that hold code, or nobody knows where; the same with a note of the address in a word of memory; or with
 * a way across the border of pages, and with no others merged.
 */
export type SiteClass =
  | { readonly kind: 'tlb' }
  | { readonly kind: 'asking' }
  | { readonly kind: 'apart' }
  | { readonly kind: 'noted'; readonly note: number }
  | { readonly kind: 'window'; readonly run: number };

/** The stack, or a constant address. */
type Hint = 'stack' | bigint | undefined;

interface Site {
  /** Entries of the functions that it was written in. */
  readonly functions: Set<bigint>;
  class: SiteClass;
  /** Where it is likely to go, until it is known. */
  hint: Hint;
  /** Where notes have said that it goes; -1: to none. */
  run: number | undefined;
  /** Notes have named several. */
  isMixed: boolean;
  /** Exits for nothing since it was written. */
  misses: number;
}

/** Words for notes, 8 bytes each. */
const mostNotes = 0x1_0000;
export const notesBytes = mostNotes * 8;

/** Exits for nothing after which a site is to be written otherwise. */
const mostMisses = 3;
const tlb: SiteClass = { kind: 'tlb' };
const asking: SiteClass = { kind: 'asking' };
const none: ReadonlySet<bigint> = new Set();

export interface AccessSitesOptions {
  readonly runs: Runs;
  /** Host offset of `notesBytes` bytes. */
  readonly notes: number;
  readonly view: () => DataView;
  /** The guest's stack pointer now: its run is what stack accesses go to. */
  readonly stackPointer: () => bigint;
  /** Whether translated code was made from the page around an address. */
  readonly holdsCode: (address: bigint) => boolean;
}

export class AccessSites {
  readonly runs: Runs;
  readonly #options: AccessSitesOptions;
  readonly #sites = new Map<bigint, Site>();
  readonly #functions = new Map<bigint, GuestFunction>();
  /** Functions of which some site has been seen to run. */
  readonly #ran = new Set<bigint>();
  #notes = 0;
  #used = 0;

  constructor(options: AccessSitesOptions) {
    this.runs = options.runs;
    this.#options = options;
  }

  /** How to write the site of a group's first access. */
  classOfGroup(fn: GuestFunction, group: AccessGroup): SiteClass {
    const hint = group.root === undefined ? group.least : isStack(group) ? 'stack' : undefined;
    return this.classOf(fn, group.first, hint);
  }

  /** How to write a site. */
  classOf(
    fn: GuestFunction,
    { instruction, writes }: { readonly instruction: bigint; readonly writes: boolean },
    hint: Hint,
  ): SiteClass {
    this.#functions.set(fn.entry, fn);
    const key = keyOf(instruction, writes);
    const known = this.#sites.get(key);
    if (known !== undefined) {
      known.functions.add(fn.entry);
      return known.class;
    }
    const { notes } = this.#options;
    const isNoted = hint === undefined && this.#notes < mostNotes;
    const chosen: SiteClass = isNoted ? { kind: 'noted', note: notes + 8 * this.#notes++ } : asking;
    this.#sites.set(key, {
      functions: new Set([fn.entry]),
      class: chosen,
      hint,
      run: undefined,
      isMixed: false,
      misses: 0,
    });
    return chosen;
  }

  /** The run of a window. */
  runOf(index: number): Run {
    const run = this.runs.all[index];
    if (run === undefined) throw new TypeError(`there is no run ${index}`);
    this.#used = Math.max(this.#used, index + 1);
    return run;
  }

  /** All runs, of which code is to be written that looks at each. */
  everyRun(): readonly Run[] {
    this.#used = this.runs.all.length;
    return this.runs.all;
  }

  /** How many runs, from the first one on, what has been written since the last time must have. */
  takeUsed(): number {
    const used = this.#used;
    this.#used = 0;
    return used;
  }

  /** Whether an access is to be merged with no others, since what they span crosses pages. */
  isApart(instruction: bigint, writes: boolean): boolean {
    return this.#sites.get(keyOf(instruction, writes))?.class.kind === 'apart';
  }

  /**
   * A site left for an address that its window does not hold, or for a page that holds code: functions to be written anew,
   * if that has become worth it.
   */
  missed(
    instruction: bigint,
    writes: boolean,
    { address, isBesideCode }: { readonly address: bigint; readonly isBesideCode: boolean },
  ): ReadonlySet<bigint> {
    const site = this.#sites.get(keyOf(instruction, writes));
    if (site === undefined) return none;
    const { kind } = site.class;
    if (kind !== 'window' && !(isBesideCode && kind === 'tlb')) return none;
    const isOutside = kind === 'window' && this.runs.at(address) !== site.class.run;
    if ((!isOutside && !isBesideCode) || ++site.misses < mostMisses) return none;
    site.misses = 0;
    site.class = asking;
    return site.functions;
  }

  /** Code left though the TLB had the page: it was the next one that was missing, and other than this one. */
  crossed(instruction: bigint, writes: boolean): ReadonlySet<bigint> {
    const site = this.#sites.get(keyOf(instruction, writes));
    if (site === undefined || site.class.kind === 'window' || site.class.kind === 'apart')
      return none;
    if (++site.misses < mostMisses) return none;
    site.misses = 0;
    site.class = { kind: 'apart' };
    return site.functions;
  }

  /** Functions to be written anew, with all that have run, so that they call each other directly. */
  together(functions: Iterable<bigint>): bigint[] {
    for (const entry of functions) this.#ran.add(entry);
    const silent = new Set<bigint>();
    for (const site of this.#sites.values())
      if (site.class.kind === 'noted') for (const entry of site.functions) silent.add(entry);
    return this.#withCallees(silent);
  }

  /** Reads the notes, to find sites that go to several runs. */
  sample(): void {
    const view = this.#options.view();
    for (const site of this.#sites.values()) {
      if (site.class.kind !== 'noted') continue;
      const address = view.getBigUint64(site.class.note, true);
      if (address === 0n) continue;
      const run = this.runs.at(address);
      site.isMixed ||= site.run !== undefined && site.run !== run;
      site.run = run;
    }
  }

  /** How many functions have notes that `learn` would act on. */
  get learnable(): number {
    this.sample();
    const functions = new Set<bigint>();
    for (const {
      class: { kind },
      run,
      functions: own,
    } of this.#sites.values())
      if (kind === 'noted' && run !== undefined) for (const entry of own) functions.add(entry);
    return functions.size;
  }

  /**
   * Reads the notes. Functions to be written anew, together with those that they call: none where no note is new, else all
   * that have been seen to run.
   */
  learn(): bigint[] {
    const { stackPointer, view } = this.#options;
    let isNews = false;
    this.sample();
    for (const [key, site] of this.#sites) {
      const writes = (key & 1n) !== 0n;
      if (site.hint !== undefined) {
        site.class = this.#classFor(site.hint === 'stack' ? stackPointer() : site.hint, writes);
        site.hint = undefined;
      }
      if (site.class.kind !== 'noted' || site.run === undefined) continue;
      const address = view().getBigUint64(site.class.note, true);
      site.class = site.isMixed ? asking : this.#classFor(address, writes);
      for (const entry of site.functions) this.#ran.add(entry);
      isNews = true;
    }
    return isNews ? this.together([]) : [];
  }

  /** What has run, and what that calls: of functions with no notes at all nobody knows whether they ran. */
  #withCallees(silent: ReadonlySet<bigint>): bigint[] {
    const chosen = new Set(this.#ran);
    for (const entry of chosen)
      for (const callee of this.#functions.get(entry)?.callees ?? [])
        if (!silent.has(callee) && this.#functions.has(callee)) chosen.add(callee);
    return [...chosen];
  }

  /** How a site is to be written that went to an address. */
  #classFor(address: bigint, writes: boolean): SiteClass {
    if (writes && this.#options.holdsCode(address)) return asking;
    const run = this.runs.at(address);
    return run >= 0 ? { kind: 'window', run } : tlb;
  }
}

const keyOf = (instruction: bigint, writes: boolean): bigint =>
  instruction * 2n + (writes ? 1n : 0n);

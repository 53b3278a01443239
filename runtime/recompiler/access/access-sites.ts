/**
 * What is known of the places in guest code that access memory: into which run each goes, or that it goes anywhere. The
 * first translation of a site that nobody knows keeps the last address in a word of its own, so that the next one knows.
 */
import type { Run, Runs } from '../../memory/runs.ts';
import type { GuestFunction } from '../discover.ts';
import { type AccessGroup, isStack } from './access-groups.ts';

/**
 * How a site is written: through the TLB, the same with a note of the address in a word of memory, or a run's window; or
 * through the TLB with a way across the border of pages, and with no others merged.
 */
export type SiteClass =
  | { readonly kind: 'tlb' }
  | { readonly kind: 'apart' }
  | { readonly kind: 'noted'; readonly note: number }
  | { readonly kind: 'window'; readonly run: number };

interface Site {
  /** Entries of the functions that it was written in. */
  readonly functions: Set<bigint>;
  class: SiteClass;
  /** Exits for nothing since it was written. */
  misses: number;
  /** How often it has been given another window. */
  moves: number;
}

/** Words for notes, 8 bytes each. */
export const mostNotes = 0x1_0000;
export const notesBytes = mostNotes * 8;

/** Exits for nothing after which a site is written anew. */
const mostMisses = 3;
const mostMoves = 2;
const tlb: SiteClass = { kind: 'tlb' };
const none: ReadonlySet<bigint> = new Set();

export interface AccessSitesOptions {
  readonly runs: Runs;
  /** Host offset of `notesBytes` bytes. */
  readonly notes: number;
  readonly view: () => DataView;
  /** The guest's stack pointer now: its run is what stack accesses go to. */
  readonly stackPointer: () => bigint;
}

export class AccessSites {
  readonly runs: Runs;
  readonly #options: AccessSitesOptions;
  readonly #sites = new Map<bigint, Site>();
  readonly #functions = new Map<bigint, GuestFunction>();
  /** Functions of which some site has been seen to run. */
  readonly #ran = new Set<bigint>();
  #notes = 0;

  constructor(options: AccessSitesOptions) {
    this.runs = options.runs;
    this.#options = options;
  }

  /** How to write the site of a group's first access. */
  classOfGroup(fn: GuestFunction, group: AccessGroup): SiteClass {
    const hint = group.root === undefined ? group.least : isStack(group) ? 'stack' : undefined;
    return this.classOf(fn, group.first, hint);
  }

  /** How to write a site. `hint` is where it is likely to go: the stack, or a constant address. */
  classOf(
    fn: GuestFunction,
    { instruction, writes }: { readonly instruction: bigint; readonly writes: boolean },
    hint: 'stack' | bigint | undefined,
  ): SiteClass {
    this.#functions.set(fn.entry, fn);
    const key = keyOf(instruction, writes);
    const known = this.#sites.get(key);
    if (known !== undefined) {
      known.functions.add(fn.entry);
      return known.class;
    }
    const chosen = this.#guess(hint);
    this.#sites.set(key, { functions: new Set([fn.entry]), class: chosen, misses: 0, moves: 0 });
    return chosen;
  }

  /** The run of a window. */
  runOf(index: number): Run {
    const run = this.runs.all[index];
    if (run === undefined) throw new TypeError(`there is no run ${index}`);
    return run;
  }

  /** Whether an access is to be merged with no others, since what they span crosses pages. */
  isApart(instruction: bigint, writes: boolean): boolean {
    return this.#sites.get(keyOf(instruction, writes))?.class.kind === 'apart';
  }

  /** The window of a site did not hold an address: functions to be written anew, if that has become worth it. */
  missed(instruction: bigint, writes: boolean, address: bigint): ReadonlySet<bigint> {
    const site = this.#sites.get(keyOf(instruction, writes));
    if (site === undefined || site.class.kind !== 'window') return none;
    const run = this.runs.at(address);
    if (run === site.class.run || ++site.misses < mostMisses) return none;
    site.misses = 0;
    site.class = run >= 0 && ++site.moves <= mostMoves ? { kind: 'window', run } : tlb;
    return site.functions;
  }

  /** Code left though the TLB had the page: it was the next one that was missing, and other than this one. */
  crossed(instruction: bigint, writes: boolean): ReadonlySet<bigint> {
    const site = this.#sites.get(keyOf(instruction, writes));
    if (site === undefined || (site.class.kind !== 'tlb' && site.class.kind !== 'noted'))
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

  /**
   * Reads the notes. Functions to be written anew, together with those that they call: none where no note is new, else all
   * that have been seen to run.
   */
  learn(): bigint[] {
    const view = this.#options.view();
    let isNews = false;
    for (const site of this.#sites.values()) {
      if (site.class.kind !== 'noted') continue;
      const address = view.getBigUint64(site.class.note, true);
      if (address === 0n) continue;
      const run = this.runs.at(address);
      site.class = run >= 0 ? { kind: 'window', run } : tlb;
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

  #guess(hint: 'stack' | bigint | undefined): SiteClass {
    const { notes, stackPointer } = this.#options;
    const address = hint === 'stack' ? stackPointer() : hint;
    const run = address === undefined ? -1 : this.runs.at(address);
    if (run >= 0) return { kind: 'window', run };
    // A constant that lies in no run goes through the TLB; so does the stack.
    if (address !== undefined || this.#notes === mostNotes) return tlb;
    return { kind: 'noted', note: notes + 8 * this.#notes++ };
  }
}

const keyOf = (instruction: bigint, writes: boolean): bigint =>
  instruction * 2n + (writes ? 1n : 0n);

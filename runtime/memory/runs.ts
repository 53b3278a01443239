/**
 * Runs: the few long ranges of a guest's addresses that lie one behind the other in the machine as well, as RAM, a kernel's
 * image and a heap do where a domain builder chose the frames. Recompiled code knows lo and host of a run as constants; how
 * far it reaches it reads from memory, since runs grow and shrink.
 *
 * Every page of a run is accessed and dirty from then on: stores through it leave no trace of their own. Pages that the
 * guest may not write carry a flag that stores look at.
 */
import { type MachineMemory, pageSize } from './machine-memory.ts';
import type { LastTable, PageTables } from './page-tables.ts';

export interface Run {
  readonly lo: bigint;
  readonly host: number;
}

export const mostRuns = 4;
/** Powers of two that an access may span: 1 to 256 bytes. */
const runSpans = 9;
/** Of each run and span: how many places such an access may begin at, counted from lo; u64. */
export const runBoundsBytes = mostRuns * runSpans * 8;
export const runBound = (start: number, run: number, spanLog2: number): number =>
  start + 8 * (run * runSpans + spanLog2);

/** What is shorter is left to the TLB. */
const leastPages = 64;
/** 1 GiB. */
const mostPages = 0x4_0000;
const page = BigInt(pageSize);

type Tables = Pick<PageTables, 'look' | 'lastTable' | 'markDirty' | 'isUser'>;

interface Kept extends Run {
  pages: number;
  /** Undefined of one that is expected. */
  user: boolean | undefined;
  /** Last-level tables by what they map, as they were when all of the run's pages there were looked at. */
  readonly seen: Map<bigint, LastTable>;
}

/** What one last-level table maps: 2 MiB. */
const tableSpan = 512n * page;

export class Runs {
  readonly start: number;
  readonly #memory: MachineMemory;
  readonly #tables: Tables;
  readonly #runs: Kept[] = [];
  #expected: readonly Run[] = [];

  /** `start` is the host offset of `runBoundsBytes` bytes. */
  constructor(memory: MachineMemory, tables: Tables, start: number) {
    this.#memory = memory;
    this.#tables = tables;
    this.start = start;
  }

  get all(): readonly (Run & { readonly pages: number })[] {
    return this.#runs;
  }

  /** What code from elsewhere knows runs by: each gets the number that it has here, wherever it is met, and others come behind them. */
  expect(runs: readonly Run[]): void {
    this.#expected = runs;
  }

  /** The run that an address lies in; -1 if none. */
  at(address: bigint): number {
    return this.#runs.findIndex(
      ({ lo, pages }) => address >= lo && address < lo + BigInt(pages) * page,
    );
  }

  /** Where runs have a page of the machine. */
  addressesOf(host: number): bigint[] {
    return this.#runs
      .filter((run) => host >= run.host && host < run.host + run.pages * pageSize)
      .map((run) => run.lo + BigInt(host - run.host));
  }

  /** An address has been met that lies in no run: a run that ends before it grows, or a new one begins around it. */
  learn(address: bigint): void {
    const first = address - (address % page);
    const before = this.at(first - page);
    const next = this.#runs[before];
    if (next !== undefined) this.#grow(next, before);
    if (this.at(first) >= 0 || this.#runs.length === mostRuns) return;
    const mapping = this.#tables.look(first);
    if (mapping === undefined) return;
    const { host, user } = mapping;
    const below = this.#follow(first, host, user, -1);
    const above = this.#follow(first, host, user, 1);
    if (below + above - 1 < leastPages) return;
    const lo = first - BigInt(below - 1) * page;
    // One that a change had cut, and that goes on now: code knows it by its number.
    const known = this.#runs.findIndex(
      (run) =>
        run.lo >= lo &&
        run.lo <= first &&
        (run.user ?? user) === user &&
        run.host - host === Number(run.lo - first),
    );
    const cut = this.#runs[known];
    if (cut !== undefined) {
      cut.user = user;
      this.#grow(cut, known);
      return;
    }
    const run = { lo, host: host - (below - 1) * pageSize, pages: 0, user, seen: new Map() };
    this.#leaveNumbersBefore(run);
    this.#grow(run, this.#runs.push(run) - 1);
  }

  /** A run gets the number that is expected; all numbers before it are taken by those that are expected there. */
  #leaveNumbersBefore(run: Run): void {
    const found = this.#expected.findIndex(({ lo, host }) => lo === run.lo && host === run.host);
    const number = found < 0 ? this.#expected.length : found;
    if (number >= mostRuns) return;
    for (const { lo, host } of this.#expected.slice(this.#runs.length, number))
      this.#runs.push({ lo, host, pages: 0, user: undefined, seen: new Map() });
  }

  /** An entry of the tables has changed: the run around the address ends there, unless it is as it was. */
  changed(address: bigint): void {
    const index = this.at(address);
    const run = this.#runs[index];
    if (run === undefined) return;
    const pages = Number((address - run.lo) / page);
    if (!this.#holds(run, pages)) this.#cut(run, index, pages);
  }

  /** All tables may have changed. */
  verify(): void {
    this.#runs.forEach((run, index) => {
      let pages = 0;
      for (let end = 0; pages === end && end < run.pages; pages = this.#held(run, pages, end))
        end = this.#tableEnd(run, pages);
      this.#cut(run, index, pages);
    });
  }

  /** The first page of a run that is not mapped by the same last-level table as an earlier one, or the run's end. */
  #tableEnd({ lo, pages }: Kept, first: number): number {
    const from = lo + BigInt(first) * page;
    const span = from - (from % tableSpan);
    return Math.min(pages, Number((span + tableSpan - lo) / page));
  }

  /** How far pages of one last-level table hold; where the table is what it was, its pages are, too. */
  #held(run: Kept, from: number, end: number): number {
    const address = run.lo + BigInt(from) * page;
    const span = address - (address % tableSpan);
    const table = this.#tables.lastTable(address);
    if (isSame(run.seen.get(span), table)) return end;
    let pages = from;
    while (pages < end && this.#holds(run, pages)) pages++;
    if (pages === end && table !== undefined) run.seen.set(span, table);
    return pages;
  }

  /** Runs of a supervisor's are closed to programs. */
  levelChanged(): void {
    this.#runs.forEach((run, index) => {
      this.#writeBounds(run, index);
    });
  }

  #grow(run: Kept, index: number): void {
    while (run.pages < mostPages && this.#holds(run, run.pages)) run.pages++;
    this.#writeBounds(run, index);
  }

  #cut(run: Kept, index: number, pages: number): void {
    if (pages === run.pages) return;
    const host = run.host + pages * pageSize;
    const end = run.host + run.pages * pageSize;
    for (let at = host; at < end; at += pageSize) this.#memory.setReadOnlyInRun(at, false);
    // Others may have the same pages by other addresses, and their marks with them.
    for (const other of this.#runs)
      if (other.host < end && other.host + other.pages * pageSize > host) other.seen.clear();
    run.pages = pages;
    this.#writeBounds(run, index);
  }

  /** Whether a page is mapped as the run has it; if so it is made ready for stores that nobody sees. */
  #holds(run: Kept, pages: number): boolean {
    const address = run.lo + BigInt(pages) * page;
    const mapping = this.#tables.look(address);
    if (mapping === undefined) return false;
    const { host, user, writable, dirty } = mapping;
    if (host !== run.host + pages * pageSize || user !== run.user) return false;
    if (writable && !dirty) this.#tables.markDirty(address);
    this.#memory.setReadOnlyInRun(host, !writable);
    return true;
  }

  /** How many pages from one on, itself included, follow each other upward or downward. */
  #follow(address: bigint, host: number, user: boolean, step: 1 | -1): number {
    let count = 1;
    for (; count < mostPages; count++) {
      const at = address + BigInt(count * step) * page;
      const mapping = at < 0n ? undefined : this.#tables.look(at);
      if (mapping?.host !== host + count * step * pageSize || mapping.user !== user) break;
    }
    return count;
  }

  #writeBounds({ pages, user }: Kept, index: number): void {
    const view = this.#memory.view();
    const isOpen = user === true || !this.#tables.isUser;
    for (let log2 = 0; log2 < runSpans; log2++) {
      const bound = isOpen ? BigInt(pages * pageSize - 2 ** log2 + 1) : 0n;
      view.setBigUint64(runBound(this.start, index, log2), bound > 0n ? bound : 0n, true);
    }
  }
}

const isSame = (a: LastTable | undefined, b: LastTable | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.host === b.host &&
  a.version === b.version &&
  a.writable === b.writable &&
  a.user === b.user;

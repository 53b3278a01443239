/**
 * Code that may change: the pages that hold it are marked, so that stores to them leave, and who writes there hears which
 * functions were made from the bytes.
 */
import type { AddressSpace } from '../../memory/address-space.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import { PageIndex, pagesOf, type Stretch } from '../../memory/page-index.ts';
import type { InstalledFunction } from './code-store.ts';

const pageSize = 0x1000n;
const none: ReadonlySet<InstalledFunction> = new Set();

export class CodeWatch {
  readonly #memory: MachineMemory;
  readonly #space: AddressSpace;
  readonly #changes: (address: bigint) => boolean;
  /** By host offset. */
  readonly #functions = new PageIndex<InstalledFunction>();
  readonly #places = new Map<InstalledFunction, readonly Stretch[]>();
  /** By address of a page: where it lay when functions were made from it. */
  readonly #pages = new Map<
    bigint,
    { readonly host: number; readonly made: Set<InstalledFunction> }
  >();

  constructor(
    memory: MachineMemory,
    space: AddressSpace,
    /** Whether the guest may write to what an address of code holds. */
    changes: (address: bigint) => boolean,
  ) {
    this.#memory = memory;
    this.#space = space;
    this.#changes = changes;
  }

  add(fn: InstalledFunction): void {
    const places = [...fn.code, ...fn.tables].flatMap((stretch) => this.#placesOf(stretch, fn));
    if (places.length === 0) return;
    this.#places.set(fn, places);
    this.#functions.add(fn, places);
    for (const { from, to } of places) this.#memory.holdCode(Number(from), Number(to));
  }

  remove(fn: InstalledFunction): void {
    const places = this.#places.get(fn);
    if (places === undefined) return;
    this.#places.delete(fn);
    for (const page of pagesIn([...fn.code, ...fn.tables])) {
      const known = this.#pages.get(page);
      known?.made.delete(fn);
      if (known?.made.size === 0) this.#pages.delete(page);
    }
    this.#functions.remove(fn, places);
    for (const { from } of places) this.#memory.releaseCode(Number(from));
  }

  clear(): void {
    for (const fn of [...this.#places.keys()]) this.remove(fn);
  }

  /** Functions made from any byte of a stretch of the machine's memory. */
  madeFrom(host: number, bytes: number): ReadonlySet<InstalledFunction> {
    return this.#functions.touching({ from: BigInt(host), to: BigInt(host + bytes) });
  }

  /** Functions made from pages whose addresses lead elsewhere by now. */
  remapped(): ReadonlySet<InstalledFunction> {
    const made = new Set<InstalledFunction>();
    for (const page of this.#pages.keys())
      for (const fn of this.remappedAt(page * pageSize)) made.add(fn);
    return made;
  }

  /** The same of the page around an address. */
  remappedAt(address: bigint): ReadonlySet<InstalledFunction> {
    const page = address / pageSize;
    const known = this.#pages.get(page);
    if (known === undefined || this.#space.translate(page * pageSize, 'read') === known.host)
      return none;
    return known.made;
  }

  /** Host offsets of a stretch of code, page by page, where it may change. */
  #placesOf(stretch: Stretch, fn: InstalledFunction): Stretch[] {
    const places: Stretch[] = [];
    for (const page of pagesOf(stretch)) {
      const from = max(stretch.from, page * pageSize);
      const to = min(stretch.to, (page + 1n) * pageSize);
      const host = this.#changes(from) ? this.#space.translate(from, 'read') : undefined;
      if (typeof host !== 'number') continue;
      const known = this.#pages.get(page) ?? { host: host - (host % 4096), made: new Set() };
      this.#pages.set(page, known);
      known.made.add(fn);
      places.push({ from: BigInt(host), to: BigInt(host) + to - from });
    }
    return places;
  }
}

const pagesIn = (places: readonly Stretch[]): Set<bigint> =>
  new Set(places.flatMap((place) => [...pagesOf(place)]));
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/**
 * A vCPU's translation look-aside buffer, in the machine's memory, where recompiled code looks: two direct-mapped tables, for
 * loads and for stores, so that finding a tag is the permission. An entry is {tag u64, delta u32, next u32}: the page's
 * address; host offset less address, modulo 2^32; and the lower half of the following page's address where that lies behind
 * it in the machine, too, with the same permission. A page that holds code has a tag of its own for stores, and in place of
 * `next` where the bits of its code are (code-bytes.ts).
 */
import { type MachineMemory, pageSize } from './machine-memory.ts';

export const tlbEntryBytes = 16;
/** In each of the two tables: 32 MiB of pages. */
export const tlbEntries = 8192;
const tableBytes = tlbEntries * tlbEntryBytes;
export const tlbBytes = 2 * tableBytes;

/** No page's address, since its lower bits are not 0. */
const empty = 1;

/** In the tag of a page that holds code. */
export const besideCode = 2;

export type TlbKind = 'load' | 'store';

export const tlbTable = (start: number, kind: TlbKind): number =>
  kind === 'load' ? start : start + tableBytes;

/** Which entry a page has, from the lower half of its address. */
const indexOf = (low: number): number => (low >>> 12) & (tlbEntries - 1);

/** To empty so many entries one by one is quicker than all of them at once. */
const mostOneByOne = 1024;

export class Tlb {
  readonly start: number;
  readonly #memory: MachineMemory;
  /** Places of entries that have been filled since all were empty; too many to count: all of them may be. */
  #filled: number[] | undefined;

  /** `start` is the host offset of `tlbBytes` bytes. */
  constructor(memory: MachineMemory, start: number) {
    this.#memory = memory;
    this.start = start;
    this.flush();
  }

  /** `address` and `host` are those of the page's first byte. */
  fill(kind: TlbKind, address: bigint, host: number): void {
    const view = this.#memory.view();
    const low = Number(address & 0xffff_ffffn);
    const at = this.#entry(kind, low);
    const delta = (host - low) >>> 0;
    this.#note(at);
    view.setBigUint64(at, address, true);
    view.setUint32(at + 8, delta, true);
    this.#join(kind, address, delta);
    this.#join(kind, address - BigInt(pageSize), delta);
  }

  /** Stores to a page that holds code, but for bytes that the code was made from: `bits` says which. */
  fillBesideCode(address: bigint, host: number, bits: number): void {
    const view = this.#memory.view();
    const low = Number(address & 0xffff_ffffn);
    const at = this.#entry('store', low);
    this.#note(at);
    view.setBigUint64(at, address | BigInt(besideCode), true);
    view.setUint32(at + 8, (host - low) >>> 0, true);
    view.setUint32(at + 12, bits, true);
  }

  isBesideCode(address: bigint): boolean {
    return this.has('store', address | BigInt(besideCode));
  }

  has(kind: TlbKind, address: bigint): boolean {
    const at = this.#entry(kind, Number(address & 0xffff_ffffn));
    return this.#memory.view().getBigUint64(at, true) === address;
  }

  /** What INVLPG does. */
  invalidate(address: bigint): void {
    const page = address - (address % BigInt(pageSize));
    for (const kind of ['load', 'store'] as const) {
      if (this.has(kind, page) || (kind === 'store' && this.isBesideCode(page)))
        this.#clear(this.#entry(kind, Number(page & 0xffff_ffffn)));
      const before = page - BigInt(pageSize);
      const at = this.#entry(kind, Number(before & 0xffff_ffffn));
      if (this.has(kind, before)) this.#memory.view().setUint32(at + 12, empty, true);
    }
  }

  flush(): void {
    if (this.#filled !== undefined) for (const at of this.#filled) this.#clear(at);
    else {
      this.#clear(this.start);
      const bytes = this.#memory.bytes();
      for (let done = tlbEntryBytes; done < tlbBytes; done *= 2)
        bytes.copyWithin(this.start + done, this.start, this.start + done);
    }
    this.#filled = [];
  }

  #note(at: number): void {
    if (this.#filled === undefined) return;
    if (this.#filled.length < mostOneByOne) this.#filled.push(at);
    else this.#filled = undefined;
  }

  /** Stores to these pages of the machine must be looked at again, by whatever address they are made. */
  forgetStoresTo(host: number, bytes: number): void {
    const view = this.#memory.view();
    const table = tlbTable(this.start, 'store');
    for (let at = table; at < table + tableBytes; at += tlbEntryBytes) {
      const low = view.getUint32(at, true);
      if (low === empty) continue;
      const page = ((low & ~besideCode) + view.getUint32(at + 8, true)) >>> 0;
      // The page before may have joined this one.
      if (page + 2 * pageSize > host && page < host + bytes) this.#clear(at);
    }
  }

  /** Says of a page whether the next one follows it in the machine. */
  #join(kind: TlbKind, address: bigint, delta: number): void {
    const view = this.#memory.view();
    const at = this.#entry(kind, Number(BigInt.asUintN(32, address)));
    if (view.getBigUint64(at, true) !== BigInt.asUintN(64, address)) return;
    const next = BigInt.asUintN(64, address) + BigInt(pageSize);
    const behind = this.#entry(kind, Number(next & 0xffff_ffffn));
    const follows =
      view.getUint32(at + 8, true) === delta &&
      view.getUint32(behind + 8, true) === delta &&
      this.has(kind, next);
    view.setUint32(at + 12, follows ? Number(next & 0xffff_ffffn) : empty, true);
  }

  #entry(kind: TlbKind, low: number): number {
    return tlbTable(this.start, kind) + indexOf(low) * tlbEntryBytes;
  }

  #clear(at: number): void {
    const view = this.#memory.view();
    view.setBigUint64(at, BigInt(empty), true);
    view.setUint32(at + 8, 0, true);
    view.setUint32(at + 12, empty, true);
  }
}

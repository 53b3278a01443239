/** The free space of an application: the heap grows up (sbrk), thread stacks come down from the end. */
import type { ProtectedSpace } from '../../memory/address-space.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { pageSize, roundToPages } from '../../memory/machine-memory.ts';
import { failure } from '../errno.ts';
import type { AddressMap } from './address-map.ts';

const page = BigInt(pageSize);
const roundUp = (address: bigint): bigint => ((address + page - 1n) / page) * page;

export class FreeSpace {
  readonly #addressSpace: ProtectedSpace;
  readonly #memory: GuestMemory;
  readonly #start: bigint;
  readonly #end: bigint;
  /** End of the heap. */
  #break: bigint;
  /** Start of the lowest block that came down from the end. */
  #bottom: bigint;
  /** From here on free pages may have been written. */
  #written: bigint;
  /** Blocks that came back, by their size. */
  readonly #returned = new Map<number, bigint[]>();

  constructor(map: AddressMap, addressSpace: ProtectedSpace, memory: GuestMemory) {
    this.#addressSpace = addressSpace;
    this.#memory = memory;
    this.#start = map.heap;
    this.#end = map.end;
    this.#break = map.heap;
    this.#bottom = map.end;
    this.#written = map.end;
    addressSpace.unmap(map.heap, map.end - map.heap);
  }

  /** In pages; blocks that came back are not counted as free. */
  get counts(): { readonly all: bigint; readonly free: bigint } {
    const free = this.#bottom - roundUp(this.#break);
    return { all: (this.#end - this.#start) / page, free: (free > 0n ? free : 0n) / page };
  }

  /** Moves the heap's end and answers where it was; new memory is zero. */
  moveBreak(increment: bigint): bigint {
    const old = this.#break;
    const next = old + increment;
    if (next < this.#start || roundUp(next) > this.#bottom)
      throw failure('ENOMEM', `the heap cannot end at 0x${next.toString(16)}`);
    const [oldTop, newTop] = [roundUp(old), roundUp(next)];
    if (newTop > oldTop) this.#addressSpace.protect(oldTop, newTop - oldTop, true);
    this.#clear(oldTop, newTop);
    if (next < old) {
      this.#memory.fill(next, Number(oldTop - next), 0);
      this.#addressSpace.unmap(newTop, oldTop - newTop);
    }
    this.#break = next;
    return old;
  }

  /** Writable pages with one page below them that faults on a store; undefined where there is no room. */
  allocateGuarded(bytes: number): bigint | undefined {
    const size = roundToPages(bytes);
    const known = this.#returned.get(size)?.pop();
    const start = known ?? this.#bottom - BigInt(size);
    if (known === undefined) {
      if (start - page < roundUp(this.#break)) return undefined;
      this.#bottom = start - page;
    }
    this.#addressSpace.protect(start - page, page, false);
    this.#addressSpace.protect(start, size, true);
    return start;
  }

  /** Writable pages of a power of two in bytes, aligned to it, up to `end`, which alignment may put behind them. */
  takePages(bytes: bigint): { readonly start: bigint; readonly end: bigint } | undefined {
    const end = this.#bottom;
    const start = (end - bytes) & -bytes;
    if (start < roundUp(this.#break)) return undefined;
    this.#bottom = start;
    this.#addressSpace.protect(start, end - start, true);
    return { start, end };
  }

  /** Zeros that may be written, whole pages of them; undefined where there is no room. */
  takeRun(bytes: bigint): bigint | undefined {
    const start = this.#bottom - bytes;
    if (start < roundUp(this.#break)) return undefined;
    this.#bottom = start;
    this.#addressSpace.protect(start, bytes, true);
    this.#clear(start, start + bytes);
    return start;
  }

  /** Where nothing lies below them, the pages are free for all again. */
  returnRun(start: bigint, end: bigint): boolean {
    if (start !== this.#bottom) return false;
    this.#bottom = end;
    if (start < this.#written) this.#written = start;
    return true;
  }

  #clear(from: bigint, to: bigint): void {
    const start = from > this.#written ? from : this.#written;
    if (start < to) this.#memory.fill(start, Number(to - start), 0);
  }

  /** The heap, and all that came down from the end: what of it is free faults. */
  get used(): readonly { readonly start: bigint; readonly end: bigint }[] {
    return [
      { start: this.#start, end: roundUp(this.#break) },
      { start: this.#bottom, end: this.#end },
    ];
  }

  free(start: bigint, bytes: number): void {
    const size = roundToPages(bytes);
    const blocks = this.#returned.get(size) ?? [];
    this.#returned.set(size, blocks);
    blocks.push(start);
  }
}

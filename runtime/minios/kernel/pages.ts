/** Pages by powers of two, as Mini-OS's mm.c gives them: buddies, each block aligned to its size. */
import type { DomainFrames } from '../../domain/domain-frames.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import { failure } from '../errno.ts';
import type { FreeSpace } from './free-space.ts';

/** Mini-OS's FREELIST_SIZE would allow more than any address space has. */
const mostOrder = 20;
const sizeOf = (order: number): bigint => BigInt(pageSize) << BigInt(order);

export class Pages {
  readonly #space: FreeSpace;
  readonly #memory: GuestMemory;
  readonly #frames: DomainFrames;
  /** Free blocks, by order. */
  readonly #free: Set<bigint>[] = Array.from({ length: mostOrder + 1 }, () => new Set());
  /** Blocks that were given out, and their orders. */
  readonly #used = new Map<bigint, number>();

  constructor(space: FreeSpace, memory: GuestMemory, frames: DomainFrames) {
    this.#space = space;
    this.#memory = memory;
    this.#frames = frames;
  }

  /** 0 where there is no room. */
  allocate(order: number): bigint {
    if (order < 0 || order > mostOrder) return 0n;
    const from = this.#free.findIndex((blocks, i) => i >= order && blocks.size > 0);
    const start = from < 0 ? this.#grow(order) : this.#split(from, order);
    if (start === undefined) return 0n;
    this.#used.set(start, order);
    return start;
  }

  /** One page of zeros; 0 where there is no room. */
  allocateZeroed(): bigint {
    const start = this.allocate(0);
    if (start !== 0n) this.#memory.fill(start, pageSize, 0);
    return start;
  }

  /** What is no such block stays as it is. */
  free(start: bigint, order: number): void {
    if (this.#used.get(start) !== order) return;
    this.#used.delete(start);
    this.#put(start, order);
  }

  /** The machine frame that an address lies in; EFAULT where nothing is. */
  frameAt(address: bigint): bigint {
    const host = this.#memory.addressSpace.translate(address, 'read');
    if (typeof host !== 'number')
      throw failure('EFAULT', `nothing is mapped at 0x${address.toString(16)}`);
    return BigInt(this.#frames.frameOf(host));
  }

  #split(from: number, order: number): bigint | undefined {
    const [start] = this.#free[from] ?? [];
    if (start === undefined) return undefined;
    this.#free[from]?.delete(start);
    for (let half = from - 1; half >= order; half--) this.#free[half]?.add(start + sizeOf(half));
    return start;
  }

  /** From the free space; what alignment leaves over is given out as smaller blocks. */
  #grow(order: number): bigint | undefined {
    const taken = this.#space.takePages(sizeOf(order));
    if (taken === undefined) return undefined;
    const { start, end } = taken;
    for (let at = start + sizeOf(order); at < end; ) {
      let fitting = mostOrder;
      while (at % sizeOf(fitting) !== 0n || at + sizeOf(fitting) > end) fitting--;
      this.#put(at, fitting);
      at += sizeOf(fitting);
    }
    return start;
  }

  #put(start: bigint, order: number): void {
    const buddy = start ^ sizeOf(order);
    if (order < mostOrder && this.#free[order]?.delete(buddy))
      this.#put(start < buddy ? start : buddy, order + 1);
    else this.#free[order]?.add(start);
  }
}

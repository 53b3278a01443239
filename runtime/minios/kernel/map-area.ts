/**
 * What mmap gives out: whole pages from below the stacks, and what may be done with them (POSIX XSH mmap, mprotect). Pages that
 * came back fault like those that were never there.
 */
import type { ProtectedSpace } from '../../memory/address-space.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import { failure } from '../errno.ts';
import type { FreeSpace } from './free-space.ts';

const page = BigInt(pageSize);

/** PROT_READ and PROT_WRITE of sys/mman.h. */
const PROT = { READ: 1, WRITE: 2 } as const;

/** From `start` up to, and without, `end`. */
interface Run {
  readonly start: bigint;
  readonly end: bigint;
}

export interface MapAreaParts {
  readonly space: FreeSpace;
  readonly addressSpace: ProtectedSpace;
  readonly memory: GuestMemory;
  /** Writable data of the image, and the main stack. */
  readonly data: readonly Run[];
}

export class MapArea {
  readonly #parts: MapAreaParts;
  /** Were given out and came back: apart from each other, in order. */
  #free: readonly Run[] = [];
  /** Are given out: the same. */
  #taken: readonly Run[] = [];

  constructor(parts: MapAreaParts) {
    this.#parts = parts;
  }

  /** Zeros that may be written; ENOMEM. */
  take(bytes: bigint): bigint {
    const size = wholePages(bytes);
    const start = this.#reuse(size) ?? this.#parts.space.takeRun(size);
    if (start === undefined || size === 0n)
      throw failure('ENOMEM', `no room for ${bytes} bytes of pages`);
    this.#taken = joined(this.#taken, { start, end: start + size });
    return start;
  }

  /** Whole pages that are given out. */
  give(start: bigint, bytes: bigint): void {
    const run = runOf(start, bytes);
    if (!covers(this.#taken, run)) throw failure('EINVAL', `${hex(start)} is not mapped`);
    this.#taken = without(this.#taken, run);
    this.#parts.addressSpace.unmap(start, run.end - start);
    this.#free = joined(this.#free, run);
    const first = this.#free[0];
    if (first !== undefined && this.#parts.space.returnRun(first.start, first.end))
      this.#free = this.#free.slice(1);
  }

  /** Of anything that the program may write without it: pages of mmap, the heap, stacks, data. */
  protect(start: bigint, bytes: bigint, protection: number): void {
    const { space, addressSpace, data } = this.#parts;
    if (start % page !== 0n || (protection & ~(PROT.READ | PROT.WRITE)) !== 0)
      throw failure('EINVAL', `protection ${protection} at ${hex(start)}`);
    const run = runOf(start, bytes);
    const own = space.used.reduce(joined, data);
    if (
      this.#free.some((free) => free.start < run.end && run.start < free.end) ||
      !covers(own, run)
    )
      throw failure('ENOMEM', `not all of ${bytes} bytes at ${hex(start)} is mapped`);
    if (run.end === run.start) return;
    if (protection === 0) addressSpace.unmap(start, run.end - start);
    else addressSpace.protect(start, run.end - start, (protection & PROT.WRITE) !== 0);
  }

  #reuse(size: bigint): bigint | undefined {
    const found = this.#free.find(({ start, end }) => end - start >= size);
    if (found === undefined || size === 0n) return undefined;
    const run = { start: found.end - size, end: found.end };
    this.#free = without(this.#free, run);
    this.#parts.addressSpace.protect(run.start, size, true);
    this.#parts.memory.fill(run.start, Number(size), 0);
    return run.start;
  }
}

const wholePages = (bytes: bigint): bigint => ((bytes + page - 1n) / page) * page;
const runOf = (start: bigint, bytes: bigint): Run => ({ start, end: start + wholePages(bytes) });

/** With one more, which meets its neighbours. */
function joined(runs: readonly Run[], { start, end }: Run): readonly Run[] {
  const touches = (run: Run): boolean => run.start <= end && start <= run.end;
  const met = runs.filter(touches);
  const [first, last] = [met[0], met.at(-1)];
  const all = {
    start: first !== undefined && first.start < start ? first.start : start,
    end: last !== undefined && last.end > end ? last.end : end,
  };
  const before = runs.filter((run) => run.end < start);
  return [...before, all, ...runs.filter((run) => run.start > end)];
}

const without = (runs: readonly Run[], { start, end }: Run): readonly Run[] =>
  runs.flatMap((run) =>
    [
      { start: run.start, end: run.end < start ? run.end : start },
      { start: run.start > end ? run.start : end, end: run.end },
    ].filter((part) => part.start < part.end),
  );

const covers = (runs: readonly Run[], { start, end }: Run): boolean =>
  start === end || runs.some((run) => run.start <= start && end <= run.end);

const hex = (address: bigint): string => `0x${address.toString(16)}`;

/**
 * The machine's memory: one WebAssembly.Memory cut into 4 KiB frames. Offsets into it are called host offsets. Below the
 * frames lie the vCPUs' state blocks and one flag byte a host page, which recompiled stores look at.
 */
import { UserError } from '../errors.ts';
import { CodeBytes } from './code-bytes.ts';

export const pageSize = 4096;
const wasmPageSize = 65536;
/** What a WebAssembly.Memory with 32-bit addresses can be. */
const mostWasmPages = 65536;

/** vCPU state blocks (x86/state.ts); the first page stays empty. */
const cpuStatesOffset = 0x1000;
/** One byte for each page of 4 GiB. Not zero: a store to this page must not take the fast path. */
export const pageFlagsOffset = 0x1_0000;
/** The first frame. */
export const framesOffset = 0x11_0000;

/** Why a page's flag byte is not zero; several may hold. */
export const pageFlags = {
  /** The guest may read it, but not write. */
  readOnly: 1,
  /** Nothing is mapped here for stores; a load reads what the frame holds. */
  absent: 2,
  /** Translated code was made from what it holds: whoever writes looks for code to forget. */
  code: 4,
  /** The guest may not write it where it is part of a run (runs.ts). */
  readOnlyInRun: 8,
  /** A page table of a guest's, which only its kernel's checks may change. */
  pageTable: 16,
  /** The page behind this one has a flag, and this one perhaps none: for stores that may reach into it. */
  next: 0x80,
} as const;

/** Bytes that the frames of all domains together can have. */
const mostFrameBytes = mostWasmPages * wasmPageSize - framesOffset;

/** What one guest can be given; the rest is for what the machine keeps for it. */
export const mostGuestBytes = mostFrameBytes - 14 * 2 ** 20;

export const pagesOf = (bytes: number): number => Math.ceil(bytes / pageSize);
export const roundToPages = (bytes: number): number => pagesOf(bytes) * pageSize;

interface Run {
  readonly start: number;
  readonly length: number;
}

/** Is told of pages whose flags have become such that stores must look at them, or look elsewhere. */
export type FlagWatcher = (host: number, bytes: number) => void;

export class MachineMemory {
  readonly memory: WebAssembly.Memory;
  readonly #maximum: number;
  #view: DataView;
  #bytes: Uint8Array;
  #nextState = cpuStatesOffset;
  /** Frames from here on have never been given out, so they are zero. */
  #fresh = framesOffset;
  /** In order of their starts; no two touch. */
  readonly #free: Run[] = [];
  readonly #code = new CodeBytes(this);
  readonly #codeListeners = new Set<(host: number, bytes: number) => void>();
  readonly #watchers: FlagWatcher[] = [];

  /** `most` bounds the bytes of all frames together. */
  constructor(most: number = mostFrameBytes) {
    const bytes = Math.min(most, mostFrameBytes) + framesOffset;
    this.#maximum = Math.ceil(bytes / wasmPageSize);
    const initial = Math.ceil(framesOffset / wasmPageSize);
    this.memory = new WebAssembly.Memory({ initial, maximum: this.#maximum });
    this.#view = new DataView(this.memory.buffer);
    this.#bytes = new Uint8Array(this.memory.buffer);
  }

  /** What an importing module must declare: 64 KiB pages. */
  get maximumPages(): number {
    return this.#maximum;
  }

  /** Only good until the next allocation: never keep it. */
  view(): DataView {
    return this.#view;
  }

  /** Only good until the next allocation: never keep it. */
  bytes(): Uint8Array {
    return this.#bytes;
  }

  /** A zeroed, 16-byte aligned state block of a vCPU. */
  allocateState(size: number): number {
    const state = this.#nextState;
    const next = state + Math.ceil(size / 16) * 16;
    if (next > pageFlagsOffset)
      throw new UserError(`the machine has room for no more vCPUs (state blocks end at ${state})`);
    this.#nextState = next;
    return state;
  }

  /** Contiguous zeroed frames; the host offset of the first. */
  allocate(bytes: number): number {
    const length = roundToPages(bytes);
    const reused = this.#takeFree(length);
    if (reused !== undefined) return reused;
    const start = this.#fresh;
    this.#growTo(start + length);
    this.#fresh = start + length;
    return start;
  }

  /** The same; undefined where the machine has no room for them. */
  tryAllocate(bytes: number): number | undefined {
    try {
      return this.allocate(bytes);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return undefined;
    }
  }

  /** Gives frames back; the next owner finds zeros and no flags. */
  free(start: number, bytes: number): void {
    const length = roundToPages(bytes);
    this.willWrite(start, length);
    this.#bytes.fill(0, start, start + length);
    this.setFlags(start, length, 0);
    this.#join(start, length);
  }

  /** Into the list in order; a guest may give its memory back page by page. */
  #join(start: number, length: number): void {
    const free = this.#free;
    let [low, high] = [0, free.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((free[middle]?.start ?? 0) < start) low = middle + 1;
      else high = middle;
    }
    const [before, after] = [free[low - 1], free[low]];
    const joinsBefore = before !== undefined && before.start + before.length === start;
    const joinsAfter = after !== undefined && start + length === after.start;
    const first = joinsBefore ? before.start : start;
    const end = joinsAfter ? after.start + after.length : start + length;
    const joined = Number(joinsBefore) + Number(joinsAfter);
    free.splice(joinsBefore ? low - 1 : low, joined, { start: first, length: end - first });
  }

  /** What the guest may do with every page of a page-aligned stretch. */
  setFlags(start: number, bytes: number, flags: number): void {
    const first = pageFlagsOffset + start / pageSize;
    this.#bytes.fill(flags, first, first + pagesOf(bytes));
    this.#markBefore(first, first + pagesOf(bytes));
    for (const page of this.#code.pages)
      if (page >= start && page < start + bytes) this.#mark(page, true);
    if (flags !== 0) for (const watcher of this.#watchers) watcher(start, bytes);
  }

  onFlagged(watcher: FlagWatcher): void {
    this.#watchers.push(watcher);
  }

  /** A translated function was made from bytes of one page: stores to the page need a look from now on. */
  holdCode(from: number, to: number): void {
    if (this.#code.hold(from, to)) this.#mark(from - (from % pageSize), true);
  }

  /** The function is forgotten. */
  releaseCode(from: number): void {
    if (this.#code.release(from)) this.#mark(from - (from % pageSize), false);
  }

  /**
   * Where the bits of a page's bytes are that translated code was made from, a bit a byte: until watchers hear of the page.
   * Undefined where it has another flag, or the machine no room.
   */
  codeBits(page: number): number | undefined {
    const { code, readOnlyInRun } = pageFlags;
    return (this.flagsAt(page) & ~readOnlyInRun) === code ? this.#code.bitsOf(page) : undefined;
  }

  /** Calls, before bytes that code may have been made from change, with where they lie. */
  listenToCodeWrites(listener: (host: number, bytes: number) => void): void {
    this.#codeListeners.add(listener);
  }

  /** To be called before anybody but recompiled code writes what a guest may execute. */
  willWrite(host: number, bytes: number): void {
    if (this.#code.isEmpty || !this.#code.touches(host, bytes)) return;
    for (const listener of this.#codeListeners) listener(host, bytes);
    this.#code.forgotten(host, bytes);
  }

  /** Says of a page that is part of a run whether the guest may not write it there (runs.ts). */
  setReadOnlyInRun(host: number, value: boolean): void {
    this.#setFlag(host - (host % pageSize), pageFlags.readOnlyInRun, value);
  }

  /** Says of a page whether it is a guest's page table. */
  setPageTable(host: number, value: boolean): void {
    this.#setFlag(host, pageFlags.pageTable, value);
    if (value) for (const watcher of this.#watchers) watcher(host, pageSize);
  }

  #mark(page: number, holds: boolean): void {
    this.#setFlag(page, pageFlags.code, holds);
    for (const watcher of this.#watchers) watcher(page, pageSize);
  }

  #setFlag(page: number, flag: number, value: boolean): void {
    const at = pageFlagsOffset + page / pageSize;
    const flags = this.#bytes[at] ?? 0;
    this.#bytes[at] = value ? flags | flag : flags & ~flag;
    this.#markBefore(at, at + 1);
  }

  /** Sets `next` of the pages before those whose flag bytes lie from `first` to `end`. */
  #markBefore(first: number, end: number): void {
    for (let at = first; at <= end; at++) {
      const own = (this.#bytes[at] ?? 0) & ~pageFlags.next;
      const before = (this.#bytes[at - 1] ?? 0) & ~pageFlags.next;
      this.#bytes[at - 1] = before | (own === 0 ? 0 : pageFlags.next);
    }
  }

  /** Without `next`. */
  flagsAt(host: number): number {
    const flags = this.#bytes[pageFlagsOffset + Math.floor(host / pageSize)] ?? 0;
    return flags & ~pageFlags.next;
  }

  #takeFree(length: number): number | undefined {
    const index = this.#free.findIndex((run) => run.length >= length);
    const run = this.#free[index];
    if (run === undefined) return undefined;
    const rest = { start: run.start + length, length: run.length - length };
    this.#free.splice(index, 1, ...(rest.length > 0 ? [rest] : []));
    return run.start;
  }

  #growTo(end: number): void {
    const missing = Math.ceil((end - this.memory.buffer.byteLength) / wasmPageSize);
    if (missing <= 0) return;
    try {
      this.memory.grow(missing);
    } catch (cause) {
      const megabytes = Math.ceil(end / 2 ** 20);
      throw new UserError(
        `no memory for the guest: the host gives no ${megabytes} MiB; ask for less with --memory`,
        { cause },
      );
    }
    this.#view = new DataView(this.memory.buffer);
    this.#bytes = new Uint8Array(this.memory.buffer);
  }
}

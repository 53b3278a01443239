/** Translated code of one vCPU: the function table, the code map, and the modules installed. */
import { codeMapBytes, codeMapIndex, emptyAddress, type Layout } from './layout.ts';
import type { LoweredFunction } from './lower-function.ts';

/** The function table's fixed size: growing it would cost every instance that imports it. */
const tableSize = 0x2_0000;

interface Place {
  readonly index: number;
  readonly selector: number;
}

export class CodeStore {
  readonly #layout: Layout;
  readonly #memory: WebAssembly.Memory;
  readonly #flags: () => number;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: tableSize });
  readonly #places = new Map<bigint, Place>();
  #next = 0;
  #run: (() => void) | undefined;
  #call: unknown;

  constructor(layout: Layout, memory: WebAssembly.Memory, flags: () => number) {
    this.#layout = layout;
    this.#memory = memory;
    this.#flags = flags;
    new Uint8Array(memory.buffer, layout.codeMap, codeMapBytes).fill(0xff);
    // The entry that all ones has themselves is empty with another address.
    const own = layout.codeMap + codeMapIndex(emptyAddress) * 16;
    new DataView(memory.buffer).setBigUint64(own, 1n, true);
  }

  installDispatcher(bytes: Uint8Array): void {
    const exports = this.#instantiate(bytes, { table: this.#table });
    this.#run = exports['run'] as () => void;
    this.#call = exports['call'];
  }

  install(bytes: Uint8Array, functions: readonly LoweredFunction[]): void {
    const base = new WebAssembly.Global({ value: 'i32' }, this.#next);
    const exports = this.#instantiate(bytes, { call: this.#call, flags: this.#flags, base });
    if (this.#next + functions.length > tableSize)
      throw new RangeError(`the function table is full (${tableSize} functions)`);
    for (const { name, entries } of functions) {
      const index = this.#next++;
      this.#table.set(index, exports[name]);
      for (const { address, selector } of entries) this.#put(address, { index, selector });
    }
  }

  has(address: bigint): boolean {
    return this.#places.has(address);
  }

  /** Puts an address into the code map again that another has pushed out; false where it has no code. */
  refill(address: bigint): boolean {
    const place = this.#places.get(address);
    if (place === undefined) return false;
    this.#put(address, place);
    return true;
  }

  /** Runs from the state block's rip until the guest leaves. */
  run(): void {
    if (this.#run === undefined) throw new TypeError('the dispatcher is not installed');
    this.#run();
  }

  #instantiate(
    bytes: Uint8Array,
    imports: Record<string, unknown>,
  ): Readonly<Record<string, unknown>> {
    const module = new WebAssembly.Module(bytes);
    return new WebAssembly.Instance(module, { machine: { memory: this.#memory, ...imports } })
      .exports;
  }

  #put(address: bigint, place: Place): void {
    this.#places.set(address, place);
    const view = new DataView(
      this.#memory.buffer,
      this.#layout.codeMap + codeMapIndex(address) * 16,
      16,
    );
    view.setBigUint64(0, address, true);
    view.setUint32(8, place.index, true);
    view.setUint32(12, place.selector, true);
  }
}

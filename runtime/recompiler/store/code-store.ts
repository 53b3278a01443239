/** Translated code of one vCPU: the function table, the code map, and the modules installed. */
import { PageIndex } from '../../memory/page-index.ts';
import { codeMapBytes, codeMapIndex, emptyAddress, type Layout } from '../layout.ts';
import { Slots } from '../lower/slots.ts';
import type { StoredFunction } from './stored-function.ts';

/** The function table's fixed size: growing it would cost every instance that imports it. */
const tableSize = 0x2_0000;

export interface InstalledModule {
  readonly bytes: Uint8Array;
  readonly functions: readonly StoredFunction[];
  /** Those of its functions that have not been removed. */
  readonly live: Set<InstalledFunction>;
  /** Place of the first in the function table. */
  readonly first: number;
  /** Whether another run may use it. */
  readonly isKept: boolean;
  /** A function of a module whose others may come later, or never. */
  readonly isPart: boolean;
}

/** How a module is installed. */
export interface Installing {
  readonly isKept?: boolean;
  /** All functions of the module that these are a part of. */
  readonly partOf?: readonly StoredFunction[] | undefined;
}

export interface InstalledFunction extends StoredFunction {
  readonly module: InstalledModule;
  /** In the function table. */
  readonly index: number;
}

/** What recompiled code asks of the host without leaving. */
export interface HostFunctions {
  /** The arithmetic flags as EFLAGS holds them. */
  readonly flags: () => number;
  /** Answers the host call that the state block tells of; not 0 where the guest may go on behind it at once. */
  readonly answer: () => number;
  /** Gives polls where they are spent; 0 where the slice is over. */
  readonly more: () => number;
  /** Puts an address that is called or jumped to into the code map; 0 where it cannot be done while frames stand. */
  readonly find: (address: bigint, isCall: number, sp: bigint) => number;
  /** Puts the pages of an access into the TLB; 0 where there is nothing new. */
  readonly refill: (address: bigint, bytes: number, writes: number) => number;
}

type Exports = Readonly<Record<string, unknown>>;

interface Instance {
  readonly exports: Exports;
  /** Place of its first function in the function table. */
  readonly first: number;
}

interface Place {
  readonly fn: InstalledFunction;
  readonly selector: number;
}

export class CodeStore {
  readonly #layout: Layout;
  readonly #memory: WebAssembly.Memory;
  readonly #host: HostFunctions;
  /** Of the dispatcher's or, where there is one, of the module that computes flags. */
  #flags: unknown;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: tableSize });
  readonly #slots = new Slots(tableSize);
  readonly #places = new Map<bigint, Place>();
  readonly #modules = new Set<InstalledModule>();
  readonly #code = new PageIndex<InstalledFunction>();
  /** Functions that `#code` does not have yet: a run that nobody interrupts never asks it. */
  #unindexed = new Set<InstalledFunction>();
  /** Of modules of which parts are installed: all have their places, since a function knows its own by that of the first. */
  readonly #shared = new WeakMap<Uint8Array, Instance>();
  #run: (() => void) | undefined;
  /** What modules import of the dispatcher. */
  #imports: Readonly<Record<string, unknown>> = {};

  constructor(layout: Layout, memory: WebAssembly.Memory, host: HostFunctions) {
    this.#layout = layout;
    this.#memory = memory;
    this.#host = host;
    this.#clearMap();
  }

  /** In the order in which they were installed. */
  get modules(): ReadonlySet<InstalledModule> {
    return this.#modules;
  }

  /** Those that can be entered, in the order in which they were installed. */
  get functions(): InstalledFunction[] {
    return [...this.#modules].flatMap(({ live }) => [...live]);
  }

  get size(): { readonly functions: number; readonly bytes: number } {
    const modules = new Set([...this.#modules].map(({ bytes }) => bytes));
    const bytes = [...modules].reduce((sum, { length }) => sum + length, 0);
    return { functions: this.functions.length, bytes };
  }

  /** Functions of the resumable form that begin at one of these addresses. */
  resumable(entries: ReadonlySet<bigint>): InstalledFunction[] {
    return this.functions.filter((fn) => fn.form === 'resumable' && entries.has(fn.entry));
  }

  installDispatcher(bytes: Uint8Array): void {
    const exports = this.#instantiate(bytes, { table: this.#table, ...this.#host });
    const { run, hostFlags, hostAnswer, ...others } = exports;
    this.#run = run as () => void;
    this.#flags = hostFlags;
    this.#imports = { ...others, answer: hostAnswer };
  }

  /** Takes a module that computes flags for the modules that follow; what it does not know, the host does. */
  useFlags(bytes: Uint8Array): void {
    this.#flags = this.#instantiate(bytes, { flags: this.#host.flags })['allFlags'];
  }

  /** The arithmetic flags as EFLAGS holds them. */
  flags(): number {
    return this.#flags === undefined ? this.#host.flags() : (this.#flags as () => number)();
  }

  /** What has been installed before for the same addresses is entered no more, but for fast forms by resumable ones. */
  install(
    bytes: Uint8Array,
    functions: readonly StoredFunction[],
    { isKept = false, partOf }: Installing = {},
  ): InstalledModule {
    const isPart = partOf !== undefined;
    const { exports, first } =
      (isPart && this.#shared.get(bytes)) || this.#load(bytes, partOf ?? functions);
    if (isPart) this.#shared.set(bytes, { exports, first });
    const module = { bytes, functions, live: new Set<InstalledFunction>(), first, isKept, isPart };
    functions.forEach((stored, i) => {
      const fn = { ...stored, module, index: first + (partOf?.indexOf(stored) ?? i) };
      this.#table.set(fn.index, exports[fn.name]);
      for (const { address, selector } of fn.entries)
        if (fn.form === 'fast' || !this.#isFast(address)) this.#put(address, { fn, selector });
      module.live.add(fn);
      this.#unindexed.add(fn);
    });
    this.#modules.add(module);
    return module;
  }

  /** Nobody may call it directly any more: remove its callers as well. */
  remove(fn: InstalledFunction): void {
    const { module } = fn;
    if (!module.live.delete(fn)) return;
    for (const { address } of fn.entries) {
      if (this.#places.get(address)?.fn !== fn) continue;
      this.#places.delete(address);
      this.#clear(address);
    }
    if (!this.#unindexed.delete(fn)) this.#code.remove(fn, fn.code);
    this.#table.set(fn.index, null);
    if (module.live.size > 0) return;
    this.#modules.delete(module);
    if (!module.isPart) this.#slots.give(module.first, module.functions.length);
  }

  has(address: bigint): boolean {
    return this.#places.has(address);
  }

  /** The function that is entered at an address. */
  functionAt(address: bigint): InstalledFunction | undefined {
    return this.#places.get(address)?.fn;
  }

  /** Whether it has not been replaced at all of its entries. */
  isEntered(fn: InstalledFunction): boolean {
    return fn.entries.some(({ address }) => this.functionAt(address) === fn);
  }

  /** Functions that have an instruction at or across an address. */
  containing(address: bigint): ReadonlySet<InstalledFunction> {
    for (const fn of this.#unindexed) this.#code.add(fn, fn.code);
    this.#unindexed = new Set();
    return this.#code.touching({ from: address, to: address + 1n });
  }

  /** Puts an address into the code map again that another has pushed out; false where it has no code. */
  refill(address: bigint): boolean {
    const place = this.#places.get(address);
    if (place === undefined) return false;
    this.#put(address, place);
    return true;
  }

  /** Forgets what the code map has, or one address of it: who calls that next asks the host. */
  hide(address?: bigint): void {
    if (address === undefined) this.#clearMap();
    else this.#clear(address);
  }

  /** Runs from the state block's rip until the guest leaves. */
  run(): void {
    if (this.#run === undefined) throw new TypeError('the dispatcher is not installed');
    this.#run();
  }

  #load(bytes: Uint8Array, { length }: readonly StoredFunction[]): Instance {
    const first = this.#slots.take(length);
    const base = new WebAssembly.Global({ value: 'i32' }, first);
    const imports = { ...this.#imports, flags: this.#flags, base };
    return { exports: this.#instantiate(bytes, imports), first };
  }

  #isFast(address: bigint): boolean {
    return this.#places.get(address)?.fn.form === 'fast';
  }

  #instantiate(bytes: Uint8Array, imports: Record<string, unknown>): Exports {
    const module = new WebAssembly.Module(bytes);
    return new WebAssembly.Instance(module, { machine: { memory: this.#memory, ...imports } })
      .exports;
  }

  #put(address: bigint, place: Place): void {
    this.#places.set(address, place);
    const view = this.#entryOf(address);
    view.setBigUint64(0, address, true);
    view.setUint32(8, place.fn.index, true);
    view.setUint32(12, place.selector, true);
  }

  #clearMap(): void {
    new Uint8Array(this.#memory.buffer, this.#layout.codeMap, codeMapBytes).fill(0xff);
    this.#clear(emptyAddress);
  }

  /** Empties the entry of an address; the one that all ones has is empty with another address. */
  #clear(address: bigint): void {
    const isOwn = codeMapIndex(address) === codeMapIndex(emptyAddress);
    this.#entryOf(address).setBigUint64(0, isOwn ? 1n : emptyAddress, true);
  }

  #entryOf(address: bigint): DataView {
    const at = this.#layout.codeMap + codeMapIndex(address) * 16;
    return new DataView(this.#memory.buffer, at, 16);
  }
}

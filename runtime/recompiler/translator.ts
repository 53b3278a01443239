/** Decides what is translated together: a function with all that it calls directly, and what its constants may point at. */
import { pagesOf, type Stretch } from '../memory/page-index.ts';
import { Decoder } from '../x86/decode.ts';
import { mayTouchMxcsr } from '../x86/mxcsr.ts';
import type { Mode } from '../x86/registers.ts';
import { type CodeSource, discover, type GuestFunction } from './discover.ts';
import type { Emitter } from './emit/emitter.ts';
import type { Layout } from './layout.ts';
import type { Form } from './lower/lower-function.ts';
import { buildingModule, type ModuleOptions } from './module.ts';
import type { Recipes } from './recipes.ts';
import {
  type ChangingCode,
  type CodeRegion,
  type FixedCode,
  isChanging,
  regionAt,
} from './store/code-region.ts';
import { codeOf, type StoredFunction } from './store/stored-function.ts';

export interface TranslatedModule {
  readonly bytes: Uint8Array;
  /** Whether its code asks for flags that were set elsewhere. */
  readonly asksFlags: boolean;
  readonly functions: readonly StoredFunction[];
}

/** How many functions one module may hold, so that a whole image is a few modules. */
const mostFunctions = 20_000;
const pageMask = 0xfffn;
/** Of an instruction. */
const mostBytes = 15;

export interface TranslateOptions extends Pick<ModuleOptions, 'onProgress' | 'calledAt' | 'isHot'> {
  /** All calls go through the dispatcher, since there are better forms of the callees elsewhere. */
  readonly dispatches?: boolean;
}

export interface GatherOptions {
  readonly most?: number | undefined;
  /** What calls through pointers mostly call belongs to it as well. */
  readonly calledAt?: ModuleOptions['calledAt'];
}

function calledFrom(
  { blocks }: GuestFunction,
  calledAt: (returnTo: bigint) => readonly bigint[],
): bigint[] {
  return blocks.flatMap(({ terminator }) =>
    'returnTo' in terminator ? calledAt(terminator.returnTo) : [],
  );
}

/** Goes through all steps at once. */
function finished<Result>(steps: Generator<unknown, Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

export interface TranslatorOptions {
  readonly layout: Layout;
  readonly recipes: Recipes;
  readonly code: readonly CodeRegion[];
  /** Where functions are known to begin. */
  readonly entries: readonly bigint[];
  readonly readConstant: CodeSource['readConstant'];
}

export class Translator implements CodeSource {
  readonly mode: Mode;
  exactFloats = false;
  checksTaskSwitched = false;
  readonly #layout: Layout;
  readonly #recipes: Recipes;
  readonly #fixed: readonly FixedCode[];
  readonly #decoders: readonly Decoder[];
  readonly #changing: readonly ChangingCode[];
  /** Of pages that may change, as they stood when `refresh` was called or later. */
  readonly #pages = new Map<bigint, Decoder>();
  /** Pages of functions that were replaced: who calls one does so through the dispatcher. */
  readonly #volatile = new Set<bigint>();
  readonly #tables = new WeakMap<GuestFunction, readonly Stretch[]>();
  /** Words read for the function at hand that may change. */
  #read: Stretch[] = [];
  readonly #constant: CodeSource['readConstant'];
  readonly #entries: Set<bigint>;
  readonly #sorted: bigint[];

  constructor(options: TranslatorOptions) {
    this.mode = options.layout.mode;
    this.#layout = options.layout;
    this.#recipes = options.recipes;
    this.#fixed = options.code.flatMap((region) => (isChanging(region) ? [] : [region]));
    this.#decoders = this.#fixed.map(
      ({ address, bytes }) => new Decoder(this.mode, address, bytes),
    );
    this.#changing = options.code.filter(isChanging);
    this.#constant = options.readConstant;
    this.#entries = new Set(options.entries);
    this.#sorted = [...this.#entries].sort((a, b) => (a < b ? -1 : 1));
  }

  decoderAt(address: bigint): Decoder | undefined {
    const constant = this.#decoders.find((decoder) => decoder.contains(address));
    if (constant !== undefined || this.#changing.length === 0) return constant;
    const page = address & ~pageMask;
    const known = this.#pages.get(page);
    const region = known === undefined ? regionAt(this.#changing, address) : undefined;
    const decoder = region === undefined ? known : this.#snapshot(region, page);
    return decoder?.contains(address) === true ? decoder : undefined;
  }

  /** Looks anew at code that may have changed. */
  refresh(): void {
    for (const decoder of this.#pages.values()) decoder.free();
    this.#pages.clear();
  }

  /** Functions that lie there are to be called through the dispatcher from now on. */
  replaced(code: readonly Stretch[]): void {
    for (const stretch of code) for (const page of pagesOf(stretch)) this.#volatile.add(page);
  }

  readConstant(address: bigint, width: Mode): bigint | undefined {
    const value = this.#constant(address, width);
    if (value !== undefined && regionAt(this.#changing, address) !== undefined)
      this.#noteRead(address, width);
    return value;
  }

  isEntry(address: bigint): boolean {
    return this.#entries.has(address);
  }

  entryAfter(address: bigint): bigint | undefined {
    return this.#sorted[this.#placeAfter(address)];
  }

  /** Place of the first known entry above an address. */
  #placeAfter(address: bigint): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] ?? 0n) > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** A function begins there. */
  know(address: bigint): void {
    if (this.#entries.has(address)) return;
    this.#entries.add(address);
    this.#sorted.splice(this.#placeAfter(address), 0, address);
  }

  /** The functions at some addresses and what they call, nearest first, but for those that `has` knows. */
  gather(
    addresses: Iterable<bigint>,
    has: (address: bigint) => boolean,
    options?: GatherOptions,
  ): GuestFunction[] {
    return finished(this.gathering(addresses, has, options));
  }

  /** The same in steps. */
  *gathering(
    addresses: Iterable<bigint>,
    has: (address: bigint) => boolean,
    { most = mostFunctions, calledAt }: GatherOptions = {},
  ): Generator<GuestFunction, GuestFunction[]> {
    const functions: GuestFunction[] = [];
    const pending = [...addresses];
    const roots = pending.length;
    const seen = new Set<bigint>();
    for (let i = 0; i < pending.length && functions.length < most; i++) {
      const at = pending[i] ?? 0n;
      if (seen.has(at) || has(at) || this.decoderAt(at) === undefined) continue;
      seen.add(at);
      // What is asked for may be a loop's head: only what is called is known to be a function.
      if (i >= roots) this.know(at);
      const fn = this.discover(at);
      functions.push(fn);
      pending.push(...fn.callees);
      if (calledAt !== undefined) pending.push(...calledFrom(fn, calledAt));
      yield fn;
    }
    return functions;
  }

  discover(address: bigint): GuestFunction {
    this.#read = [];
    const fn = discover(this, address);
    if (this.#read.length > 0) this.#tables.set(fn, this.#read);
    return fn;
  }

  /** Wasm of some functions; `emitter` is used up. */
  translate(
    emitter: Emitter,
    functions: readonly GuestFunction[],
    form: Form = 'resumable',
    options?: TranslateOptions,
  ): TranslatedModule {
    return finished(this.translating(emitter, functions, form, options));
  }

  /** The same in steps. */
  *translating(
    emitter: Emitter,
    functions: readonly GuestFunction[],
    form: Form,
    { dispatches = false, ...options }: TranslateOptions = {},
  ): Generator<GuestFunction, TranslatedModule> {
    const code = new Map(functions.map((fn) => [fn.entry, codeOf(fn)]));
    const isDirect = ({ entry }: GuestFunction): boolean =>
      !dispatches && !this.#isVolatile(code.get(entry));
    const {
      bytes,
      functions: lowered,
      asksFlags,
    } = yield* buildingModule(emitter, this.#layout, this.#recipes, functions, form, {
      isDirect,
      ...options,
    });
    const direct = new Set(functions.filter(isDirect).map(({ entry }) => entry));
    const callees = (fn: GuestFunction, reached: ReadonlySet<bigint>): bigint[] => {
      if (this.#changing.length === 0) return [];
      return [...new Set([...fn.callees, ...reached])].filter((entry) => direct.has(entry));
    };
    const stored = functions.map((fn, i) => {
      if (lowered[i] === undefined) throw new TypeError('a function was not written');
      const { reached, ...written } = lowered[i];
      return {
        ...written,
        ...{ entry: fn.entry, asked: form, code: code.get(fn.entry) ?? [] },
        tables: this.#tables.get(fn) ?? [],
        calls: callees(fn, reached),
      };
    });
    return { bytes, functions: stored, asksFlags };
  }

  /** Whether code that never changes may read or write MXCSR: its bytes say so, wherever instructions begin. */
  get mayTouchMxcsr(): boolean {
    return this.#fixed.some(({ bytes }) => mayTouchMxcsr(bytes));
  }

  /** Gives the decoders' memory back. */
  free(): void {
    for (const decoder of this.#decoders) decoder.free();
    this.refresh();
  }

  #noteRead(address: bigint, width: Mode): void {
    const to = address + BigInt(width / 8);
    const last = this.#read.at(-1);
    if (last?.to === address) this.#read[this.#read.length - 1] = { from: last.from, to };
    else this.#read.push({ from: address, to });
  }

  /** A decoder of the part of a page that is code, and what its last instruction may have beyond. */
  #snapshot({ address, length, now }: ChangingCode, page: bigint): Decoder {
    const end = address + BigInt(length);
    const from = page < address ? address : page;
    const to = page + pageMask + 1n > end ? end : page + pageMask + 1n;
    const beyond = to + BigInt(mostBytes) > end ? end : to + BigInt(mostBytes);
    const bytes = now(from, Number(beyond - from));
    const decoder = new Decoder(this.mode, from, bytes, Number(to - from));
    this.#pages.set(page, decoder);
    return decoder;
  }

  #isVolatile(code: readonly Stretch[] = []): boolean {
    if (this.#volatile.size === 0) return false;
    return code.some((stretch) => [...pagesOf(stretch)].some((page) => this.#volatile.has(page)));
  }
}

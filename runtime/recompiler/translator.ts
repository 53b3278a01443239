/** Decides what is translated together: a function with all that it calls directly, and what its constants may point at. */
import { Decoder } from '../x86/decode.ts';
import type { Mode } from '../x86/registers.ts';
import { type CodeSource, discover, type GuestFunction } from './discover.ts';
import type { Emitter } from './emitter.ts';
import type { Layout } from './layout.ts';
import type { Form } from './lower-function.ts';
import { buildModule, type Translation } from './module.ts';
import type { Recipes } from './recipes.ts';

/** A stretch of executable memory, as it stands when it is translated. */
export interface CodeRegion {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** How many functions one module may hold, so that a whole image is a few modules. */
const mostFunctions = 20_000;

export class Translator implements CodeSource {
  readonly mode: Mode;
  exactFloats = false;
  readonly #layout: Layout;
  readonly #recipes: Recipes;
  readonly #decoders: readonly Decoder[];
  readonly #constant: (address: bigint) => bigint | undefined;
  readonly #entries: Set<bigint>;
  readonly #sorted: bigint[];

  constructor(options: {
    layout: Layout;
    recipes: Recipes;
    code: readonly CodeRegion[];
    /** Where functions are known to begin. */
    entries: readonly bigint[];
    readConstant: (address: bigint) => bigint | undefined;
  }) {
    this.mode = options.layout.mode;
    this.#layout = options.layout;
    this.#recipes = options.recipes;
    this.#decoders = options.code.map(
      ({ address, bytes }) => new Decoder(this.mode, address, bytes),
    );
    this.#constant = options.readConstant;
    this.#entries = new Set(options.entries);
    this.#sorted = [...this.#entries].sort((a, b) => (a < b ? -1 : 1));
  }

  decoderAt(address: bigint): Decoder | undefined {
    return this.#decoders.find((decoder) => decoder.contains(address));
  }

  readConstant(address: bigint): bigint | undefined {
    return this.#constant(address);
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

  /** The functions at some addresses and all that they call, but for those that `has` knows. */
  gather(addresses: Iterable<bigint>, has: (address: bigint) => boolean): GuestFunction[] {
    const functions: GuestFunction[] = [];
    const pending = [...addresses];
    const seen = new Set<bigint>();
    for (
      let at = pending.pop();
      at !== undefined && functions.length < mostFunctions;
      at = pending.pop()
    ) {
      if (seen.has(at) || has(at) || this.decoderAt(at) === undefined) continue;
      seen.add(at);
      this.#know(at);
      const fn = discover(this, at);
      functions.push(fn);
      pending.push(...fn.callees);
    }
    return functions;
  }

  /** Wasm of some functions; `emitter` is used up. */
  translate(
    emitter: Emitter,
    functions: readonly GuestFunction[],
    form: Form = 'resumable',
  ): Translation {
    return buildModule(emitter, this.#layout, this.#recipes, functions, form);
  }

  /** Gives the decoders' memory back. */
  free(): void {
    for (const decoder of this.#decoders) decoder.free();
  }

  #know(address: bigint): void {
    if (this.#entries.has(address)) return;
    this.#entries.add(address);
    this.#sorted.splice(this.#placeAfter(address), 0, address);
  }
}

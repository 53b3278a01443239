/** A vCPU's translated code: made when it is needed, taken over from the cache, thrown away when floats must be exact. */
import { CodeStore } from '../recompiler/code-store.ts';
import type { GuestFunction } from '../recompiler/discover.ts';
import { buildDispatcher } from '../recompiler/dispatcher.ts';
import type { Emitter } from '../recompiler/emitter.ts';
import type { KeptModule, KeptTranslation } from '../recompiler/kept-translation.ts';
import type { Layout } from '../recompiler/layout.ts';
import type { Recipes } from '../recompiler/recipes.ts';
import type { CodeRegion, Translator } from '../recompiler/translator.ts';
import type { Decoder } from '../x86/decode.ts';
import { flagRuleNamed } from '../x86/instructions/rules.ts';

/** What translating takes, loaded when something is to be translated: a run from the cache never needs it. */
interface Tools {
  readonly translator: Translator;
  readonly emitter: () => Emitter;
}

export interface TranslationsOptions {
  readonly layout: Layout;
  readonly recipes: Recipes;
  readonly memory: { readonly memory: WebAssembly.Memory; readonly maximumPages: number };
  readonly code: readonly CodeRegion[];
  /** Where functions are known to begin; they are translated together. */
  readonly entries: readonly bigint[];
  readonly readConstant: (address: bigint) => bigint | undefined;
  /** The arithmetic flags as EFLAGS holds them. */
  readonly flags: () => number;
}

export interface TranslationSize {
  readonly functions: number;
  /** Of Wasm. */
  readonly bytes: number;
}

export class Translations {
  readonly #options: TranslationsOptions;
  #tools: Tools | undefined;
  #exactFloats = false;
  #store: CodeStore;
  #modules: KeptModule[] = [];
  #dispatcher: Uint8Array | undefined;

  constructor(options: TranslationsOptions) {
    this.#options = options;
    this.#store = this.#newStore();
  }

  /** How many modules hold translated code: more than at the start, where code was found at run time. */
  get moduleCount(): number {
    return this.#modules.length;
  }

  get size(): TranslationSize {
    return {
      functions: this.#modules.reduce((sum, { functions }) => sum + functions.length, 0),
      bytes: this.#modules.reduce((sum, { bytes }) => sum + bytes.length, 0),
    };
  }

  /** Runs from the state block's rip until the guest leaves. */
  run(): void {
    this.#store.run();
  }

  /** Whether code is there after all, though the code map has lost it. */
  refill(address: bigint): boolean {
    return this.#store.refill(address);
  }

  /** Whether a function can be entered at an address. */
  has(address: bigint): boolean {
    return this.#store.has(address);
  }

  /** Whether an address can be translated. */
  isCode(address: bigint): boolean {
    return this.#options.code.some(
      (region) =>
        address >= region.address && address < region.address + BigInt(region.bytes.length),
    );
  }

  /** Undefined also where the translator is not loaded: `translateAt` loads it. */
  decoderAt(address: bigint): Decoder | undefined {
    return this.#tools?.translator.decoderAt(address);
  }

  get isLoaded(): boolean {
    return this.#tools !== undefined;
  }

  /** Takes kept translations over; false where they do not fit, and nothing has changed. */
  restore(kept: KeptTranslation): boolean {
    if (!this.#options.recipes.restore(kept.recipes, flagRuleNamed)) return false;
    this.#exactFloats = kept.exactFloats;
    this.#installDispatcher(kept.dispatcher);
    for (const { bytes, functions } of kept.modules) this.#install({ bytes, functions });
    return true;
  }

  /** Everything translated so far, for the cache. */
  keep(): KeptTranslation {
    if (this.#dispatcher === undefined) throw new TypeError('nothing is translated yet');
    return {
      dispatcher: this.#dispatcher,
      modules: this.#modules,
      recipes: this.#options.recipes.names(),
      exactFloats: this.#exactFloats,
    };
  }

  /** Translates all that is known of the image; `validated` takes binaryen, which checks what it writes. */
  async translateAll(validated = false): Promise<void> {
    const tools = await (validated ? this.#loadValidated() : this.#loadTools());
    this.#installDispatcher(buildDispatcher(tools.emitter(), this.#options.layout));
    this.#translate(tools, this.#options.entries);
  }

  /** Loads what translates and decodes. */
  async load(): Promise<void> {
    await this.#loadTools();
  }

  /** Translates the function at an address, unless it is there. */
  async translateAt(address: bigint): Promise<void> {
    const tools = await this.#loadTools();
    if (!this.#store.has(address)) this.#translate(tools, [address]);
  }

  #translate(tools: Tools, entries: readonly bigint[]): void {
    const functions = this.#gather(tools, entries);
    const becomesExact = !this.#exactFloats && functions.some(({ touchesMxcsr }) => touchesMxcsr);
    if (becomesExact) this.#startExact();
    const all = [...this.#options.entries, ...entries];
    const wanted = becomesExact ? this.#gather(tools, all) : functions;
    if (wanted.length > 0) this.#install(tools.translator.translate(tools.emitter(), wanted));
  }

  #gather({ translator }: Tools, entries: readonly bigint[]): GuestFunction[] {
    translator.exactFloats = this.#exactFloats;
    return translator.gather(entries, (address) => this.#store.has(address));
  }

  /** From here on somebody may look at MXCSR: what was translated without it is forgotten. */
  #startExact(): void {
    this.#exactFloats = true;
    this.#modules = [];
    this.#store = this.#newStore();
    if (this.#dispatcher !== undefined) this.#store.installDispatcher(this.#dispatcher);
  }

  #newStore(): CodeStore {
    const { layout, memory, flags } = this.#options;
    return new CodeStore(layout, memory.memory, flags);
  }

  #installDispatcher(bytes: Uint8Array): void {
    this.#dispatcher = bytes;
    this.#store.installDispatcher(bytes);
  }

  #install(module: KeptModule): void {
    this.#modules.push(module);
    this.#store.install(module.bytes, module.functions);
  }

  async #loadTools(): Promise<Tools> {
    if (this.#tools !== undefined) return this.#tools;
    const { ByteEmitter } = await import('../recompiler/byte-emitter.ts');
    const { Translator } = await import('../recompiler/translator.ts');
    const { maximumPages } = this.#options.memory;
    this.#tools = {
      translator: new Translator(this.#options),
      emitter: () => new ByteEmitter(maximumPages),
    };
    return this.#tools;
  }

  async #loadValidated(): Promise<Tools> {
    const { translator } = await this.#loadTools();
    const { BinaryenEmitter, loadBinaryen } = await import('../recompiler/binaryen-emitter.ts');
    const binaryen = await loadBinaryen();
    const { maximumPages } = this.#options.memory;
    return { translator, emitter: () => new BinaryenEmitter(binaryen, maximumPages) };
  }
}

/** The module that computes flags, made anew when there is much that it does not know: what it does not, the host computes. */
import type { Emitter } from '../recompiler/emit/emitter.ts';
import { buildFlagsModule } from '../recompiler/flags-module.ts';
import type { Layout } from '../recompiler/layout.ts';
import type { Recipes } from '../recompiler/recipes.ts';

/** Made anew for every new recipe, it would be made with nearly every function of a cold start. */
const growth = 1.5;
/** To compute flags so often costs as much as to make the module. */
const mostMisses = 256;

export class FlagsCode {
  readonly #layout: Layout;
  readonly #recipes: Recipes;
  readonly #use: (bytes: Uint8Array) => void;
  #bytes: Uint8Array | undefined;
  #known = 0;
  #misses = 0;

  /** `use` takes the module for modules that are installed from then on. */
  constructor(layout: Layout, recipes: Recipes, use: (bytes: Uint8Array) => void) {
    this.#layout = layout;
    this.#recipes = recipes;
    this.#use = use;
  }

  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  restore(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) return;
    this.#bytes = bytes;
    this.#known = this.#recipes.count;
    this.use();
  }

  /** There is a new store of modules. */
  use(): void {
    if (this.#bytes !== undefined) this.#use(this.#bytes);
  }

  /** There may be new recipes. */
  update(emitter: () => Emitter, isForLong: boolean): void {
    const { count } = this.#recipes;
    if (count > this.#known * (isForLong ? 1 : growth))
      this.restore(buildFlagsModule(emitter(), this.#layout, this.#recipes));
  }

  /** The host has computed flags; whether that has become too often. */
  missed(): boolean {
    return ++this.#misses % mostMisses === 0;
  }
}

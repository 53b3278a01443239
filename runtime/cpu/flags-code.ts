/** The module that computes flags, made anew when there is much that it does not know: what it does not, the host computes. */
import type { Emitter } from '../recompiler/emit/emitter.ts';
import { buildFlagsModule } from '../recompiler/flags-module.ts';
import type { Layout } from '../recompiler/layout.ts';
import type { Recipes } from '../recompiler/recipes.ts';

/** Made anew for every new recipe, it would be made with nearly every function of a cold start. */
const growth = 1.5;

export class FlagsCode {
  readonly #layout: Layout;
  readonly #recipes: Recipes;
  #bytes: Uint8Array | undefined;
  #known = 0;

  constructor(layout: Layout, recipes: Recipes) {
    this.#layout = layout;
    this.#recipes = recipes;
  }

  get bytes(): Uint8Array | undefined {
    return this.#bytes;
  }

  restore(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#known = this.#recipes.count;
  }

  /** For modules that are installed from now on; whether it is another one than before. */
  update(emitter: () => Emitter, isForLong: boolean): boolean {
    const { count } = this.#recipes;
    if (count <= this.#known * (isForLong ? 1 : growth)) return false;
    this.restore(buildFlagsModule(emitter(), this.#layout, this.#recipes));
    return true;
  }
}

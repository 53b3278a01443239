/**
 * All of an image behind what has been translated as it was called: one module of all that is known, so that calls inside of it
 * are direct. It is made in steps that fit between two slices of the guest, and only when the guest turns out to be busy.
 */
import type { GuestFunction } from '../recompiler/discover.ts';
import type { TranslatedModule } from '../recompiler/translator.ts';
import type { Tools } from './translation-tools.ts';

/** Slices that a guest spends to the end before it is busy: what ends earlier never needs the rest. */
const busySlices = 16;
/** Instructions a step, about a millisecond. */
const stepInstructions = 100;

export interface WholeImageOptions {
  readonly tools: Tools;
  /** Whether SSE floats are to be exact. */
  readonly exactFloats: boolean;
  /** Where functions are known to begin. */
  readonly entries: () => Iterable<bigint>;
  readonly mayChange: (address: bigint) => boolean;
}

export class WholeImage {
  /** Whether it has been made. */
  isMade = true;
  #busy = 0;
  #exactFloats = false;
  #work: Generator<GuestFunction, TranslatedModule> | undefined;

  /** The guest has spent a slice to the end. */
  sliceSpent(): void {
    this.#busy++;
  }

  get isWanted(): boolean {
    return !this.isMade && this.#busy >= busySlices;
  }

  /** Code is made otherwise from now on. */
  restart(): void {
    this.#work = undefined;
  }

  /** Goes on for a step; the module, when it is made. */
  step({
    tools,
    exactFloats,
    entries,
    mayChange,
  }: WholeImageOptions): TranslatedModule | undefined {
    if (this.#exactFloats !== exactFloats) this.#work = undefined;
    this.#exactFloats = exactFloats;
    tools.translator.exactFloats = exactFloats;
    this.#work ??= working(tools, entries(), mayChange);
    for (let instructions = 0; instructions < stepInstructions; ) {
      const { done, value } = this.#work.next();
      if (!done) {
        instructions += value.instructions;
        continue;
      }
      this.isMade = true;
      this.#work = undefined;
      return value;
    }
    return undefined;
  }
}

function* working(
  { translator, emitter }: Tools,
  entries: Iterable<bigint>,
  mayChange: (address: bigint) => boolean,
): Generator<GuestFunction, TranslatedModule> {
  const functions = yield* translator.gathering(entries, mayChange);
  return yield* translator.translating(emitter(), functions, 'fast');
}

/**
 * What a busy guest has run, function by function, as one module, so that calls inside of it are direct and small functions stand
 * in their callers. It is made in steps that fit between two slices of the guest, and again when much more has run.
 */
import type { GuestFunction } from '../recompiler/discover.ts';
import type { CodeStore, InstalledFunction } from '../recompiler/store/code-store.ts';
import type { TranslatedModule } from '../recompiler/translator.ts';
import { type Callers, CallProfile } from './call-profile.ts';
import type { Tools } from './translation-tools.ts';

/** Slices that a guest spends to the end before it is busy: what ends earlier never needs it. */
const busySlices = 16;
/** So many before the next time show what calls what: the first slices of all, since hot loops are made early. */
const profiledSlices = busySlices;
/** Times so many before the next time. */
const patience = 4;
/** One in so many functions must stand alone: else there is too little to join. */
const mostJoined = 4;
/** Instructions a step, about a millisecond. */
const stepInstructions = 100;

export interface JoinOptions {
  readonly tools: Tools;
  /** Whether SSE floats are to be exact. */
  readonly exactFloats: boolean;
  /** Where what has run begins. */
  readonly entries: () => Iterable<bigint>;
  readonly mayChange: (address: bigint) => boolean;
}

export class JoinedCode {
  /** What calls what, so that copies stand and direct calls are made where a pointer says what is called. */
  readonly profile: CallProfile;
  #bound = busySlices;
  #busy = 0;
  #exactFloats = false;
  #work: Generator<GuestFunction, TranslatedModule> | undefined;

  constructor(callers: Callers) {
    this.profile = new CallProfile(callers);
  }

  /** The guest has spent a slice to the end. */
  sliceSpent(store: Pick<CodeStore, 'functions' | 'hide'>): void {
    if (this.isWanted || ++this.#busy < this.#bound - profiledSlices) return;
    if (!this.isWanted) {
      this.profile.begin(store);
      return;
    }
    if (!standAlone(store.functions)) this.#wait();
  }

  get isWanted(): boolean {
    return this.#busy >= this.#bound;
  }

  /** Code is made otherwise from now on. */
  restart(): void {
    this.#work = undefined;
  }

  /** Goes on for a step; the module, when it is made. */
  step(options: JoinOptions): TranslatedModule | undefined {
    const { tools, exactFloats } = options;
    if (this.#exactFloats !== exactFloats) this.#work = undefined;
    this.#exactFloats = exactFloats;
    tools.translator.exactFloats = exactFloats;
    this.#work ??= working(options, this.profile.calledAt);
    for (let instructions = 0; instructions < stepInstructions; ) {
      const { done, value } = this.#work.next();
      if (!done) {
        instructions += value.instructions;
        continue;
      }
      this.#wait();
      this.#work = undefined;
      return value;
    }
    return undefined;
  }

  #wait(): void {
    this.#busy = 0;
    this.#bound *= patience;
  }
}

/** Whether many functions do, so that there is something to join. */
function standAlone(functions: readonly InstalledFunction[]): boolean {
  const fast = functions.filter(({ form }) => form === 'fast');
  const alone = fast.filter(({ module }) => module.functions.length === 1);
  return alone.length > 0 && alone.length * mostJoined >= fast.length;
}

/** What runs for the first time while functions are gathered belongs to them. */
function* working(
  { tools: { translator, emitter }, entries, mayChange }: JoinOptions,
  calledAt: CallProfile['calledAt'],
): Generator<GuestFunction, TranslatedModule> {
  const functions = new Map<bigint, GuestFunction>();
  for (let before = -1; before < functions.size; ) {
    before = functions.size;
    const wanted = new Set([...entries()].filter((entry) => !functions.has(entry)));
    const isOther = (address: bigint): boolean => !wanted.has(address) || mayChange(address);
    for (const fn of yield* translator.gathering(wanted, isOther)) functions.set(fn.entry, fn);
  }
  const all = [...functions.values()];
  return yield* translator.translating(emitter(), all, 'fast', { calledAt, isHot: true });
}

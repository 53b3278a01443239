/** Guest functions → one Wasm module. */
import { reachFunctions } from './access/paged-reach.ts';
import { conventionOf } from './convention.ts';
import type { GuestFunction } from './discover.ts';
import type { Emitter } from './emit/emitter.ts';
import type { Layout } from './layout.ts';
import type { ModuleContext } from './lower/frame.ts';
import { type Form, type LoweredFunction, lowerFunction } from './lower/lower-function.ts';
import { morePolls } from './lower/more-polls.ts';
import type { Recipes } from './recipes.ts';
import { SharedFunctions } from './shared-functions.ts';

export interface WrittenFunction extends LoweredFunction {
  /** What it calls without the dispatcher. */
  readonly reached: ReadonlySet<bigint>;
}

export interface Translation {
  readonly bytes: Uint8Array;
  readonly functions: readonly WrittenFunction[];
  /** Whether its code asks for flags that were set elsewhere. */
  readonly asksFlags: boolean;
}

/** Is told how many functions are done, of all. */
export type OnProgress = (done: number, total: number) => void;

export interface ModuleOptions {
  /** Whether a function may be called without the dispatcher; one that is often replaced may not. */
  readonly isDirect?: (fn: GuestFunction) => boolean;
  readonly onProgress?: OnProgress | undefined;
  readonly calledAt?: ModuleContext['calledAt'] | undefined;
  /** Runs for long, so that what makes it faster may take its time. */
  readonly isHot?: boolean;
}

/** Takes a step for each function. */
export function* buildingModule(
  emitter: Emitter,
  layout: Layout,
  recipes: Recipes,
  functions: readonly GuestFunction[],
  form: Form,
  { isDirect = () => true, onProgress, calledAt = () => [], isHot = false }: ModuleOptions = {},
): Generator<GuestFunction, Translation> {
  const { native, parameterTypes, resultTypes } = conventionOf(layout.mode);
  for (const name of ['call', 'jump'])
    emitter.importFunction(name, [native, ...parameterTypes], resultTypes);
  emitter.importFunction('flags', [], ['i32']);
  emitter.importFunction('answer', [], ['i32']);
  emitter.importFunction(morePolls, [], ['i32']);
  if (layout.paging !== undefined)
    for (const name of Object.values(reachFunctions))
      emitter.importFunction(name, ['i64', 'i32'], ['i32']);
  emitter.importGlobal('base');
  const shared = new SharedFunctions(emitter);
  const entries = new Set(functions.filter(isDirect).map((fn) => fn.entry));
  const ordinals = new Map(functions.map((fn, i) => [fn.entry, i]));
  const byEntry = new Map(functions.map((fn) => [fn.entry, fn]));
  let asksFlags = false;
  let reached = new Set<bigint>();
  const context: ModuleContext = {
    emitter,
    layout,
    recipes,
    has: (entry) => {
      if (!entries.has(entry)) return false;
      reached.add(entry);
      return true;
    },
    functionAt: (entry) => (entries.has(entry) ? byEntry.get(entry) : undefined),
    calledAt,
    isHot,
    ordinal: (entry) => ordinals.get(entry) ?? 0,
    subroutine: (subroutine) => shared.subroutine(subroutine),
    support: (name) => shared.support(name),
    shared: (name, make) => shared.function(name, make),
    flags: () => {
      asksFlags = true;
      return 'flags';
    },
  };
  const lowered: WrittenFunction[] = [];
  for (const fn of functions) {
    onProgress?.(lowered.length, functions.length);
    reached = new Set();
    lowered.push({ ...lowerFunction(context, fn, form), reached });
    yield fn;
  }
  onProgress?.(functions.length, functions.length);
  shared.write();
  for (const { name } of lowered) emitter.exportFunction(name);
  return { bytes: emitter.finish(), functions: lowered, asksFlags };
}

/**
 * What must go together: functions that call each other without the dispatcher, and modules of which little is left; and what
 * can be kept together, though it may be wanted apart.
 */
import type { GuestFunction } from '../recompiler/discover.ts';
import type { Emitter } from '../recompiler/emit/emitter.ts';
import { mostOfCopy } from '../recompiler/layout.ts';
import type { Form } from '../recompiler/lower/lower-function.ts';
import type {
  CodeStore,
  InstalledFunction,
  InstalledModule,
} from '../recompiler/store/code-store.ts';
import type { TranslatedModule, TranslateOptions, Translator } from '../recompiler/translator.ts';
import type { Tools } from './translation-tools.ts';
import type { Gathering, TranslationsOptions } from './translations-options.ts';

/** Functions of a module that is made while the guest waits. */
const mostAtRunTime = 64;
/** Each costs V8 26 KB, whatever it holds; to make one of many costs as much as it did to make those. */
const mostModules = 1024;
/** What a module of this size costs is worth it; it is not made anew. */
const largeModule = 1000;

/** Functions of a module that begins with a hot loop. */
const mostWithLoop = 16;

/** With what is called only if calls of it would not be direct otherwise: where the whole image was translated before it ran. */
export const together = (
  isWhole: boolean,
  { madeWhenCalled = false }: Pick<TranslationsOptions, 'madeWhenCalled'>,
): Gathering => ({ most: isWhole && !madeWhenCalled ? mostAtRunTime : 1 });

/** A hot loop with what it calls that has run, since calls inside a module are direct; alone where little of that may ever run again. */
export const withCallees = (
  hot: bigint,
  store: Pick<CodeStore, 'has'>,
  { madeWhenCalled = false }: Pick<TranslationsOptions, 'madeWhenCalled'>,
): Gathering => ({
  most: madeWhenCalled ? 1 : mostWithLoop,
  has: (address) => address !== hot && !store.has(address),
  root: hot,
});

/** A new module made for one function of it, beside larger ones: what stands in those has more of its calls direct there. */
export class Beside {
  readonly #store: Pick<CodeStore, 'functionAt'>;
  readonly #root: bigint;
  readonly #functions: readonly GuestFunction[];

  constructor(
    store: Pick<CodeStore, 'functionAt'>,
    root: bigint,
    functions: readonly GuestFunction[],
  ) {
    this.#store = store;
    this.#root = root;
    this.#functions = functions;
  }

  /** The fast form of what is in no larger module, and of what may stand in its callers. */
  translate(
    { translator, emitter }: { translator: Pick<Translator, 'translate'>; emitter: () => Emitter },
    options: TranslateOptions,
  ): TranslatedModule {
    const chosen = this.#functions.filter(
      ({ entry, instructions }) => instructions <= mostOfCopy || !this.#isElsewhere(entry),
    );
    const module = translator.translate(emitter(), chosen, 'fast', options);
    // What stands in a larger module is entered there still.
    const entered = module.functions.map((fn) =>
      this.#isElsewhere(fn.entry) ? { ...fn, entries: [] } : fn,
    );
    return { ...module, functions: entered };
  }

  #isElsewhere(entry: bigint): boolean {
    const there = entry === this.#root ? undefined : this.#store.functionAt(entry);
    return there?.form === 'fast' && there.module.functions.length > this.#functions.length;
  }
}

/** Functions, and all that reach one of them by direct calls: those calls cannot be turned elsewhere. */
export function withCallers(functions: Iterable<InstalledFunction>): Set<InstalledFunction> {
  const found = new Set(functions);
  for (const module of new Set([...found].map((fn) => fn.module))) addCallers(module, found);
  return found;
}

/** Direct calls stay inside of a module. */
function addCallers({ live }: InstalledModule, found: Set<InstalledFunction>): void {
  const callers = new Map<bigint, InstalledFunction[]>();
  for (const fn of live)
    for (const callee of fn.calls) callers.set(callee, [...(callers.get(callee) ?? []), fn]);
  const pending = [...live].filter((fn) => found.has(fn));
  for (let fn = pending.pop(); fn !== undefined; fn = pending.pop())
    for (const caller of callers.get(fn.entry) ?? [])
      if (!found.has(caller)) {
        found.add(caller);
        pending.push(caller);
      }
}

/** Modules to be made one, since there are too many: those of which the least is left. */
export function crowded(
  modules: ReadonlySet<InstalledModule>,
  most = mostModules,
): InstalledModule[] {
  if (modules.size <= most) return [];
  const own = [...modules].filter(({ isPart }) => !isPart);
  if (own.length <= most) return [];
  const small = own.filter(({ live }) => live.size < largeModule);
  small.sort((a, b) => a.live.size - b.live.size);
  return small.slice(0, Math.max(small.length - most / 2, 2));
}

/** Functions as one module, so little tied that each can be used without the others: all calls go through the dispatcher. */
export function translateApart(
  { translator, emitter }: Tools,
  entries: readonly bigint[],
  form: Form,
): TranslatedModule {
  const functions = entries.map((entry) => translator.discover(entry));
  return translator.translate(emitter(), functions, form, { dispatches: true });
}

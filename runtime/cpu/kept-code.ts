/**
 * Translations of code that its guest may write to, kept from an earlier run with the bytes that they were made from. One is
 * taken when it is wanted, if just those bytes are there now and the runs that it knows by constants are the same.
 */
import type { Stretch } from '../memory/page-index.ts';
import type { Run, Runs } from '../memory/runs.ts';
import type { Form } from '../recompiler/lower/lower-function.ts';
import type { CodeStore, InstalledModule, Installing } from '../recompiler/store/code-store.ts';
import type {
  KeptModule,
  KeptTranslation,
  MadeFrom,
} from '../recompiler/store/kept-translation.ts';
import type { StoredFunction } from '../recompiler/store/stored-function.ts';

/** Functions of a module that is made to be kept: one module of one function costs V8 0.4 ms. */
const batchFunctions = 128;
/** Bytes of Wasm that are kept at most: what this run has used, then what earlier ones did. */
const mostKept = 16 * 2 ** 20;

/** Makes functions once more, as one module in which none calls another but by the dispatcher. */
export type Together = (entries: readonly bigint[], form: Form) => Omit<KeptModule, 'madeFrom'>;

export interface KeptCodeOptions {
  /** What is mapped at an address now; fewer bytes where the rest is not. */
  readonly now: (address: bigint, length: number) => Uint8Array | undefined;
  /** None without page tables. */
  readonly runs: Pick<Runs, 'all' | 'learn' | 'expect'> | undefined;
  /** How many runs, from the first one on, what has been written since the last time must have. */
  readonly takeUsedRuns: () => number;
}

/** A function of a kept module, with the bytes that it was made from. */
interface KeptFunction {
  readonly module: KeptModule;
  readonly fn: StoredFunction;
  readonly code: readonly Uint8Array[];
}

export class KeptCode {
  readonly #options: KeptCodeOptions;
  readonly #byEntry = new Map<string, Set<KeptFunction>>();
  readonly #all = new Map<KeptModule, readonly KeptFunction[]>();
  /** What installed modules were made from besides their functions' bytes. */
  readonly #runs = new WeakMap<InstalledModule, readonly Run[]>();

  constructor(options: KeptCodeOptions) {
    this.#options = options;
  }

  add({ modules }: KeptTranslation): void {
    const lists = modules.map(({ madeFrom }) => madeFrom?.runs ?? []);
    this.#options.runs?.expect(lists.reduce((a, b) => (b.length > a.length ? b : a), []));
    for (const module of modules) {
      const functions = functionsOf(module);
      if (functions === undefined) continue;
      this.#all.set(module, functions);
      for (const each of functions) {
        const key = keyOf(each.fn.entry, each.fn.asked);
        this.#byEntry.set(key, (this.#byEntry.get(key) ?? new Set()).add(each));
      }
    }
  }

  /** Nothing of it is good any more. */
  clear(): void {
    this.#all.clear();
    this.#byEntry.clear();
  }

  has(entry: bigint, form: Form = 'fast'): boolean {
    return this.#find(entry, form) !== undefined;
  }

  /** A module with a function that begins there, or that function of one whose others are apart, once. */
  take(entry: bigint, form: Form): (KeptModule & Pick<Installing, 'partOf'>) | undefined {
    const found = this.#find(entry, form);
    if (found === undefined) return undefined;
    const { module } = found;
    const taken = module.isApart ? [found] : (this.#all.get(module) ?? []);
    for (const each of taken) this.#byEntry.get(keyOf(each.fn.entry, each.fn.asked))?.delete(each);
    // What is apart is kept as it is.
    if (module.isApart) return { ...module, functions: [found.fn], partOf: module.functions };
    this.#all.delete(module);
    return module;
  }

  /** A module has just been written, or taken. */
  installed(module: InstalledModule, { madeFrom }: Pick<KeptModule, 'madeFrom'>): void {
    if (!module.isPart) this.#runs.set(module, madeFrom?.runs ?? this.#usedRuns());
  }

  /** All that may be of use to another run; what was made one by one as few modules. */
  keep(store: CodeStore, together: Together | undefined): KeptModule[] {
    const made = [...store.modules].flatMap((module) => this.#withBytes(module) ?? []);
    if (together === undefined) return this.#bounded(made);
    const kept = made.filter(({ functions }) => functions.length > 1);
    for (const form of ['fast', 'resumable'] as const) {
      const entries = singles(made, form);
      for (let i = 0; i < entries.length; i += batchFunctions) {
        this.#options.takeUsedRuns();
        const batch = together(entries.slice(i, i + batchFunctions), form);
        const madeFrom = this.#madeFrom(batch, this.#usedRuns());
        if (madeFrom === undefined) return this.#bounded(made);
        kept.push({ ...batch, madeFrom, isApart: true });
      }
    }
    return this.#bounded(kept);
  }

  #bounded(made: readonly KeptModule[]): KeptModule[] {
    let left = mostKept;
    return [...made, ...this.#all.keys()].filter(({ bytes }) => {
      left -= bytes.length;
      return left >= 0;
    });
  }

  /** What is live is as it was when it was made: who writes to it makes it be forgotten. */
  #withBytes(module: InstalledModule): KeptModule | undefined {
    const runs = this.#runs.get(module);
    if (runs === undefined || module.live.size < module.functions.length) return undefined;
    const { bytes, functions } = module;
    const madeFrom = this.#madeFrom(module, runs);
    return madeFrom && { bytes, functions, madeFrom };
  }

  /** Undefined where not all of it is mapped any more. */
  #madeFrom(module: Pick<KeptModule, 'functions'>, runs: readonly Run[]): MadeFrom | undefined {
    const code: Uint8Array[] = [];
    for (const { from, to } of module.functions.flatMap(stretchesOf)) {
      const bytes = this.#options.now(from, Number(to - from));
      if (bytes?.length !== Number(to - from)) return undefined;
      code.push(bytes);
    }
    return { code, runs };
  }

  #usedRuns(): Run[] {
    const used = this.#options.takeUsedRuns();
    const all = this.#options.runs?.all ?? [];
    return all.slice(0, used).map(({ lo, host }) => ({ lo, host }));
  }

  #find(entry: bigint, form: Form): KeptFunction | undefined {
    for (const each of this.#byEntry.get(keyOf(entry, form)) ?? [])
      if (this.#fits(each)) return each;
    return undefined;
  }

  #fits(wanted: KeptFunction): boolean {
    const { module } = wanted;
    if (!this.#sameRuns(module.madeFrom)) return false;
    const functions = module.isApart ? [wanted] : (this.#all.get(module) ?? []);
    return functions.every((each) => this.#sameBytes(each));
  }

  /** Runs keep their numbers and places; others may have been found since. Who is not there yet is looked for where it was. */
  #sameRuns({ runs }: MadeFrom = { code: [], runs: [] }): boolean {
    return runs.every((run, number) => this.#isThere(run, number));
  }

  #isThere({ lo, host }: Run, number: number): boolean {
    const { runs } = this.#options;
    if ((runs?.all[number]?.pages ?? 0) === 0) runs?.learn(lo);
    const now = runs?.all[number];
    return now?.lo === lo && now.host === host && now.pages > 0;
  }

  #sameBytes({ fn, code }: KeptFunction): boolean {
    return stretchesOf(fn).every(({ from, to }, i) => {
      const expected = code[i];
      const now = this.#options.now(from, Number(to - from));
      return (
        now !== undefined &&
        expected?.length === Number(to - from) &&
        now.length === expected.length &&
        expected.every((byte, at) => byte === now[at])
      );
    });
  }
}

/** Entries of functions that were made one by one: what needs no run is not to wait for those that others need. */
function singles(made: readonly KeptModule[], form: Form): bigint[] {
  const modules = made.filter(
    ({ functions: [fn, ...others] }) => fn?.asked === form && others.length === 0,
  );
  modules.sort((a, b) => (a.madeFrom?.runs.length ?? 0) - (b.madeFrom?.runs.length ?? 0));
  return [...new Set(modules.flatMap(({ functions }) => functions.map(({ entry }) => entry)))];
}

/** Undefined where the module does not say of all its functions what they were made from. */
function functionsOf(module: KeptModule): KeptFunction[] | undefined {
  const { functions, madeFrom } = module;
  let next = 0;
  const all = functions.map((fn) => {
    const count = fn.code.length + fn.tables.length;
    next += count;
    return { module, fn, code: madeFrom?.code.slice(next - count, next) ?? [] };
  });
  return next === madeFrom?.code.length ? all : undefined;
}

/** What a function was read from. */
const stretchesOf = ({ code, tables }: StoredFunction): Stretch[] => [...code, ...tables];

const keyOf = (entry: bigint, form: Form): string => `${entry.toString(16)} ${form}`;

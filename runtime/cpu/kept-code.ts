/**
 * Translations of code that its guest may write to, kept from an earlier run with the bytes that they were made from. One is
 * taken when it is wanted, if just those bytes are there now and the runs that it knows by constants are the same.
 */
import type { Stretch } from '../memory/page-index.ts';
import type { Run } from '../memory/runs.ts';
import type { Form } from '../recompiler/lower/lower-function.ts';
import type { CodeStore, InstalledModule } from '../recompiler/store/code-store.ts';
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
export type Together = (entries: readonly bigint[]) => Omit<KeptModule, 'madeFrom'>;

export interface KeptCodeOptions {
  /** What is mapped at an address now; fewer bytes where the rest is not. */
  readonly now: (address: bigint, length: number) => Uint8Array | undefined;
  /** Where the guest's addresses are runs; none without page tables. */
  readonly runs: () => readonly Run[];
  /** Looks for a run around an address. */
  readonly learnRun: (address: bigint) => void;
  /** How many runs, from the first one on, what has been written since the last time must have. */
  readonly takeUsedRuns: () => number;
}

export class KeptCode {
  readonly #options: KeptCodeOptions;
  readonly #byEntry = new Map<string, Set<KeptModule>>();
  readonly #all = new Set<KeptModule>();
  /** What installed modules were made from besides their functions' bytes. */
  readonly #runs = new WeakMap<InstalledModule, readonly Run[]>();

  constructor(options: KeptCodeOptions) {
    this.#options = options;
  }

  add({ modules }: KeptTranslation): void {
    for (const module of modules) {
      if (module.madeFrom === undefined) continue;
      this.#all.add(module);
      for (const { entry, form } of module.functions) {
        const key = keyOf(entry, form);
        this.#byEntry.set(key, (this.#byEntry.get(key) ?? new Set()).add(module));
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
  take(entry: bigint, form: Form): KeptModule | undefined {
    const module = this.#find(entry, form);
    if (module === undefined) return undefined;
    const isTaken = ({ entry: own }: StoredFunction) => !module.isApart || own === entry;
    const functions = module.functions.filter(isTaken);
    for (const fn of functions) this.#byEntry.get(keyOf(fn.entry, fn.form))?.delete(module);
    // What is apart is kept as it is.
    if (!module.isApart) this.#all.delete(module);
    return { ...module, functions };
  }

  /** A module has just been written, or taken. */
  installed(module: InstalledModule, { madeFrom }: Pick<KeptModule, 'madeFrom'>): void {
    if (!module.isPart) this.#runs.set(module, madeFrom?.runs ?? this.#usedRuns());
  }

  /** All that may be of use to another run; what was made one by one as few modules. */
  keep(store: CodeStore, together: Together | undefined): KeptModule[] {
    const made = [...store.modules].flatMap((module) => this.#withBytes(module) ?? []);
    if (together === undefined) return this.#bounded(made);
    const single = made.filter(isSingle);
    // What needs no run is not to wait for those that others need.
    single.sort((a, b) => (a.madeFrom?.runs.length ?? 0) - (b.madeFrom?.runs.length ?? 0));
    const entries = single.flatMap(({ functions }) => functions.map(({ entry }) => entry));
    const batches: KeptModule[] = [];
    for (let i = 0; i < entries.length; i += batchFunctions) {
      this.#options.takeUsedRuns();
      const batch = together(entries.slice(i, i + batchFunctions));
      const madeFrom = this.#madeFrom(batch, this.#usedRuns());
      if (madeFrom === undefined) return this.#bounded(made);
      batches.push({ ...batch, madeFrom, isApart: true });
    }
    return this.#bounded([...made.filter((module) => !isSingle(module)), ...batches]);
  }

  #bounded(made: readonly KeptModule[]): KeptModule[] {
    let left = mostKept;
    return [...made, ...this.#all].filter(({ bytes }) => {
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
    for (const { from, to } of stretchesOf(module)) {
      const bytes = this.#options.now(from, Number(to - from));
      if (bytes?.length !== Number(to - from)) return undefined;
      code.push(bytes);
    }
    return { code, runs };
  }

  #usedRuns(): Run[] {
    const used = this.#options.takeUsedRuns();
    return this.#options
      .runs()
      .slice(0, used)
      .map(({ lo, host }) => ({ lo, host }));
  }

  #find(entry: bigint, form: Form): KeptModule | undefined {
    for (const module of this.#byEntry.get(keyOf(entry, form)) ?? [])
      if (this.#fits(module, entry)) return module;
    return undefined;
  }

  #fits({ functions, madeFrom, isApart = false }: KeptModule, entry: bigint): boolean {
    if (madeFrom === undefined || !this.#sameRuns(madeFrom)) return false;
    let next = 0;
    return functions.every((fn) => {
      const stretches = stretchesOf({ functions: [fn] });
      const code = madeFrom.code.slice(next, next + stretches.length);
      next += stretches.length;
      return (isApart && fn.entry !== entry) || this.#sameBytes(stretches, code);
    });
  }

  /** Runs keep their numbers and places; others may have been found since. The next one is looked for where it was. */
  #sameRuns({ runs }: MadeFrom): boolean {
    const { runs: now, learnRun } = this.#options;
    const next = runs[now().length];
    if (next !== undefined && isPrefix(now(), runs)) learnRun(next.lo);
    return isPrefix(runs, now());
  }

  #sameBytes(stretches: readonly Stretch[], code: readonly Uint8Array[]): boolean {
    return (
      stretches.length === code.length &&
      stretches.every(({ from, to }, i) => {
        const expected = code[i];
        const now = this.#options.now(from, Number(to - from));
        return (
          now !== undefined &&
          expected?.length === Number(to - from) &&
          now.length === expected.length &&
          expected.every((byte, at) => byte === now[at])
        );
      })
    );
  }
}

/** Whether it may be made anew with others: a function that is entered at its beginning alone. */
const isSingle = ({ functions }: KeptModule): boolean =>
  functions.length === 1 && functions.every(({ form }) => form === 'fast');

const isPrefix = (some: readonly Run[], all: readonly Run[]): boolean =>
  some.every(({ lo, host }, i) => all[i]?.lo === lo && all[i]?.host === host);

/** What a module's functions were read from. */
const stretchesOf = ({ functions }: Pick<KeptModule, 'functions'>) =>
  functions.flatMap(({ code, tables }) => [...code, ...tables]);

const keyOf = (entry: bigint, form: Form): string => `${entry.toString(16)} ${form}`;

/**
 * Translations of code that its guest may write to, kept from an earlier run with the bytes that they were made from. One is
 * taken when it is wanted, if just those bytes are there now and the runs that it knows by constants are the same.
 */
import type { Run } from '../memory/runs.ts';
import type { Form } from '../recompiler/lower/lower-function.ts';
import type { CodeStore, InstalledModule } from '../recompiler/store/code-store.ts';
import type {
  KeptModule,
  KeptTranslation,
  MadeFrom,
} from '../recompiler/store/kept-translation.ts';

/** Bytes of Wasm that are kept at most: what this run has used, then what earlier ones did. */
const mostKept = 16 * 2 ** 20;

export interface KeptCodeOptions {
  /** What is mapped at an address now; fewer bytes where the rest is not. */
  readonly now: (address: bigint, length: number) => Uint8Array | undefined;
  /** Where the guest's addresses are runs; none without page tables. */
  readonly runs: () => readonly Run[];
  /** Looks for a run around an address. */
  readonly learnRun: (address: bigint) => void;
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

  /** A module with a function that begins there, once. */
  take(entry: bigint, form: Form): KeptModule | undefined {
    const module = this.#find(entry, form);
    if (module === undefined) return undefined;
    this.#all.delete(module);
    for (const fn of module.functions) this.#byEntry.get(keyOf(fn.entry, fn.form))?.delete(module);
    return module;
  }

  /** A module has been made, or taken, as runs are now. */
  installed(module: InstalledModule): void {
    this.#runs.set(
      module,
      this.#options.runs().map(({ lo, host }) => ({ lo, host })),
    );
  }

  /** All that may be of use to another run. */
  keep(store: CodeStore): KeptModule[] {
    const made = [...store.modules].flatMap((module) => this.#withBytes(module) ?? []);
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
    const code: Uint8Array[] = [];
    for (const { from, to } of stretchesOf(module)) {
      const bytes = this.#options.now(from, Number(to - from));
      if (bytes?.length !== Number(to - from)) return undefined;
      code.push(bytes);
    }
    return { bytes: module.bytes, functions: module.functions, madeFrom: { code, runs } };
  }

  #find(entry: bigint, form: Form): KeptModule | undefined {
    for (const module of this.#byEntry.get(keyOf(entry, form)) ?? [])
      if (this.#fits(module)) return module;
    return undefined;
  }

  #fits(module: KeptModule): boolean {
    const { madeFrom } = module;
    return madeFrom !== undefined && this.#sameRuns(madeFrom) && this.#sameBytes(module, madeFrom);
  }

  /** Runs keep their numbers and places; others may have been found since. The next one is looked for where it was. */
  #sameRuns({ runs }: MadeFrom): boolean {
    const { runs: now, learnRun } = this.#options;
    const next = runs[now().length];
    if (next !== undefined && isPrefix(now(), runs)) learnRun(next.lo);
    return isPrefix(runs, now());
  }

  #sameBytes(module: KeptModule, { code }: MadeFrom): boolean {
    const stretches = stretchesOf(module);
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

const isPrefix = (some: readonly Run[], all: readonly Run[]): boolean =>
  some.every(({ lo, host }, i) => all[i]?.lo === lo && all[i]?.host === host);

/** What a module's functions were read from. */
const stretchesOf = ({ functions }: Pick<KeptModule, 'functions'>) =>
  functions.flatMap(({ code, tables }) => [...code, ...tables]);

const keyOf = (entry: bigint, form: Form): string => `${entry.toString(16)} ${form}`;

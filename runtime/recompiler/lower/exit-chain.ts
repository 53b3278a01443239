/**
 * The exits of one block. Each spills what is dirty where it leaves: flags that are nowhere yet, the registers written since
 * the exit before it, then what that one spills, down to the tail for what was dirty at the block's start, which blocks share.
 */
import type { Expression } from '../emit/emitter.ts';
import type { Frame } from './frame.ts';
import type { RegisterSet } from './plan.ts';

/** Stores of flags that exits share, and where they go on. */
interface FlagStores {
  readonly label: string;
  readonly stores: readonly Expression[];
  readonly next: string;
}

/** How flags are stored for who leaves; the same key for the same stores. */
export interface ExitFlags {
  readonly key: string;
  readonly write: () => readonly Expression[];
}

export class ExitChain {
  readonly #frame: Frame;
  readonly #index: number;
  readonly #dirtyIn: RegisterSet;
  /** What the chain's links spill beyond those before them. */
  readonly #links: RegisterSet[] = [];
  readonly #flags = new Map<string, FlagStores>();
  /** Written so far, but not spilled by a link yet. */
  #fresh: RegisterSet = 0;
  #covered: RegisterSet;

  constructor(frame: Frame, index: number, dirtyIn: RegisterSet) {
    this.#frame = frame;
    this.#index = index;
    this.#dirtyIn = dirtyIn;
    this.#covered = dirtyIn;
  }

  /** Notes that registers are written from here on. */
  write(set: RegisterSet): void {
    this.#fresh |= set & ~this.#covered;
  }

  /** Statements that leave before the instruction at an address. */
  leave(address: bigint, isPoll: boolean, flags: ExitFlags | undefined): Expression[] {
    if (this.#fresh !== 0) {
      this.#links.push(this.#fresh);
      this.#covered |= this.#fresh;
      this.#fresh = 0;
    }
    const registers =
      this.#links.length === 0 ? this.#frame.tail(this.#dirtyIn) : this.#label(this.#links.length);
    const label = flags === undefined ? registers : this.#flagStores(flags, registers);
    return [this.#frame.setPlace(address, isPoll), this.#frame.emitter.branch(label)];
  }

  #flagStores({ key, write }: ExitFlags, next: string): string {
    const of = `${next} ${key}`;
    const label = this.#flags.get(of)?.label ?? `f${this.#index}_${this.#flags.size}`;
    if (!this.#flags.has(of)) this.#flags.set(of, { label, stores: write(), next });
    return label;
  }

  /** The block's code, and the chain behind it. */
  behind(code: readonly Expression[]): readonly Expression[] {
    const { emitter: e } = this.#frame;
    let body = code;
    for (const { label, stores, next } of this.#flags.values())
      body = [e.block(label, body), ...stores, e.branch(next)];
    for (let i = this.#links.length; i > 0; i--)
      body = [e.block(this.#label(i), body), ...this.#frame.spill(this.#links[i - 1] ?? 0)];
    return this.#links.length === 0 ? body : [...body, e.branch(this.#frame.tail(this.#dirtyIn))];
  }

  #label(link: number): string {
    return `x${this.#index}_${link}`;
  }
}

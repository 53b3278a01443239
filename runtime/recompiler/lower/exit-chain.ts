/**
 * The exits of one block. Each spills what is dirty where it leaves: the registers written since the exit before it, then
 * what that one spills, down to the tail for what was dirty at the block's start, which blocks share.
 */
import type { Expression } from '../emit/emitter.ts';
import type { Frame } from './frame.ts';
import type { RegisterSet } from './plan.ts';

export class ExitChain {
  readonly #frame: Frame;
  readonly #index: number;
  readonly #dirtyIn: RegisterSet;
  /** What the chain's links spill beyond those before them. */
  readonly #links: RegisterSet[] = [];
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
  leave(address: bigint, isPoll: boolean): Expression[] {
    if (this.#fresh !== 0) {
      this.#links.push(this.#fresh);
      this.#covered |= this.#fresh;
      this.#fresh = 0;
    }
    const label =
      this.#links.length === 0 ? this.#frame.tail(this.#dirtyIn) : this.#label(this.#links.length);
    return [this.#frame.setPlace(address, isPoll), this.#frame.emitter.branch(label)];
  }

  /** The block's code, and the chain behind it. */
  behind(code: readonly Expression[]): readonly Expression[] {
    const { emitter: e } = this.#frame;
    let body = code;
    for (let i = this.#links.length; i > 0; i--)
      body = [e.block(this.#label(i), body), ...this.#frame.spill(this.#links[i - 1] ?? 0)];
    return this.#links.length === 0 ? body : [...body, e.branch(this.#frame.tail(this.#dirtyIn))];
  }

  #label(link: number): string {
    return `x${this.#index}_${link}`;
  }
}

/**
 * The exits of one block. Each spills what is dirty where it leaves: the registers written since the exit before it, what that
 * one spills, flags that are nowhere yet, and at last, in a tail that blocks share, what was dirty at the block's start.
 * Exits with other flags have a chain of their own.
 */
import type { Expression } from '../emit/emitter.ts';
import type { Frame } from './frame.ts';
import type { RegisterSet } from './register-set.ts';

/** How flags are stored for who leaves; the same key for the same stores. */
export interface ExitFlags {
  readonly key: string;
  readonly write: () => readonly Expression[];
}

interface Chain {
  /** Begins the names of its labels. */
  readonly name: string;
  readonly flags: string | undefined;
  readonly stores: readonly Expression[];
  /** What its links spill beyond those before them. */
  readonly links: RegisterSet[];
  covered: RegisterSet;
}

export class ExitChain {
  readonly #frame: Frame;
  readonly #index: number;
  readonly #dirtyIn: RegisterSet;
  readonly #chains: Chain[] = [];
  #written: RegisterSet;
  /** The place that was noted last, and the statements that did so. */
  #noted: { readonly address: bigint; readonly among: readonly Expression[] } | undefined;

  constructor(frame: Frame, index: number, dirtyIn: RegisterSet) {
    this.#frame = frame;
    this.#index = index;
    this.#dirtyIn = dirtyIn;
    this.#written = dirtyIn;
  }

  /** Notes that registers are written from here on. */
  write(set: RegisterSet): void {
    this.#written |= set;
  }

  /** Statements that leave before the instruction at an address. */
  leave(address: bigint, isPoll: boolean, flags: ExitFlags | undefined): Expression[] {
    const label = this.#reach(flags);
    return [this.#frame.setPlace(address, isPoll), this.#frame.emitter.branch(label)];
  }

  /** A statement that leaves so on a condition. The place is noted where it is another than that of the exit before. */
  leaveIf(condition: Expression, address: bigint, flags: ExitFlags | undefined): Expression {
    const e = this.#frame.emitter;
    const label = this.#reach(flags);
    const isNoted = this.#isNoted(address);
    this.#noted = { address, among: this.#frame.statements };
    const note = isNoted ? e.block(undefined, []) : this.#frame.setPlace(address, false);
    return e.branchIfRare(label, condition, note);
  }

  /** The same inside of what is hardly ever done itself: there it notes nothing for others, and needs no hint. */
  leaveInsideIf(condition: Expression, address: bigint, flags: ExitFlags | undefined): Expression {
    const e = this.#frame.emitter;
    return this.#isNoted(address)
      ? e.branchIf(this.#reach(flags), condition)
      : e.ifThen(condition, this.leave(address, false, flags));
  }

  #isNoted(address: bigint): boolean {
    return this.#noted?.address === address && this.#noted.among === this.#frame.statements;
  }

  /** The label where registers, and flags, are spilled that are dirty now. */
  #reach(flags: ExitFlags | undefined): string {
    const last = this.#chains.at(-1);
    const chain = last !== undefined && last.flags === flags?.key ? last : this.#begin(flags);
    const fresh = this.#written & ~chain.covered;
    if (fresh !== 0) chain.links.push(fresh);
    chain.covered |= fresh;
    const link = chain.links.length;
    if (link === 0 && chain.flags === undefined) return this.#frame.tail(this.#dirtyIn);
    return `${chain.name}${link}`;
  }

  #begin(flags: ExitFlags | undefined): Chain {
    const chain: Chain = {
      name: `x${this.#index}_${this.#chains.length}_`,
      flags: flags?.key,
      stores: flags?.write() ?? [],
      links: [],
      covered: this.#dirtyIn,
    };
    this.#chains.push(chain);
    return chain;
  }

  /** The block's code, and the chains behind it. */
  behind(code: readonly Expression[]): readonly Expression[] {
    const { emitter: e } = this.#frame;
    let body = code;
    for (const { name, links, stores } of this.#chains) {
      if (links.length === 0 && stores.length === 0) continue;
      for (let i = links.length; i > 0; i--)
        body = [e.block(`${name}${i}`, body), ...this.#frame.spill(links[i - 1] ?? 0)];
      if (stores.length > 0) body = [e.block(`${name}0`, body), ...stores];
      body = [...body, e.branch(this.#frame.tail(this.#dirtyIn))];
    }
    return body;
  }
}

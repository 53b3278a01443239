/** What is remembered of a translated function: where it can be entered, and what it was made from. */
import type { Stretch } from '../../memory/page-index.ts';
import type { GuestFunction } from '../discover.ts';
import type { Form, LoweredFunction } from '../lower/lower-function.ts';

export interface StoredFunction extends LoweredFunction {
  readonly entry: bigint;
  readonly form: Form;
  /** The form that was wanted: not every function can have the fast one. */
  readonly asked: Form;
  /** The instructions, in order. */
  readonly code: readonly Stretch[];
  /** Jump tables that have been read for it, where they may change. */
  readonly tables: readonly Stretch[];
  /** Functions of the same module that it calls without the dispatcher. */
  readonly calls: readonly bigint[];
}

/** Where the instructions of a function lie; blocks are in order of address and have no gaps inside. */
export function codeOf({ blocks }: GuestFunction): Stretch[] {
  const code: Stretch[] = [];
  for (const { address, statements } of blocks) {
    const last = statements.findLast((s) => s.kind === 'instruction');
    if (last === undefined) continue;
    const to = last.address + BigInt(last.length);
    const before = code.at(-1);
    if (before !== undefined && before.to >= address)
      code[code.length - 1] = { from: before.from, to: to > before.to ? to : before.to };
    else code.push({ from: address, to });
  }
  return code;
}

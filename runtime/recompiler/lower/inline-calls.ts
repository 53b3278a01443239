/**
 * Small functions written into the functions that call them, a copy a call, so that registers stay in their locals on the way
 * in and out. The return address is on the guest's stack as ever, and compared when it is popped. What a copy calls may
 * itself be a copy, so that a recursion is as many levels deep in one function.
 */
import type { Block, Terminator } from '../../ir/value.ts';
import type { GuestFunction } from '../discover.ts';
import { redirect } from './redirect.ts';

/** Instructions of a function that is worth a copy, and of all copies that a function may hold. */
const mostOfOne = 30;
const mostOfAll = 600;
/** Copies inside of copies. */
const deepest = 2;
/** A copy's blocks have addresses of their own, beyond all real ones; what they say of themselves has the real ones. */
const copyStep = 1n << 72n;
/** Exits count from the lowest instruction in 31 bits. */
const farthest = 1n << 30n;

/** The function with copies of what `functionAt` gives for the targets of its calls; itself where there is nothing to copy. */
export function inlineCalls(
  fn: GuestFunction,
  functionAt: (entry: bigint) => GuestFunction | undefined,
): GuestFunction {
  const inlining = new Inlining(fn, functionAt);
  const blocks = inlining.into(fn.blocks, 0);
  if (inlining.copied === 0) return fn;
  const instructions = fn.instructions + inlining.copied;
  return { ...fn, blocks, instructions, usesVectors: inlining.usesVectors };
}

class Inlining {
  /** Instructions. */
  copied = 0;
  usesVectors: boolean;
  readonly #fn: GuestFunction;
  readonly #functionAt: (entry: bigint) => GuestFunction | undefined;
  #copies = 0n;

  constructor(fn: GuestFunction, functionAt: (entry: bigint) => GuestFunction | undefined) {
    this.#fn = fn;
    this.usesVectors = fn.usesVectors;
    this.#functionAt = functionAt;
  }

  /** Blocks, and behind them the copies of what they call. */
  into(blocks: readonly Block[], depth: number): Block[] {
    const own = new Set(blocks.map(({ address }) => address));
    const copies: Block[] = [];
    const callers = blocks.map((block) => {
      const { terminator } = block;
      if (terminator.kind !== 'call') return block;
      const back = terminator.continuation ?? terminator.returnTo;
      const callee = own.has(back) ? this.#worthy(terminator.target) : undefined;
      if (callee === undefined) return block;
      this.copied += callee.instructions;
      this.usesVectors ||= callee.usesVectors;
      const moved = copyStep * ++this.#copies;
      const copy = callee.blocks.map((each) => copyOf(each, moved, terminator.returnTo, back));
      copies.push(...(depth + 1 < deepest ? this.into(copy, depth + 1) : copy));
      return { ...block, terminator: { kind: 'jump', target: callee.entry + moved } as const };
    });
    return [...callers, ...copies];
  }

  #worthy(target: bigint): GuestFunction | undefined {
    const callee = this.#functionAt(target);
    if (callee === undefined || this.copied + callee.instructions > mostOfAll) return undefined;
    return isSmall(callee, this.#fn.entry) ? callee : undefined;
  }
}

/** Few blocks that only go forward, and return. */
function isSmall({ blocks, instructions, entry, tables }: GuestFunction, caller: bigint): boolean {
  const distance = entry < caller ? caller - entry : entry - caller;
  if (instructions > mostOfOne || tables.size > 0 || distance > farthest) return false;
  const addresses = new Set(blocks.map(({ address }) => address));
  return blocks.every(({ address, statements, terminator }) => {
    const isForward = (target: bigint): boolean => target > address && addresses.has(target);
    return !statements.some(({ kind }) => kind === 'jumpIf') && waysOf(terminator).every(isForward);
  });
}

/** Where a block of a small function may go on; nowhere that could be stands for what such a function must not do. */
function waysOf(terminator: Terminator): readonly bigint[] {
  switch (terminator.kind) {
    case 'jump':
      return [terminator.target];
    case 'branch':
      return [terminator.taken, terminator.otherwise];
    case 'call':
    case 'callIndirect':
      return [terminator.returnTo];
    case 'return':
      return [];
    default:
      return [-1n];
  }
}

/** `back` is the block that the copy goes on at when it returns to `returnTo`. */
const copyOf = (block: Block, moved: bigint, returnTo: bigint, back: bigint): Block => ({
  ...block,
  address: block.address + moved,
  terminator: movedOf(block.terminator, moved, returnTo, back),
});

function movedOf(
  terminator: Terminator,
  moved: bigint,
  returnTo: bigint,
  back: bigint,
): Terminator {
  switch (terminator.kind) {
    case 'return':
      return { ...terminator, within: { returnTo, continuation: back } };
    case 'call':
    case 'callIndirect':
      return { ...terminator, continuation: terminator.returnTo + moved };
    default:
      return redirect(terminator, (target) => target + moved);
  }
}

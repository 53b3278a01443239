/**
 * Small functions written into the functions that call them or end in a jump to them, a copy each, so that registers stay in their
 * locals on the way in and out. The return address is on the guest's stack as ever, and compared when it is popped. What a copy
 * calls may itself be a copy, so that a recursion is as many levels deep in one function. Where a function that is called ends in a
 * jump elsewhere, its copy calls that: it comes back to where the copy would have.
 */
import type { Block, ComesBack, Terminator } from '../../ir/value.ts';
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

/** A call, which comes back, or a jump out of the function. */
interface Ends {
  readonly target: bigint;
  readonly back?: Required<ComesBack>;
}

class Inlining {
  /** Instructions. */
  copied = 0;
  usesVectors: boolean;
  readonly #fn: GuestFunction;
  readonly #functionAt: (entry: bigint) => GuestFunction | undefined;
  #copies = 0n;
  readonly #own = new Set<bigint>();

  constructor(fn: GuestFunction, functionAt: (entry: bigint) => GuestFunction | undefined) {
    this.#fn = fn;
    this.usesVectors = fn.usesVectors;
    this.#functionAt = functionAt;
  }

  /** Blocks, and behind them the copies of what they call and jump to. */
  into(blocks: readonly Block[], depth: number): Block[] {
    this.#know(blocks);
    const copies: Block[] = [];
    const callers = blocks.map((block) => {
      const ends = this.#endsOf(block.terminator);
      const callee = ends === undefined ? undefined : this.#worthy(ends.target);
      if (callee === undefined) return block;
      this.copied += callee.instructions;
      this.usesVectors ||= callee.usesVectors;
      const moved = copyStep * ++this.#copies;
      const inside = new Set(callee.blocks.map(({ address }) => address));
      const copy = callee.blocks.map((each) => ({
        ...each,
        address: each.address + moved,
        terminator: movedOf(each.terminator, moved, inside, ends?.back),
      }));
      copies.push(...(depth + 1 < deepest ? this.into(copy, depth + 1) : copy));
      this.#know(copy);
      return { ...block, terminator: { kind: 'jump', target: callee.entry + moved } as const };
    });
    return [...callers, ...copies];
  }

  #know(blocks: readonly Block[]): void {
    for (const { address } of blocks) this.#own.add(address);
  }

  /** What a block calls, and where that comes back to; where it jumps out of the function, nowhere here. */
  #endsOf(terminator: Terminator): Ends | undefined {
    const { kind } = terminator;
    if (kind === 'jump')
      return this.#own.has(terminator.target) ? undefined : { target: terminator.target };
    if (kind !== 'call') return undefined;
    const { target, returnTo, continuation = returnTo } = terminator;
    return this.#own.has(continuation) ? { target, back: { returnTo, continuation } } : undefined;
  }

  #worthy(target: bigint): GuestFunction | undefined {
    const callee = this.#functionAt(target);
    if (callee === undefined || this.copied + callee.instructions > mostOfAll) return undefined;
    return isSmall(callee, this.#fn.entry) ? callee : undefined;
  }
}

/** Few blocks that only go forward, and return or jump elsewhere. */
function isSmall({ blocks, instructions, entry, tables }: GuestFunction, caller: bigint): boolean {
  const distance = entry < caller ? caller - entry : entry - caller;
  if (instructions > mostOfOne || tables.size > 0 || distance > farthest) return false;
  const addresses = new Set(blocks.map(({ address }) => address));
  return blocks.every(({ address, statements, terminator }) => {
    const isForward = (target: bigint): boolean => target > address && addresses.has(target);
    if (terminator.kind === 'jump' && !addresses.has(terminator.target)) return true;
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
    case 'jumpIndirect':
      return [];
    default:
      return [-1n];
  }
}

/** `inside` are the function's own blocks; a copy that is called comes `back`. */
function movedOf(
  terminator: Terminator,
  moved: bigint,
  inside: ReadonlySet<bigint>,
  back: Required<ComesBack> | undefined,
): Terminator {
  switch (terminator.kind) {
    case 'return':
      return back === undefined ? terminator : { ...terminator, within: back };
    case 'call':
    case 'callIndirect':
      return { ...terminator, continuation: terminator.returnTo + moved };
    case 'jumpIndirect':
      return back === undefined ? terminator : { ...terminator, kind: 'callIndirect', ...back };
    case 'jump':
      if (inside.has(terminator.target)) break;
      return back === undefined ? terminator : { ...terminator, kind: 'call', ...back };
  }
  return redirect(terminator, (target) => target + moved);
}

/**
 * Small functions written into the functions that call them or end in a jump to them, a copy each, so that registers stay in their
 * locals on the way in and out. The return address is on the guest's stack as ever, and compared when it is popped. What a copy
 * calls may itself be a copy, so that a recursion is as many levels deep in one function. Where a function that is called ends in a
 * jump elsewhere, its copy calls that: it comes back to where the copy would have.
 */
import type { Block, ComesBack, Terminator } from '../../ir/value.ts';
import type { GuestFunction } from '../discover.ts';
import { mostOfCopy } from '../layout.ts';
import { controlFlow } from './control-flow.ts';
import { redirect } from './redirect.ts';

/** Instructions of all copies that a function may hold. */
const mostOfAll = 600;
/** Copies inside of copies. */
const deepest = 3;
/** A copy's blocks have addresses of their own, beyond all real ones; what they say of themselves has the real ones. */
const copyStep = 1n << 72n;
/** Exits count from the lowest instruction in 31 bits. */
const farthest = 1n << 30n;

/** What is known of calls. */
export interface Known {
  /** A function that may be copied. */
  readonly functionAt: (entry: bigint) => GuestFunction | undefined;
  /** What was mostly called where a call comes back to an address, directly or through a pointer. */
  readonly calledAt: (returnTo: bigint) => readonly bigint[];
}

/** The function with copies of what it calls; itself where nothing is known of that. */
export function inlineCalls(fn: GuestFunction, known: Known): GuestFunction {
  const inlining = new Inlining(fn, known);
  const blocks = inlining.into(fn.blocks, 0);
  if (!inlining.hasChanged) return fn;
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
  readonly #known: Known;
  #moves = 0n;
  readonly #own = new Set<bigint>();
  /** What calls by name call that have become copies, by return address. */
  readonly #directly = new Map<bigint, bigint>();

  constructor(fn: GuestFunction, known: Known) {
    this.#fn = fn;
    this.usesVectors = fn.usesVectors;
    this.#known = known;
  }

  get hasChanged(): boolean {
    return this.#moves > 0n;
  }

  /** Blocks, and behind them the copies of what they call and jump to. */
  into(blocks: readonly Block[], depth: number): Block[] {
    this.#know(blocks);
    const copies: Block[] = [];
    const callers = blocks.map((block) => {
      const ends = this.#endsOf(block.terminator);
      const copy = ends === undefined ? undefined : this.#copy(ends, depth);
      if (copy === undefined) return this.#expecting(block, depth, copies);
      copies.push(...copy.blocks);
      return { ...block, terminator: { kind: 'jump', target: copy.entry } as const };
    });
    return [...callers, ...copies];
  }

  /** A copy of a function that is worth it, with what that calls. */
  #copy(
    { target, back }: Ends,
    depth: number,
  ): Pick<GuestFunction, 'entry' | 'blocks'> | undefined {
    const callee = this.#worthy(target);
    if (callee === undefined) return undefined;
    if (back !== undefined) this.#directly.set(back.returnTo, target);
    this.copied += callee.instructions;
    this.usesVectors ||= callee.usesVectors;
    const moved = copyStep * ++this.#moves;
    const inside = new Set(callee.blocks.map(({ address }) => address));
    const blocks = callee.blocks.map((each) => ({
      ...each,
      address: each.address + moved,
      terminator: movedOf(each.terminator, moved, inside, back),
    }));
    this.#know(blocks);
    const entry = callee.entry + moved;
    return { entry, blocks: depth + 1 < deepest ? this.into(blocks, depth + 1) : blocks };
  }

  /** The block, with a way of its own to what it is expected to call: a copy, or a block that calls it directly. */
  #expecting(block: Block, depth: number, copies: Block[]): Block {
    const { terminator } = block;
    if (terminator.kind !== 'callIndirect') return block;
    const { returnTo, continuation = returnTo } = terminator;
    if (!this.#own.has(continuation)) return block;
    const back = { returnTo, continuation };
    const direct = this.#directly.get(returnTo);
    const targets = this.#known.calledAt(returnTo).filter((target) => target !== direct);
    if (targets.length === 0) return block;
    const expected = targets.map((target) => {
      const copy = this.#copy({ target, back }, depth) ?? this.#directCall(block, { target, back });
      copies.push(...copy.blocks);
      return { target, way: copy.entry };
    });
    return { ...block, terminator: { ...terminator, expected } };
  }

  #directCall(
    { statements }: Block,
    { target, back }: Required<Ends>,
  ): Pick<GuestFunction, 'entry' | 'blocks'> {
    const entry = copyStep * ++this.#moves;
    const begin = statements.findLast(({ kind }) => kind === 'instruction');
    const direct: Block = {
      ...{ address: entry, statements: begin === undefined ? [] : [begin], flagsOut: {} },
      terminator: { kind: 'call', target, ...back },
    };
    return { entry, blocks: [direct] };
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
    const callee = this.#known.functionAt(target);
    if (callee === undefined || this.copied + callee.instructions > mostOfAll) return undefined;
    return isSmall(callee, this.#fn.entry) ? callee : undefined;
  }
}

/** Few blocks that never come back to one of them, and return or jump elsewhere. */
function isSmall({ blocks, instructions, entry, tables }: GuestFunction, caller: bigint): boolean {
  const distance = entry < caller ? caller - entry : entry - caller;
  if (instructions > mostOfCopy || tables.size > 0 || distance > farthest) return false;
  const indices = new Map(blocks.map(({ address }, i) => [address, i]));
  const successors: number[][] = [];
  for (const { statements, terminator } of blocks) {
    const isOut = terminator.kind === 'jump' && !indices.has(terminator.target);
    const ways = isOut ? [] : waysOf(terminator).map((target) => indices.get(target) ?? -1);
    if (ways.includes(-1) || statements.some(({ kind }) => kind === 'jumpIf')) return false;
    successors.push(ways);
  }
  return controlFlow(successors, indices.get(entry) ?? 0).heads.size === 0;
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

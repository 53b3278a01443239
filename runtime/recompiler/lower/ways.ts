/** How control goes from block to block inside one Wasm function; each form of a function has its own. Blocks are numbers of plans. */
import { flagBits } from '../../ir/builder.ts';
import type { Value } from '../../ir/value.ts';
import type { Fact } from '../access/address-facts.ts';
import { writeCheck } from '../access/linear-access.ts';
import type { Expression } from '../emit/emitter.ts';
import { realAddress } from './chunk-loops.ts';
import { type FlagSet, flagsIn } from './flag-set.ts';
import type { Frame } from './frame.ts';
import type { BlockPlan } from './plan.ts';
import type { RegisterSet } from './register-set.ts';
import type { Values } from './values.ts';

export interface Ways {
  /** The block of this function at an address, and whether it is gone back to from another. */
  planAt(target: bigint): BlockPlan | undefined;
  isBack(from: number, target: bigint): boolean;
  /** Statements that go on at a block, with registers in their locals; undefined where no block of the function is there. */
  goTo(from: number, target: bigint): readonly Expression[] | undefined;
  /** The same on a condition. */
  goToIf(from: number, condition: Expression, target: bigint): Expression | undefined;
  /** Statements that go on at a block where a call has come back: registers are in the state block. */
  comeBack(from: number, continuation: bigint): readonly Expression[] | undefined;
  /** What `goThroughTable` asks for, where it knows the ways of a block's jump: only where that falls through is a target needed. */
  tableIndex(from: number): Value | undefined;
  /** Goes on by the index into a jump table; falls through where it knows no way. */
  goThroughTable(from: number, values: Values): readonly Expression[];
  /** Goes on at an address, in a local, where it is a target of a jump table of the function; else falls through. */
  goToTarget(target: number): readonly Expression[];
}

/** Loads from the state block what lives at a block's start, but for registers that have travelled. */
export function loadLive(frame: Frame, plan: BlockPlan, travelled: RegisterSet): Expression[] {
  const loads = frame.loadRegisters(plan.liveIn & ~travelled);
  return plan.flagsIn === 0 ? loads : [...loads, ...loadFlags(frame, plan.flagsIn)];
}

/** What is to be known of addresses where a block is come to from outside; what does not hold leaves at its start. */
export function checkFirst(
  frame: Frame,
  { block, dirtyIn }: BlockPlan,
  facts: readonly Fact[] = [],
): Expression[] {
  const { emitter: e } = frame;
  const exitIf = (condition: Expression): Expression =>
    e.branchIfRare(frame.tail(dirtyIn), condition, frame.setPlace(realAddress(block), false));
  return frame.aside(() => {
    for (const fact of facts) writeCheck(frame, fact, exitIf);
  });
}

/** Flags that a block reads before it sets them, where it is entered from outside: behind a call, mostly because a rotation keeps the others. */
function loadFlags(frame: Frame, flags: FlagSet): Expression[] {
  const e = frame.emitter;
  const packed = frame.local('i32');
  const loads = [e.set(packed, e.call(frame.context.flags(), [], 'i32'))];
  for (const flag of flagsIn(flags)) {
    const bit = e.op(
      'i32.and',
      e.op('i32.shr_u', e.get(packed, 'i32'), e.i32(flagBits[flag])),
      e.i32(1),
    );
    loads.push(e.set(frame.flagLocal(flag), bit));
  }
  return loads;
}

/**
 * One guest function → one Wasm function `(selector, rsp, depth) → (pc, rsp)`, in the form that can be entered at any of its
 * entries: a br_table over its units. A unit is a block, or the stub in front of one that loads registers for who comes from
 * outside. Forward jumps are plain branches; backward ones go round the loop.
 */

import { flagBits } from '../ir/builder.ts';
import type { Flag } from '../ir/ops.ts';
import type { GuestFunction } from './discover.ts';
import type { Expression } from './emitter.ts';
import { Frame, functionName, type ModuleContext } from './frame.ts';
import { leaveReasons } from './leave-reasons.ts';
import { BlockLowering } from './lower-block.ts';
import { type BlockPlan, plan } from './plan.ts';

export interface LoweredFunction {
  readonly name: string;
  /** Guest address → selector, for the code map. */
  readonly entries: readonly { readonly address: bigint; readonly selector: number }[];
}

export function lowerFunction(context: ModuleContext, fn: GuestFunction): LoweredFunction {
  const plans = plan(fn);
  const frame = new Frame(context, fn, plans);
  const e = context.emitter;
  const name = functionName(fn.entry);
  const codes = frame.units.map((unit) => {
    frame.statements = [];
    if (unit.kind === 'stub') writeStub(frame, unit.plan, unit.plan.block.address === fn.entry);
    else new BlockLowering(frame, unit.plan, unit.index).write();
    return frame.statements;
  });
  const labels = frame.selectors.map((unit) => frame.label(unit));
  const first = labels[0] ?? '';
  let body: Expression = e.branchTable(labels, first, e.get(0, 'i32'));
  codes.forEach((code, i) => {
    body = e.block(undefined, [e.block(frame.label(i), [body]), ...code]);
  });
  const types = frame.pair;
  const cost = frame.stackCost();
  const prologue = e.set(2, e.op('i32.sub', e.get(2, 'i32'), e.i32(cost)));
  const loop = e.loop('top', [body, e.unreachable()]);
  e.addFunction(
    name,
    ['i32', frame.native, 'i32'],
    types,
    frame.locals,
    e.block(undefined, [prologue, loop, e.unreachable()]),
  );
  return { name, entries: frame.entries() };
}

/** Loads what lives on from the state block. The function's own entry polls first, while nothing is loaded. */
function writeStub(frame: Frame, plan: BlockPlan, isEntry: boolean): void {
  const e = frame.emitter;
  if (isEntry) {
    const polls = frame.nextPoll();
    // The host's stack is used up: everything unwinds to the dispatcher, which enters here again.
    const again = e.return(frame.constant(plan.block.address), e.get(1, frame.native));
    const spent = e.op('i32.lt_s', e.op('i32.or', polls, e.get(2, 'i32')), e.i32(0));
    frame.statement(
      e.ifThen(spent, [
        e.ifThen(e.op('i32.lt_s', e.get(2, 'i32'), e.i32(0)), [again]),
        ...frame.leave(plan.block.address, leaveReasons.poll, 0),
        e.return(frame.constant(-1n), e.get(1, frame.native)),
      ]),
    );
  }
  frame.loadRegisters(plan.liveIn);
  if (plan.flagsIn.size > 0) loadFlags(frame, plan.flagsIn);
}

/** Flags that a block reads before it sets them, where it is entered from outside: rare, so the host computes them. */
function loadFlags(frame: Frame, flags: ReadonlySet<Flag>): void {
  const e = frame.emitter;
  const packed = frame.local('i32');
  frame.statement(e.set(packed, e.call('flags', [], 'i32')));
  for (const flag of flags) {
    const bit = e.op(
      'i32.and',
      e.op('i32.shr_u', e.get(packed, 'i32'), e.i32(flagBits[flag])),
      e.i32(1),
    );
    frame.statement(e.set(frame.flagLocal(flag), bit));
  }
}

/** How a block goes on: jumps inside the function, tail calls out of it, calls whose return address is compared, leaves. */
import type { Terminator } from '../ir/value.ts';
import { cpuState } from '../x86/state.ts';
import { codeMapEntry } from './dispatcher.ts';
import type { Expression } from './emitter.ts';
import { type Frame, functionName } from './frame.ts';
import { leaveReasons } from './leave-reasons.ts';
import type { BlockPlan } from './plan.ts';
import type { Values } from './values.ts';

export class TerminatorLowering {
  readonly #frame: Frame;
  readonly #plan: BlockPlan;
  readonly #unit: number;
  readonly #values: Values;

  constructor(frame: Frame, plan: BlockPlan, unit: number, values: Values) {
    this.#frame = frame;
    this.#plan = plan;
    this.#unit = unit;
    this.#values = values;
  }

  #writeFlags(): void {
    const e = this.#frame.emitter;
    const pending: [number, number][] = [];
    for (const flag of this.#plan.flagsOut) {
      const value = this.#plan.block.flagsOut[flag];
      if (value === undefined) continue;
      pending.push([
        this.#frame.flagLocal(flag),
        this.#values.toLocal(this.#values.emit(value), 'i32'),
      ]);
    }
    for (const [local, value] of pending) this.#frame.statement(e.set(local, e.get(value, 'i32')));
  }

  /** `address` is that of the block's last instruction. */
  write(terminator: Terminator, address: bigint): void {
    const e = this.#frame.emitter;
    const native = this.#frame.native;
    switch (terminator.kind) {
      case 'jump':
        this.#writeFlags();
        this.#goTo(terminator.target);
        break;
      case 'branch': {
        const condition = this.#values.toLocal(this.#values.emit(terminator.condition), 'i32');
        this.#writeFlags();
        this.jumpIf(e.get(condition, 'i32'), terminator.taken);
        this.#goTo(terminator.otherwise);
        break;
      }
      case 'call':
        this.#call(terminator.target, undefined, terminator.returnTo);
        break;
      case 'callIndirect': {
        const target = this.#values.toLocal(this.#values.emit(terminator.target), native);
        this.#call(undefined, target, terminator.returnTo);
        break;
      }
      case 'jumpIndirect': {
        const target = this.#values.toLocal(this.#values.emit(terminator.target), native);
        if (this.#frame.fn.tableTargets.size > 0) this.#jumpWithin(target);
        this.#spillAll();
        this.#tail('call', [e.get(target, native), e.get(1, native), e.get(2, 'i32')]);
        break;
      }
      case 'return': {
        const target = this.#values.toLocal(this.#values.emit(terminator.target), native);
        this.#spillAll();
        this.#frame.statement(e.return(e.get(target, native), e.get(1, native)));
        break;
      }
      case 'leave':
        this.#spillAll();
        for (const store of this.#frame.leave(
          terminator.next,
          leaveReasons[terminator.reason],
          this.#operand(terminator),
        ))
          this.#frame.statement(store);
        this.#frame.statement(this.#frame.storeState('i64', cpuState.leaveAddress, e.i64(address)));
        this.#frame.statement(this.#frame.returnLeft());
        break;
    }
  }

  #operand({ reason, operand }: Extract<Terminator, { kind: 'leave' }>): number {
    return reason === 'exception' ? operand | (-1 << 8) : operand;
  }

  #spillAll(): void {
    for (const store of this.#frame.spill(this.#plan.dirtyIn | this.#plan.written))
      this.#frame.statement(store);
  }

  jumpIf(condition: Expression, target: bigint): void {
    const e = this.#frame.emitter;
    const units = this.#frame.unitsOf(target);
    if (units === undefined) {
      const outer = this.#frame.statements;
      this.#frame.statements = [];
      this.#goTo(target);
      const body = this.#frame.statements;
      this.#frame.statements = outer;
      this.#frame.statement(e.ifThen(condition, body));
    } else if (units.block > this.#unit) {
      this.#frame.statement(e.branchIf(this.#frame.label(units.block), condition));
    } else {
      this.#frame.statement(e.ifThen(condition, this.#frame.goTo(this.#unit, units.block, true)));
    }
  }

  #goTo(target: bigint): void {
    const units = this.#frame.unitsOf(target);
    if (units !== undefined) {
      for (const s of this.#frame.goTo(this.#unit, units.block, true)) this.#frame.statement(s);
      return;
    }
    this.#spillAll();
    this.#tailTo(target);
  }

  /**
   * A computed jump to a target of this function's jump tables: the code map says which, and the registers stay in their
   * locals. Other blocks of this function (the entry, where a call comes back to) do not expect that.
   */
  #jumpWithin(target: number): void {
    const frame = this.#frame;
    const e = this.#frame.emitter;
    const entry = frame.local('i32');
    const { codeMap } = frame.layout;
    const low = (): Expression =>
      frame.native === 'i64' ? e.op('i32.wrap_i64', e.get(target, 'i64')) : e.get(target, 'i32');
    const wide = frame.native === 'i64' ? e.get(target, 'i64') : e.op('i64.extend_i32_u', low());
    this.#writeFlags();
    this.#frame.statement(e.set(entry, codeMapEntry(e, low)));
    const word = (offset: number): Expression =>
      e.load('i32.load', codeMap + offset, e.get(entry, 'i32'));
    const own = e.op('i32.add', e.getGlobal('base'), e.i32(frame.context.ordinal(frame.fn.entry)));
    const { start, end } = frame.tableSelectors;
    const isTarget = e.op('i32.lt_u', e.op('i32.sub', word(12), e.i32(start)), e.i32(end - start));
    const isOwn = e.op(
      'i32.and',
      e.op('i64.eq', e.load('i64.load', codeMap, e.get(entry, 'i32')), wide),
      e.op('i32.eq', word(8), own),
    );
    const isHere = e.op('i32.and', isOwn, isTarget);
    const block = e.op('i32.add', word(12), e.i32(1));
    this.#frame.statement(e.ifThen(isHere, [e.set(0, block), e.branch('top')]));
  }

  /** A jump out of the function: its results are ours. */
  #tailTo(target: bigint): void {
    const e = this.#frame.emitter;
    const rest = [e.get(1, this.#frame.native), e.get(2, 'i32')];
    if (this.#frame.context.has(target)) this.#tail(functionName(target), [e.i32(0), ...rest]);
    else this.#tail('call', [this.#frame.constant(target), ...rest]);
  }

  #tail(name: string, args: readonly Expression[]): void {
    const e = this.#frame.emitter;
    const native = this.#frame.native;
    const pc = this.#frame.local(native);
    const rsp = this.#frame.local(native);
    this.#frame.statement(e.callPair(name, args, this.#frame.pair, [pc, rsp]));
    this.#frame.statement(e.return(e.get(pc, native), e.get(rsp, native)));
  }

  /** A call: everything is in the state block; nothing is believed afterwards but that the returned pc is the expected one. */
  #call(target: bigint | undefined, indirect: number | undefined, returnTo: bigint): void {
    const frame = this.#frame;
    const e = this.#frame.emitter;
    const native = frame.native;
    this.#spillAll();
    const rest = [e.get(1, native), e.get(2, 'i32')];
    const pc = frame.local(native);
    if (target !== undefined && frame.context.has(target)) {
      this.#frame.statement(
        e.callPair(functionName(target), [e.i32(0), ...rest], frame.pair, [pc, 1]),
      );
    } else {
      const to = target === undefined ? e.get(indirect ?? 0, native) : frame.constant(target);
      this.#frame.statement(e.callPair('call', [to, ...rest], frame.pair, [pc, 1]));
    }
    const back = e.return(e.get(pc, native), e.get(1, native));
    const units = frame.unitsOf(returnTo);
    if (units?.stub === undefined) {
      this.#frame.statement(back);
      return;
    }
    const elsewhere = e.op(`${native}.ne`, e.get(pc, native), frame.constant(returnTo));
    this.#frame.statement(e.ifThen(elsewhere, [back]));
    for (const s of frame.goTo(this.#unit, units.stub, true)) this.#frame.statement(s);
  }
}

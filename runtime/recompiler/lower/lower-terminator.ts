/** How a block goes on: jumps inside the function, tail calls out of it, calls whose return address is compared, leaves. */
import type { Terminator, Value } from '../../ir/value.ts';
import { cpuState } from '../../x86/state.ts';
import type { Expression } from '../emit/emitter.ts';
import { leaveReasons } from '../leave-reasons.ts';
import { type Frame, functionName } from './frame.ts';
import type { BlockPlan } from './plan.ts';
import type { Values } from './values.ts';
import type { Ways } from './ways.ts';

export class TerminatorLowering {
  readonly #frame: Frame;
  readonly #plan: BlockPlan;
  readonly #ways: Ways;
  readonly #index: number;
  readonly #values: Values;

  constructor(frame: Frame, block: { ways: Ways; plan: BlockPlan; index: number; values: Values }) {
    this.#frame = frame;
    this.#plan = block.plan;
    this.#ways = block.ways;
    this.#index = block.index;
    this.#values = block.values;
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

  /** `address` is that of the block's last instruction; `tableLoad` loads the target of its jump, unless it is loaded already. */
  write(terminator: Terminator, address: bigint, tableLoad: (() => void) | undefined): void {
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
      case 'jumpIndirect':
        this.#jumpIndirect(terminator.target, tableLoad);
        break;
      case 'return': {
        const target = this.#values.toLocal(this.#values.emit(terminator.target), native);
        if (terminator.expected === undefined) this.#return(target);
        else this.#returnWithin(target, terminator.expected);
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

  #return(target: number): void {
    const { emitter: e, native } = this.#frame;
    this.#spillAll();
    this.#frame.statement(e.return(e.get(target, native), e.get(1, native)));
  }

  /** The return of a function that stands in its caller: goes on there, unless the address is another one. */
  #returnWithin(target: number, expected: bigint): void {
    const frame = this.#frame;
    const { emitter: e, native } = frame;
    const elsewhere = e.op(`${native}.ne`, e.get(target, native), frame.constant(expected));
    this.#writeFlags();
    frame.statement(
      e.ifRare(
        elsewhere,
        frame.aside(() => this.#return(target)),
      ),
    );
    this.#goTo(expected);
  }

  #spillAll(): void {
    const { dirtyIn, written, flagInputs } = this.#plan;
    for (const store of this.#frame.spill(dirtyIn | written, flagInputs))
      this.#frame.statement(store);
  }

  jumpIf(condition: Expression, target: bigint): void {
    const frame = this.#frame;
    const within = this.#ways.goToIf(this.#index, condition, target);
    frame.statement(
      within ??
        frame.emitter.ifThen(
          condition,
          frame.aside(() => this.#goTo(target)),
        ),
    );
  }

  #goTo(target: bigint): void {
    const within = this.#ways.goTo(this.#index, target);
    if (within === undefined) {
      this.#spillAll();
      this.#tailTo(target);
    } else for (const s of within) this.#frame.statement(s);
  }

  /** Through a jump table of the function where it knows the way, else through the dispatcher. */
  #jumpIndirect(target: Value, load: (() => void) | undefined): void {
    const frame = this.#frame;
    const e = frame.emitter;
    const { native } = frame;
    this.#writeFlags();
    for (const s of this.#ways.goThroughTable(this.#index, this.#values)) frame.statement(s);
    load?.();
    const to = this.#values.toLocal(this.#values.emit(target), native);
    for (const s of this.#ways.goToTarget(to)) frame.statement(s);
    this.#spillAll();
    this.#tail('call', [e.get(to, native), e.get(1, native), e.get(2, 'i32')]);
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
    const on = this.#ways.comeBack(this.#index, returnTo);
    if (on === undefined) {
      this.#frame.statement(back);
      return;
    }
    const elsewhere = e.op(`${native}.ne`, e.get(pc, native), frame.constant(returnTo));
    this.#frame.statement(e.ifRare(elsewhere, [back]));
    for (const s of on) this.#frame.statement(s);
  }
}

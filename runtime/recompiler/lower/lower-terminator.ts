/** How a block goes on: jumps inside the function, tail calls out of it, calls whose return address is compared, leaves. */
import { constantOf } from '../../ir/build.ts';
import type { ComesBack, Terminator, Value } from '../../ir/value.ts';
import { RSP } from '../../x86/registers.ts';
import { cpuState, registerOffset } from '../../x86/state.ts';
import type { Expression } from '../emit/emitter.ts';
import { leaveReasons } from '../leave-reasons.ts';
import { realAddress } from './chunk-loops.ts';
import { flagsIn } from './flag-set.ts';
import type { FlagsNow } from './flags-now.ts';
import { type Frame, functionName } from './frame.ts';
import type { BlockPlan } from './plan.ts';
import type { RegisterSet } from './register-set.ts';
import type { Values } from './values.ts';
import type { Ways } from './ways.ts';

/** What the host may answer while frames stand. */
const answerable: ReadonlySet<string> = new Set(['hostCall', 'hypercall', 'timestamp']);

interface BlockAtHand {
  readonly ways: Ways;
  readonly plan: BlockPlan;
  readonly index: number;
  readonly values: Values;
  readonly flags: FlagsNow;
  /** Writes a poll, which goes on at an address. */
  readonly poll: (address: bigint) => void;
  /** Writes what is to be checked on the way to a block. */
  readonly checkAhead: (to: BlockPlan) => void;
}

export class TerminatorLowering {
  readonly #frame: Frame;
  readonly #plan: BlockPlan;
  readonly #ways: Ways;
  readonly #index: number;
  readonly #values: Values;
  readonly #flags: FlagsNow;
  readonly #poll: (address: bigint) => void;
  readonly #checkAhead: (to: BlockPlan) => void;

  constructor(frame: Frame, block: BlockAtHand) {
    this.#frame = frame;
    this.#plan = block.plan;
    this.#ways = block.ways;
    this.#index = block.index;
    this.#values = block.values;
    this.#flags = block.flags;
    this.#poll = block.poll;
    this.#checkAhead = block.checkAhead;
  }

  #writeFlags(): void {
    const e = this.#frame.emitter;
    const pending: [number, number][] = [];
    for (const flag of flagsIn(this.#plan.flagsOut)) {
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
    const frame = this.#frame;
    const { emitter: e, native } = frame;
    switch (terminator.kind) {
      case 'jump':
        this.#writeFlags();
        this.goTo(terminator.target);
        break;
      case 'branch': {
        const condition = this.#values.toLocal(this.#values.emit(terminator.condition), 'i32');
        this.#writeFlags();
        this.jumpIf(e.get(condition, 'i32'), terminator.taken);
        this.goTo(terminator.otherwise);
        break;
      }
      case 'call':
        this.#call(this.#callee(terminator.target), terminator);
        break;
      case 'callIndirect': {
        const { expected = [] } = terminator;
        const known = constantOf(terminator.target);
        if (known !== undefined) {
          this.#call(this.#callee(known), terminator);
          break;
        }
        const target = this.#values.toLocal(this.#values.emit(terminator.target), native);
        if (expected.length > 0) this.#writeFlags();
        for (const { target: each, way } of expected)
          this.jumpIf(e.op(`${native}.eq`, e.get(target, native), frame.constant(each)), way);
        this.#call({ name: 'call', first: [e.get(target, native)] }, terminator);
        break;
      }
      case 'jumpIndirect':
        this.#jumpIndirect(terminator.target, tableLoad);
        break;
      case 'return': {
        const target = this.#values.toLocal(this.#values.emit(terminator.target), native);
        if (terminator.within === undefined) this.#return(target);
        else this.#returnWithin(target, terminator.within);
        break;
      }
      case 'leave':
        this.#spillBut(0);
        for (const store of this.#frame.leave(
          terminator.next,
          leaveReasons[terminator.reason],
          this.#operand(terminator),
        ))
          this.#frame.statement(store);
        this.#frame.statement(this.#frame.storeState('i64', cpuState.leaveAddress, e.i64(address)));
        if (answerable.has(terminator.reason)) this.#askHost(terminator.next);
        this.#write(this.#frame.calls.left());
        break;
    }
  }

  /** The host may answer while this frame stands: then everything is in the state block. */
  #askHost(next: bigint): void {
    const frame = this.#frame;
    const e = frame.emitter;
    const on = this.#ways.comeBack(this.#index, next);
    if (on === undefined) return;
    frame.statement(frame.storeState(frame.native, registerOffset(RSP), frame.sp()));
    const answered = frame.local('i32');
    frame.statement(e.set(answered, e.call('answer', [], 'i32')));
    // Another thread's, perhaps.
    frame.statement(frame.reloadSp());
    const reload = frame.loadRegisters(frame.convention.returned);
    frame.statement(e.ifThen(e.get(answered, 'i32'), [...reload, ...on]));
  }

  #operand({ reason, operand }: Extract<Terminator, { kind: 'leave' }>): number {
    return reason === 'exception' ? operand | (-1 << 8) : operand;
  }

  #return(target: number): void {
    const { emitter: e, native, convention } = this.#frame;
    this.#spillBut(convention.returned);
    this.#write(this.#frame.calls.return(e.get(target, native)));
  }

  /** The return of a function that stands in its caller: goes on there, unless the address is another one. */
  #returnWithin(target: number, { returnTo, continuation }: Required<ComesBack>): void {
    const frame = this.#frame;
    const { emitter: e, native } = frame;
    const elsewhere = e.op(`${native}.ne`, e.get(target, native), frame.constant(returnTo));
    this.#writeFlags();
    frame.statement(
      e.ifRare(
        elsewhere,
        frame.aside(() => this.#return(target)),
      ),
    );
    this.goTo(continuation);
  }

  /** Spills what is dirty, but for registers that travel. */
  #spillBut(travelling: RegisterSet): void {
    const { dirtyIn, written } = this.#plan;
    this.#write(this.#flags.stores());
    this.#write(this.#frame.spill((dirtyIn | written) & ~travelling));
  }

  #write(statements: readonly Expression[]): void {
    for (const s of statements) this.#frame.statement(s);
  }

  jumpIf(condition: Expression, target: bigint): void {
    const frame = this.#frame;
    const first = frame.aside(() => this.#beforeGoing(target));
    const within =
      first.length === 0 ? this.#ways.goToIf(this.#index, condition, target) : undefined;
    frame.statement(
      within ?? frame.emitter.ifThen(condition, [...first, ...frame.aside(() => this.#go(target))]),
    );
  }

  goTo(target: bigint): void {
    this.#beforeGoing(target);
    this.#go(target);
  }

  /** Flags that the block there takes from the state block, and the poll where a loop is gone back to. */
  #beforeGoing(target: bigint): void {
    const to = this.#ways.planAt(target);
    if (to === undefined) return;
    this.#write(this.#flags.storesFor(to.flagSources));
    this.#checkAhead(to);
    if (to.pollsOnEdges && this.#ways.isBack(this.#index, target))
      this.#poll(realAddress(to.block));
  }

  #go(target: bigint): void {
    const within = this.#ways.goTo(this.#index, target);
    if (within === undefined) this.#tailTo(this.#callee(target));
    else this.#write(within);
  }

  /** Through a jump table of the function where it knows the way, else through the dispatcher. */
  #jumpIndirect(target: Value, load: (() => void) | undefined): void {
    const frame = this.#frame;
    const e = frame.emitter;
    const { native } = frame;
    this.#writeFlags();
    this.#write(this.#flagsForTable());
    for (const s of this.#ways.goThroughTable(this.#index, this.#values)) frame.statement(s);
    load?.();
    const to = this.#values.toLocal(this.#values.emit(target), native);
    for (const s of this.#ways.goToTarget(to)) frame.statement(s);
    this.#tailTo({ name: 'jump', first: [e.get(to, native)] });
  }

  /** Flags that one of the blocks takes from the state block that a computed jump may go to. */
  #flagsForTable(): readonly Expression[] {
    const targets = [...this.#frame.fn.tableTargets].flatMap((to) => this.#ways.planAt(to) ?? []);
    const taking = targets.find(({ flagSources: { isSeen, start } }) => isSeen && !start);
    return taking === undefined ? [] : this.#flags.storesFor(taking.flagSources);
  }

  /** A jump out of the function: its results are ours. */
  #tailTo({ name, first }: Callee): void {
    const frame = this.#frame;
    this.#spillBut(frame.convention.passed);
    this.#write(frame.calls.tail(name, [...first, ...frame.calls.arguments()]));
  }

  /** The function at an address, called directly where it is of this module. */
  #callee(target: bigint): Callee {
    const { context } = this.#frame;
    return context.has(target)
      ? { name: functionName(target), first: [] }
      : { name: 'call', first: [this.#frame.constant(target)] };
  }

  /** A call: nothing is believed afterwards but what travels, and that the function went back to the expected address. */
  #call({ name, first }: Callee, { returnTo, continuation = returnTo }: ComesBack): void {
    const frame = this.#frame;
    const on = this.#ways.comeBack(this.#index, continuation);
    if (on === undefined) {
      this.#tailTo({ name, first });
      return;
    }
    this.#spillBut(frame.convention.passed);
    this.#write(frame.calls.call(name, [...first, ...frame.calls.arguments()], returnTo));
    this.#write(on);
  }
}

/** A function to call, and what it gets before what every callee gets. */
interface Callee {
  readonly name: string;
  readonly first: readonly Expression[];
}

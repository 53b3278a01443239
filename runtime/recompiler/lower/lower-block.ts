/** One block → Wasm statements: effects in order, then the way on, and behind it what its exits spill. */

import type { Flag } from '../../ir/ops.ts';
import type { Statement, Subroutine, Terminator, Value } from '../../ir/value.ts';
import { memoryAccess } from '../access/choose-access.ts';
import { writeCheck } from '../access/linear-access.ts';
import type { MemoryAccess } from '../access/memory-access.ts';
import { storeOps } from '../carrier.ts';
import type { Emitter, Expression, WasmType } from '../emit/emitter.ts';
import { writeChunk } from './chunk-guard.ts';
import { realAddress } from './chunk-loops.ts';
import { ExitChain } from './exit-chain.ts';
import { flagsIn } from './flag-set.ts';
import { FlagsNow } from './flags-now.ts';
import { type Frame, type Halves, iterationsPerPoll } from './frame.ts';
import { mayGo } from './leaving.ts';
import { rules } from './lower.ts';
import { floatRules } from './lower-float.ts';
import { TerminatorLowering } from './lower-terminator.ts';
import { unlessMore } from './more-polls.ts';
import { type BlockPlan, operandsOf, operandsOfChunk, terminatorOperands } from './plan.ts';
import { bitOf } from './register-set.ts';
import { isAnchored, type Surroundings, Values, wholeOf } from './values.ts';
import type { Ways } from './ways.ts';

export class BlockLowering implements Surroundings {
  readonly emitter: Emitter;
  readonly #frame: Frame;
  readonly #plan: BlockPlan;
  readonly #exits: ExitChain;
  readonly #values: Values;
  readonly #flags: FlagsNow;
  readonly #memory: MemoryAccess;
  readonly #way: TerminatorLowering;
  readonly #lastUse = new Map<number, number>();
  #saved: Map<number, number> | undefined;
  #savedHalves: Map<number, Halves> | undefined;
  readonly #tableIndex: Value | undefined;
  /** A load that the terminator makes, where its jump table does not know the way. */
  #tableLoad: Value | undefined;
  #address: bigint;

  constructor(frame: Frame, ways: Ways, plan: BlockPlan, index: number) {
    this.#frame = frame;
    this.emitter = frame.emitter;
    this.#plan = plan;
    this.#exits = new ExitChain(frame, index, plan.dirtyIn);
    this.#values = new Values(this, { rules, floatRules });
    this.#flags = new FlagsNow(frame, this.#values, plan.flagSources);
    this.#memory = memoryAccess({
      frame,
      block: plan.block,
      reached: plan.chunk?.kind === 'unchecked' ? plan.chunk.reached : undefined,
      checks: plan.checks,
      values: this.#values,
      exit: () => this.#leave(this.#address, false),
      exitIf: (condition) => this.#exitIf(condition),
      exitInsideIf: (condition) =>
        this.#exits.leaveInsideIf(condition, this.#address, this.#flags.forExit()),
    });
    this.#way = new TerminatorLowering(frame, {
      ...{ ways, plan, index, values: this.#values, flags: this.#flags },
      poll: (address) => this.#poll(address),
      checkAhead: (to) => this.#checkAhead(to),
    });
    this.#tableIndex = ways.tableIndex(index);
    this.#address = realAddress(plan.block);
  }

  write(): readonly Expression[] {
    const frame = this.#frame;
    const { statements, terminator } = this.#plan.block;
    const body = frame.aside(() => {
      this.#countUses();
      if (this.#tableIndex !== undefined) this.#tableLoad = this.#onlyTarget(terminator);
      this.#flags.begin();
      if (this.#plan.loopHead && !this.#plan.pollsOnEdges) this.#poll(this.#address);
      statements.forEach((statement, i) => {
        this.#statement(statement, i, statements);
        this.#flags.pass(i);
      });
      this.#values.openNans.settle();
      writeChunk(frame, {
        plan: this.#plan,
        values: this.#values,
        goIf: (condition, target) => this.#way.jumpIf(condition, target),
      });
      const load = this.#tableLoad;
      this.#way.write(
        terminator,
        this.#address,
        load && (() => this.#memory.load({ kind: 'load', value: load })),
      );
    });
    frame.releaseTemporaries();
    return this.#exits.behind(body);
  }

  // Surroundings of values.

  local(type: WasmType): number {
    return this.#frame.local(type);
  }

  statement(expression: Expression): void {
    this.#frame.statement(expression);
  }

  register(value: Value): Expression {
    const register = value.detail as number;
    const low = this.half(value, 0);
    const high = this.half(value, 1);
    if (low !== undefined && high !== undefined) return wholeOf(this.emitter, low, high);
    const local = this.#saved?.get(register) ?? this.#frame.registerLocal(register);
    return this.emitter.get(local, this.#frame.registerType(register));
  }

  half(value: Value, index: 0 | 1): Expression | undefined {
    const register = value.detail as number;
    const halves = this.#savedHalves?.get(register) ?? this.#frame.halvesOf(register);
    if (halves === undefined) return undefined;
    return index === 0 ? this.emitter.get(halves.low, 'f64') : this.emitter.get(halves.high, 'i64');
  }

  flag(value: Value): Expression {
    return this.emitter.get(this.#frame.flagLocal(value.detail as Flag), 'i32');
  }

  subroutine(subroutine: Subroutine): string {
    return this.#frame.context.subroutine(subroutine);
  }

  support(name: string): string {
    return this.#frame.context.support(name);
  }

  loadCpu(value: Value): Expression {
    return this.#frame.loadCpu(value, this.#values.emit(only(value.args)));
  }

  // Statements.

  /** Counts uses, and finds for every register the last statement at which its value at the block's start is read. */
  #countUses(): void {
    const { statements, terminator, flagsOut } = this.#plan.block;
    let place = 0;
    const reads = (register: number): void => {
      this.#lastUse.set(register, place);
    };
    const visit = (value: Value, at: number): void => {
      place = at;
      this.#values.count(value, reads);
    };
    statements.forEach((statement, i) => {
      // What is not stored is made from what registers hold when it is asked for.
      const isMade = statement.kind === 'setFlags' && !this.#flags.isStored(i);
      for (const value of isMade ? this.#flags.heldBy(i, statement) : operandsOf(statement))
        visit(value, i);
    });
    this.#flags.countLoads();
    for (const flag of flagsIn(this.#plan.flagsOut)) {
      const value = flagsOut[flag];
      if (value !== undefined) visit(value, statements.length);
    }
    for (const value of terminatorOperands(terminator)) visit(value, statements.length);
    for (const value of operandsOfChunk(this.#plan.chunk)) visit(value, statements.length);
    const index = this.#tableIndex;
    if (index === undefined) return;
    // A jump's way through its table asks for it again.
    this.#values.count(index);
    this.#note(index, statements.length);
  }

  /** The load of a jump's target that nothing else reads. */
  #onlyTarget(terminator: Terminator): Value | undefined {
    if (terminator.kind !== 'jumpIndirect') return undefined;
    const { target } = terminator;
    return target.op === 'load' && this.#values.usesOf(target) === 1 ? target : undefined;
  }

  #note(value: Value, at: number): void {
    if (value.op === 'register') this.#lastUse.set(value.detail as number, at);
    else if (!isAnchored(value)) for (const arg of value.args) this.#note(arg, at);
  }

  #statement(statement: Statement, index: number, all: readonly Statement[]): void {
    if (mayGo(this.#plan, statement, index)) this.#values.openNans.settle();
    switch (statement.kind) {
      case 'instruction':
        this.#address = statement.address;
        break;
      case 'setRegister':
        this.#setRegister(statement.register, statement.value, index);
        break;
      case 'load':
        if (this.#isForNext(statement.value, all[index + 1]))
          this.#values.keepInPlace(statement.value);
        if (statement.value !== this.#tableLoad) this.#memory.load(statement);
        break;
      case 'store':
        this.#memory.store(statement);
        break;
      case 'bulk':
        this.#memory.bulk(statement);
        break;
      case 'loadCpu':
        if (this.#values.usesOf(statement.value) > 0)
          this.#values.keep(statement.value, this.loadCpu(statement.value));
        break;
      case 'storeCpu':
        this.#storeCpu(statement.offset, statement.value);
        break;
      case 'setFlags':
        if (this.#flags.isStored(index)) this.#flags.set(statement);
        else this.#flags.hold(index, statement);
        break;
      case 'raiseIf':
        this.statement(this.#exitIf(this.#values.emit(statement.condition)));
        break;
      case 'jumpIf':
        this.#way.jumpIf(this.#values.emit(statement.condition), statement.target);
        break;
    }
  }

  /** Whether the next statement puts what is loaded into a register, and nobody else asks for it before. */
  #isForNext(value: Value, next: Statement | undefined): boolean {
    if (next?.kind !== 'setRegister') return false;
    return (
      next.value === value || (this.#values.usesOf(value) === 1 && holds(next.value, value, 3))
    );
  }

  #setRegister(register: number, value: Value, index: number): void {
    const frame = this.#frame;
    const e = this.emitter;
    const halves = frame.halvesOf(register);
    const needed = (this.#lastUse.get(register) ?? -1) > index;
    this.#exits.write(bitOf(register));
    if (halves !== undefined) {
      this.#setHalves(register, halves, { value, needed });
      return;
    }
    const local = frame.registerLocal(register);
    const written = this.#values.emitInto(local, value);
    if (needed && this.#saved?.has(register) !== true) {
      const type = frame.registerType(register);
      const saved = frame.local(type);
      this.statement(e.set(saved, e.get(local, type)));
      this.#saved ??= new Map();
      this.#saved.set(register, saved);
    }
    this.statement(e.set(local, written));
  }

  /** Both halves are computed before either is written; `needed` where the old ones are read later. */
  #setHalves(
    register: number,
    to: Halves,
    { value, needed }: { value: Value; needed: boolean },
  ): void {
    const e = this.emitter;
    const { low, high } = this.#values.keepHalves(value);
    if (needed && this.#savedHalves?.has(register) !== true) {
      const saved = { low: this.local('f64'), high: this.local('i64') };
      this.statement(e.set(saved.low, e.get(to.low, 'f64')));
      this.statement(e.set(saved.high, e.get(to.high, 'i64')));
      this.#savedHalves ??= new Map();
      this.#savedHalves.set(register, saved);
    }
    this.#values.openNans.copy(low, to.low);
    this.statement(e.set(to.low, e.get(low, 'f64')));
    this.statement(e.set(to.high, e.get(high, 'i64')));
  }

  #storeCpu(offset: Value, value: Value): void {
    const pointer = this.#values.emit(offset);
    this.statement(
      this.emitter.store(
        storeOps[value.width],
        this.#frame.layout.state,
        pointer,
        this.#values.emit(value),
      ),
    );
  }

  /** Counts an iteration; where the fuel is used up, takes polls for more. */
  #poll(address: bigint): void {
    const e = this.emitter;
    const frame = this.#frame;
    const fuel = frame.fuelLocal();
    this.statement(e.set(fuel, e.op('i32.sub', e.get(fuel, 'i32'), e.i32(1))));
    const refuel = frame.aside(() => {
      const spent = e.op('i32.lt_s', frame.nextPoll(iterationsPerPoll), e.i32(0));
      frame.statement(e.ifRare(spent, [unlessMore(e, this.#leave(address, true))]));
      frame.statement(e.set(fuel, e.i32(iterationsPerPoll)));
      const { chunk } = this.#plan;
      if (chunk?.kind === 'checked') this.#way.goTo(chunk.guard);
    });
    this.statement(e.ifRare(e.op('i32.eqz', e.get(fuel, 'i32')), refuel));
  }

  #checkAhead({ block }: BlockPlan): void {
    const facts = this.#plan.checks?.ahead.get(block.address) ?? [];
    const exitIf = (condition: Expression): Expression =>
      this.#exits.leaveIf(condition, realAddress(block), this.#flags.forExit());
    for (const fact of facts) writeCheck(this.#frame, fact, exitIf);
  }

  /** Leaves before the instruction at hand. */
  #exitIf(condition: Expression): Expression {
    return this.#exits.leaveIf(condition, this.#address, this.#flags.forExit());
  }

  #leave(address: bigint, isPoll: boolean): Expression[] {
    return this.#exits.leave(address, isPoll, this.#flags.forExit());
  }
}

function only(values: readonly Value[]): Value {
  const [value] = values;
  if (value === undefined) throw new TypeError('an operand is missing');
  return value;
}

/** Whether a value is made of another one, within some steps. */
const holds = (whole: Value, part: Value, steps: number): boolean =>
  whole.args.some((arg) => arg === part || (steps > 0 && holds(arg, part, steps - 1)));

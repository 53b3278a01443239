/** A function while it is written: its locals, and how it loads, spills and leaves. */
import type { Flag, Width } from '../../ir/ops.ts';
import type { FlagRule, Subroutine, Value } from '../../ir/value.ts';
import { isVector, RSP } from '../../x86/registers.ts';
import { cpuState, registerOffset } from '../../x86/state.ts';
import { carrier, loadOps, plainLoads, plainStores } from '../carrier.ts';
import {
  type Convention,
  conventionOf,
  depthParameter,
  firstCarried,
  spParameter,
} from '../convention.ts';
import type { GuestFunction } from '../discover.ts';
import type { Emitter, Expression, WasmType } from '../emit/emitter.ts';
import type { Layout } from '../layout.ts';
import { leaveReasons } from '../leave-reasons.ts';
import type { Recipes } from '../recipes.ts';
import { Calls } from './calls.ts';
import type { ChunkRange } from './chunk-loops.ts';
import type { RegisterSet } from './register-set.ts';
import { registersIn } from './register-set.ts';
import type { SupportFunction } from './support.ts';
import { halvedRegisters } from './vector-halves.ts';

export const functionName = (entry: bigint): string => `f_${entry.toString(16)}`;

/** What all functions of a module share. */
export interface ModuleContext {
  readonly emitter: Emitter;
  readonly layout: Layout;
  readonly recipes: Recipes;
  /** Place of the function at an address among those of the module, in the function table. */
  ordinal(entry: bigint): number;
  /** Whether a guest address is the entry of a function in this module, so that it can be called directly. */
  readonly has: (entry: bigint) => boolean;
  /** The function of this module at an address, where it can be called directly. */
  readonly functionAt: (entry: bigint) => GuestFunction | undefined;
  /** What was mostly called where a call comes back to an address, as far as that is known. */
  calledAt(returnTo: bigint): readonly bigint[];
  /** Whether what makes code faster may take its time. */
  readonly isHot: boolean;
  subroutine(subroutine: Subroutine): string;
  support(name: string): string;
  /** The function that computes the arithmetic flags from the state block. */
  flags(): string;
  /** The name of a function that is written into the module once, from what `make` gives when it is first asked for. */
  shared(name: string, make: () => SupportFunction): string;
}

/** The locals of an XMM register that is kept in two: an f64 and an i64. */
export interface Halves {
  readonly low: number;
  readonly high: number;
}

interface Part {
  readonly local: number;
  readonly type: WasmType;
  readonly offset: number;
}

/**
 * A loop counts its iterations in a local and takes as many polls at once: a count in memory alone would take a loop of one
 * word as long as its store takes to be loaded again, 5 cycles.
 */
export const iterationsPerPoll = 16;

export class Frame {
  readonly context: ModuleContext;
  readonly emitter: Emitter;
  readonly layout: Layout;
  readonly fn: GuestFunction;
  readonly native: 'i32' | 'i64';
  readonly convention: Convention;
  readonly calls: Calls;
  readonly locals: WasmType[] = [];
  /** Where statements go; the writer of a block replaces it. */
  statements: Expression[] = [];
  readonly #lowest: bigint;
  readonly #registers = new Map<number, number>();
  readonly #halves = new Map<number, Halves>();
  readonly #halved: ReadonlySet<number>;
  readonly #flags = new Map<Flag, number>();
  readonly #flagInputs = new Map<string, number>();
  readonly #temporaries: Partial<Record<WasmType, { free: number[]; used: number[] }>> = {};
  readonly #tails = new Map<RegisterSet, string>();
  #place: number | undefined;
  #fuel: number | undefined;
  #state: number | undefined;
  readonly #deltas = new Map<ChunkRange, number>();
  #rounds: number | undefined;

  constructor(context: ModuleContext, fn: GuestFunction) {
    this.context = context;
    this.emitter = context.emitter;
    this.layout = context.layout;
    this.fn = fn;
    this.convention = conventionOf(context.layout.mode);
    this.native = this.convention.native;
    this.calls = new Calls(this);
    this.convention.parameters.forEach(({ register, as }, i) => {
      if (as === this.native) this.#registers.set(register, firstCarried + i);
    });
    this.#lowest = lowestOf(fn);
    this.#halved = halvedRegisters(fn);
  }

  // Locals.

  local(type: WasmType): number {
    const pool = this.#temporaries[type] ?? { free: [], used: [] };
    this.#temporaries[type] = pool;
    const local = pool.free.pop() ?? this.newLocal(type);
    pool.used.push(local);
    return local;
  }

  /** Temporaries live no longer than a block. */
  releaseTemporaries(): void {
    for (const pool of Object.values(this.#temporaries)) {
      pool.free.push(...pool.used);
      pool.used.length = 0;
    }
  }

  /** One that is there as long as the function. */
  newLocal(type: WasmType): number {
    return this.convention.parameterTypes.length + this.locals.push(type) - 1;
  }

  registerType(register: number): WasmType {
    return isVector(register) ? 'v128' : this.native;
  }

  registerLocal(register: number): number {
    if (register === RSP) return spParameter;
    const known = this.#registers.get(register);
    if (known !== undefined) return known;
    const local = this.newLocal(this.registerType(register));
    this.#registers.set(register, local);
    return local;
  }

  /** Of an XMM register that the function keeps in two locals; undefined of one that is in one. */
  halvesOf(register: number): Halves | undefined {
    if (!this.#halved.has(register)) return undefined;
    const known = this.#halves.get(register);
    if (known !== undefined) return known;
    const halves = { low: this.newLocal('f64'), high: this.newLocal('i64') };
    this.#halves.set(register, halves);
    return halves;
  }

  flagLocal(flag: Flag): number {
    const known = this.#flags.get(flag);
    if (known !== undefined) return known;
    const local = this.newLocal('i32');
    this.#flags.set(flag, local);
    return local;
  }

  /** An input of the flags that no register holds, by its place and width. */
  flagInputLocal(place: number, width: Width): number {
    const type = carrier(width);
    const key = `${place} ${type}`;
    const local = this.#flagInputs.get(key) ?? this.newLocal(type);
    this.#flagInputs.set(key, local);
    return local;
  }

  /** Rounds of a chunk that are left (chunk-loops.ts). */
  roundsLocal(): number {
    this.#rounds ??= this.newLocal('i32');
    return this.#rounds;
  }

  /** What is to be added to addresses of a range of a chunk, as its guard has found in the TLB. */
  deltaLocal(range: ChunkRange): number {
    const local = this.#deltas.get(range) ?? this.newLocal('i32');
    this.#deltas.set(range, local);
    return local;
  }

  /** Loop iterations until the next poll. */
  fuelLocal(): number {
    this.#fuel ??= this.newLocal('i32');
    return this.#fuel;
  }

  /**
   * What a frame takes at most: V8's baseline compiler keeps every local on the stack; its optimising one gives large
   * functions a slot for nearly every value that it spills (Lua's interpreter, 4,549 instructions: 14.5 to 68 KB).
   */
  stackCost(): number {
    const locals = this.locals.reduce((sum, type) => sum + (type === 'v128' ? 16 : 8), 256);
    return locals + (this.fn.instructions > 1000 ? 16 : 6) * this.fn.instructions;
  }

  // Statements.

  statement(expression: Expression): void {
    this.statements.push(expression);
  }

  /** What `write` adds to the statements, by itself. */
  aside(write: () => void): Expression[] {
    const outer = this.statements;
    this.statements = [];
    write();
    const inner = this.statements;
    this.statements = outer;
    return inner;
  }

  /** The lower 32 bits of a local of a pointer's width. */
  low(local: number): Expression {
    const whole = this.emitter.get(local, this.native);
    return this.native === 'i64' ? this.emitter.op('i32.wrap_i64', whole) : whole;
  }

  constant(value: bigint): Expression {
    return this.native === 'i64'
      ? this.emitter.i64(value)
      : this.emitter.i32(Number(BigInt.asIntN(32, value)));
  }

  loadState(type: WasmType, offset: number): Expression {
    return this.emitter.load(plainLoads[type], offset, this.#stateAt());
  }

  storeState(type: WasmType, offset: number, value: Expression): Expression {
    return this.emitter.store(plainStores[type], offset, this.#stateAt(), value);
  }

  /** A local, since small offsets from it are shorter than those from 0. */
  #stateAt(): Expression {
    this.#state ??= this.newLocal('i32');
    return this.emitter.get(this.#state, 'i32');
  }

  /** What every function does first, once it is known what it has to do. */
  begin(): Expression[] {
    const e = this.emitter;
    return this.#state === undefined ? [] : [e.set(this.#state, e.i32(this.layout.state))];
  }

  loadRegisters(set: RegisterSet): Expression[] {
    const e = this.emitter;
    const loads: Expression[] = [];
    for (const register of registersIn(set))
      for (const { local, type, offset } of this.#partsOf(register))
        loads.push(e.set(local, this.loadState(type, offset)));
    return loads;
  }

  /** Stores registers. */
  spill(set: RegisterSet): Expression[] {
    const e = this.emitter;
    const stores: Expression[] = [];
    for (const register of registersIn(set))
      for (const { local, type, offset } of this.#partsOf(register))
        stores.push(this.storeState(type, offset, e.get(local, type)));
    return stores;
  }

  /** Stores how the arithmetic flags come about: a rule's recipe and its inputs. Who reads them looks at no more than their widths. */
  storeFlags(
    rule: FlagRule,
    widths: readonly Width[],
    inputs: readonly Expression[],
  ): Expression[] {
    const number = this.context.recipes.numberOf(rule, widths);
    return [
      this.storeState('i32', cpuState.flagRecipe, this.emitter.i32(number)),
      ...inputs.map((input, i) =>
        this.storeState(carrier(widths[i] ?? 32), cpuState.flagInput0 + 8 * i, input),
      ),
    ];
  }

  /** The locals that a register is in, and where each lies in the state block. */
  #partsOf(register: number): readonly Part[] {
    const offset = registerOffset(register);
    const halves = this.halvesOf(register);
    if (halves === undefined)
      return [{ local: this.registerLocal(register), type: this.registerType(register), offset }];
    return [
      { local: halves.low, type: 'f64', offset },
      { local: halves.high, type: 'i64', offset: offset + 8 },
    ];
  }

  /** Says where and why the guest leaves; the caller spills and returns. */
  leave(rip: bigint, reason: number, operand: number): Expression[] {
    const e = this.emitter;
    const why = BigInt(reason) | (BigInt(operand >>> 0) << 32n);
    return [
      this.storeState('i64', cpuState.rip, e.i64(rip)),
      this.storeState('i64', cpuState.leaveReason, e.i64(why)),
    ];
  }

  /** A function with loops begins with this. */
  refuel(): Expression[] {
    return this.#fuel === undefined
      ? []
      : [this.emitter.set(this.#fuel, this.emitter.i32(iterationsPerPoll))];
  }

  /** Takes polls away; the value is what is left. */
  nextPoll(count: number): Expression {
    const e = this.emitter;
    const polls = this.local('i32');
    const left = e.op('i32.sub', this.loadState('i32', cpuState.polls), e.i32(count));
    this.statement(e.set(polls, left));
    this.statement(this.storeState('i32', cpuState.polls, e.get(polls, 'i32')));
    return e.get(polls, 'i32');
  }

  sp(): Expression {
    return this.emitter.get(spParameter, this.native);
  }

  reloadSp(): Expression {
    return this.emitter.set(spParameter, this.loadState(this.native, registerOffset(RSP)));
  }

  depth(): Expression {
    return this.emitter.get(depthParameter, 'i32');
  }

  /** Takes this function's frame off the depth. */
  deepen(): Expression {
    const e = this.emitter;
    return e.set(depthParameter, e.op('i32.sub', this.depth(), e.i32(this.stackCost())));
  }

  loadCpu(value: Value, offset: Expression): Expression {
    const e = this.emitter;
    return e.load(loadOps[value.width], this.layout.state, offset);
  }

  // Exits: a number for the place, then a branch to the tail that spills what is dirty there.

  /** Remembers where the function leaves; a branch to a tail follows. */
  setPlace(address: bigint, isPoll: boolean): Expression {
    const place = Number(address - this.#lowest);
    this.#place ??= this.newLocal('i32');
    return this.emitter.set(this.#place, this.emitter.i32(isPoll ? ~place : place));
  }

  /** Label of the tail that spills a set of registers. */
  tail(set: RegisterSet): string {
    const label = this.#tails.get(set) ?? `t${set >>> 0}`;
    this.#tails.set(set, label);
    return label;
  }

  /** The function's code with the tails that it branches to behind it. */
  withTails(code: readonly Expression[]): Expression[] {
    const e = this.emitter;
    const sets = [...this.#tails];
    let body = [...code];
    for (const [set, label] of sets) {
      const stores = this.spill(set);
      const isLast = label === sets.at(-1)?.[1];
      body = [e.block(label, body), ...stores, ...(isLast ? [] : [e.branch('left')])];
    }
    return sets.length === 0 ? body : [e.block('left', body), ...this.#leaveFromPlace()];
  }

  /** Below 0 the place is that of a poll. */
  #leaveFromPlace(): Expression[] {
    const e = this.emitter;
    const place = (): Expression => e.get(this.#place ?? 0, 'i32');
    const sign = e.op('i32.shr_s', place(), e.i32(31));
    const distance = e.op('i64.extend_i32_u', e.op('i32.xor', place(), sign));
    const reason = e.select(
      e.op('i32.lt_s', place(), e.i32(0)),
      e.i32(leaveReasons.poll),
      e.i32(leaveReasons.evaluate),
    );
    return [
      this.storeState('i64', cpuState.rip, e.op('i64.add', e.i64(this.#lowest), distance)),
      this.storeState('i32', cpuState.leaveReason, reason),
      ...this.calls.left(),
    ];
  }
}

/** The lowest address of an instruction; a block may hold those of a copy, from anywhere. */
function lowestOf(fn: GuestFunction): bigint {
  let lowest = fn.entry;
  for (const { statements } of fn.blocks)
    for (const s of statements)
      if (s.kind === 'instruction' && s.address < lowest) lowest = s.address;
  return lowest;
}

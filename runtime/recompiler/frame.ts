/** A function while it is written: its locals, its units, and how it loads, spills and leaves. */
import type { Flag } from '../ir/ops.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import { isVector, RSP } from '../x86/registers.ts';
import { cpuState, registerOffset } from '../x86/state.ts';
import { loadOps } from './carrier.ts';
import type { GuestFunction } from './discover.ts';
import type { Emitter, Expression, WasmType } from './emitter.ts';
import type { Layout } from './layout.ts';
import type { BlockPlan, RegisterSet } from './plan.ts';
import { lazyFlags } from './plan.ts';
import type { Recipes } from './recipes.ts';
import type { SupportFunction } from './support.ts';

export const functionName = (entry: bigint): string => `f_${entry.toString(16)}`;

/** What all functions of a module share. */
export interface ModuleContext {
  readonly emitter: Emitter;
  readonly layout: Layout;
  readonly recipes: Recipes;
  /** Place of the function at an address among those of the module, in the function table. */
  ordinal(entry: bigint): number;
  /** Whether a guest address is the entry of a function in this module, so that it can be called directly. */
  has(entry: bigint): boolean;
  subroutine(subroutine: Subroutine): string;
  support(name: string): string;
  /** The name of a function that is written into the module once, from what `make` gives when it is first asked for. */
  shared(name: string, make: () => SupportFunction): string;
}

export type Unit =
  | { readonly kind: 'stub'; readonly plan: BlockPlan; readonly index: number }
  | { readonly kind: 'block'; readonly plan: BlockPlan; readonly index: number };

/** Parameters: selector, rsp, depth. */
const parameterCount = 3;

export class Frame {
  readonly context: ModuleContext;
  readonly emitter: Emitter;
  readonly layout: Layout;
  readonly fn: GuestFunction;
  readonly native: 'i32' | 'i64';
  readonly units: Unit[] = [];
  /** Units that the br_table knows, by selector. */
  readonly selectors: number[] = [];
  /** Selectors of the blocks that computed jumps may go to with registers in their locals. */
  readonly tableSelectors = { start: 2, end: 2 };
  readonly locals: WasmType[] = [];
  /** Where statements go; the writer of a unit replaces it. */
  statements: Expression[] = [];
  readonly #unitOf = new Map<bigint, { stub: number | undefined; block: number }>();
  readonly #selectorOf = new Map<number, number>();
  readonly #registers = new Map<number, number>();
  readonly #flags = new Map<Flag, number>();
  readonly #temporaries: Partial<Record<WasmType, { free: number[]; used: number[] }>> = {};
  #recipe: readonly [number, number, number, number] | undefined;

  constructor(context: ModuleContext, fn: GuestFunction, plans: readonly BlockPlan[]) {
    this.context = context;
    this.emitter = context.emitter;
    this.layout = context.layout;
    this.fn = fn;
    this.native = context.layout.mode === 64 ? 'i64' : 'i32';
    plans.forEach((plan, index) => {
      const isResumable = plan.resumable || plan.loopHead;
      const stub = isResumable ? this.units.push({ kind: 'stub', plan, index }) - 1 : undefined;
      const block = this.units.push({ kind: 'block', plan, index }) - 1;
      this.#unitOf.set(plan.block.address, { stub, block });
    });
    // Calls enter with selector 0; a block's selector is that of its stub and 1. Targets of jump tables follow.
    if (this.#unitOf.get(fn.entry)?.stub === undefined)
      throw new TypeError('a function can be entered at its entry');
    const rank = (address: bigint): number =>
      address === fn.entry ? 0 : fn.tableTargets.has(address) ? 1 : 2;
    const ranked = [...this.#unitOf].sort(([a], [b]) => rank(a) - rank(b));
    for (const [address, { stub, block }] of ranked) {
      if (stub === undefined) continue;
      this.#select(stub);
      this.#select(block);
      if (rank(address) < 2) this.tableSelectors.end = this.selectors.length;
    }
  }

  get pair(): readonly ['i32' | 'i64', 'i32' | 'i64'] {
    return [this.native, this.native];
  }

  #select(unit: number): void {
    this.#selectorOf.set(unit, this.selectors.push(unit) - 1);
  }

  /** Where code outside may enter. */
  entries(): { address: bigint; selector: number }[] {
    const entries = [];
    for (const [address, { stub }] of this.#unitOf) {
      const selector = stub === undefined ? undefined : this.#selectorOf.get(stub);
      if (selector !== undefined) entries.push({ address, selector });
    }
    return entries;
  }

  label(unit: number): string {
    return `u${unit}`;
  }

  unitsOf(address: bigint): { stub: number | undefined; block: number } | undefined {
    return this.#unitOf.get(address);
  }

  /** Statements that go from unit `from` to unit `to`; none where it is the next one. */
  goTo(from: number, to: number, insideBlock: boolean): Expression[] {
    const e = this.emitter;
    if (to === from + 1 && !insideBlock) return [];
    if (to > from) return [e.branch(this.label(to))];
    const selector = this.#selectorOf.get(to);
    if (selector === undefined) throw new TypeError(`unit ${to} is not in the br_table`);
    return [e.set(0, e.i32(selector)), e.branch('top')];
  }

  // Locals.

  local(type: WasmType): number {
    const pool = this.#temporaries[type] ?? { free: [], used: [] };
    this.#temporaries[type] = pool;
    const local = pool.free.pop() ?? this.#newLocal(type);
    pool.used.push(local);
    return local;
  }

  /** Temporaries live no longer than a unit. */
  releaseTemporaries(): void {
    for (const pool of Object.values(this.#temporaries)) {
      pool.free.push(...pool.used);
      pool.used.length = 0;
    }
  }

  #newLocal(type: WasmType): number {
    return parameterCount + this.locals.push(type) - 1;
  }

  registerType(register: number): WasmType {
    return isVector(register) ? 'v128' : this.native;
  }

  registerLocal(register: number): number {
    if (register === RSP) return 1;
    const known = this.#registers.get(register);
    if (known !== undefined) return known;
    const local = this.#newLocal(this.registerType(register));
    this.#registers.set(register, local);
    return local;
  }

  flagLocal(flag: Flag): number {
    const known = this.#flags.get(flag);
    if (known !== undefined) return known;
    const local = this.#newLocal('i32');
    this.#flags.set(flag, local);
    return local;
  }

  /** The recipe's number and its three inputs. */
  recipeLocals(): readonly [number, number, number, number] {
    const locals = this.#recipe ?? [
      this.#newLocal('i32'),
      this.#newLocal('i64'),
      this.#newLocal('i64'),
      this.#newLocal('i64'),
    ];
    this.#recipe = locals;
    return locals;
  }

  /**
   * What a frame takes at most: V8's baseline compiler keeps every local on the stack; its optimising one gives large
   * functions a slot for nearly every value that it spills (Lua's interpreter: 14.5 KB, 3.2 bytes a guest instruction).
   */
  stackCost(): number {
    const locals = this.locals.reduce((sum, type) => sum + (type === 'v128' ? 16 : 8), 256);
    return locals + 6 * this.fn.instructions;
  }

  // Statements.

  statement(expression: Expression): void {
    this.statements.push(expression);
  }

  constant(value: bigint): Expression {
    return this.native === 'i64'
      ? this.emitter.i64(value)
      : this.emitter.i32(Number(BigInt.asIntN(32, value)));
  }

  loadState(type: WasmType, offset: number): Expression {
    return this.emitter.load(`${type}.load`, this.layout.state + offset, this.emitter.i32(0));
  }

  storeState(type: WasmType, offset: number, value: Expression): Expression {
    return this.emitter.store(
      `${type}.store`,
      this.layout.state + offset,
      this.emitter.i32(0),
      value,
    );
  }

  loadRegisters(set: RegisterSet): void {
    const e = this.emitter;
    for (const register of registersIn(set)) {
      const type = this.registerType(register);
      this.statement(
        e.set(this.registerLocal(register), this.loadState(type, registerOffset(register))),
      );
    }
    if ((set & lazyFlags) === 0) return;
    const [recipe, ...inputs] = this.recipeLocals();
    this.statement(e.set(recipe, this.loadState('i32', cpuState.flagRecipe)));
    inputs.forEach((local, i) => {
      this.statement(e.set(local, this.loadState('i64', cpuState.flagInput0 + 8 * i)));
    });
  }

  spill(set: RegisterSet): Expression[] {
    const e = this.emitter;
    const stores: Expression[] = [];
    for (const register of registersIn(set)) {
      const type = this.registerType(register);
      const value = e.get(this.registerLocal(register), type);
      stores.push(this.storeState(type, registerOffset(register), value));
    }
    if ((set & lazyFlags) === 0) return stores;
    const [recipe, ...inputs] = this.recipeLocals();
    stores.push(this.storeState('i32', cpuState.flagRecipe, e.get(recipe, 'i32')));
    inputs.forEach((local, i) => {
      stores.push(this.storeState('i64', cpuState.flagInput0 + 8 * i, e.get(local, 'i64')));
    });
    return stores;
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

  /** Counts a poll down; the value is what is left. */
  nextPoll(): Expression {
    const e = this.emitter;
    const polls = this.local('i32');
    this.statement(e.set(polls, e.op('i32.sub', this.loadState('i32', cpuState.polls), e.i32(1))));
    this.statement(this.storeState('i32', cpuState.polls, e.get(polls, 'i32')));
    return e.get(polls, 'i32');
  }

  /** Back to the host. */
  returnLeft(): Expression {
    return this.emitter.return(this.constant(-1n), this.emitter.get(1, this.native));
  }

  loadCpu(value: Value, offset: Expression): Expression {
    const e = this.emitter;
    return e.load(loadOps[value.width], this.layout.state, offset);
  }
}

export function* registersIn(set: RegisterSet): Generator<number> {
  for (let register = 0; register < 32; register++) {
    if (register !== RSP && (set & (1 << register)) !== 0) yield register;
  }
}

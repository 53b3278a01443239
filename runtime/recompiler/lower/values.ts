/** Writes values as Wasm expressions: remembers what is in a local already, in which type, and what it costs to ask again. */
import { constantOf } from '../../ir/build.ts';
import type { Op, Width } from '../../ir/ops.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import { carrier, floatType, storeOps } from '../carrier.ts';
import type { Emitter, Expression, StoreOp, WasmType } from '../emit/emitter.ts';
import { OpenNans } from './open-nans.ts';
import { WritingNotes } from './writing-notes.ts';

/** What the function around gives: locals, guest registers and flags, and functions to call. */
export interface Surroundings {
  readonly emitter: Emitter;
  local(type: WasmType): number;
  /** A statement that comes before the expression at hand. */
  statement(expression: Expression): void;
  register(value: Value): Expression;
  /** Half of a vector register that is kept in halves, 0 as f64 and 1 as i64; undefined of others. */
  half(register: Value, index: 0 | 1): Expression | undefined;
  flag(value: Value): Expression;
  /** The name of the Wasm function of a subroutine, which is added to the module. */
  subroutine(subroutine: Subroutine): string;
  /** The same of a support function (support.ts). */
  support(name: string): string;
  loadCpu(value: Value): Expression;
}

export type Rule = (m: Values, value: Value) => Expression;

export interface RuleTables {
  /** The value in its carrier. */
  readonly rules: Readonly<Record<Op, Rule>>;
  /** Scalar floats, in a Wasm float. */
  readonly floatRules: Readonly<Partial<Record<Op, Rule>>>;
}

/** A part of what is stored; `at`: bytes behind its start. */
export interface Stored {
  readonly op: StoreOp;
  readonly at: number;
  readonly value: Expression;
}

export class Values {
  readonly #tables: RuleTables;
  readonly emitter: Emitter;
  readonly surroundings: Surroundings;
  readonly openNans: OpenNans;
  readonly #notes = new WritingNotes();
  /** Which value a register's local holds, where it is found nowhere else. */
  #inRegisters: Map<number, Value> | undefined;
  /** The last expression that is a local which keeps its value. */
  #constant: { readonly expression: Expression; readonly local: number } | undefined;
  #awaited: Value | undefined;
  #inPlace: { readonly value: Value; readonly expression: Expression } | undefined;

  constructor(surroundings: Surroundings, tables: RuleTables) {
    this.#tables = tables;
    this.surroundings = surroundings;
    this.emitter = surroundings.emitter;
    this.openNans = new OpenNans(surroundings);
  }

  /**
   * Counts the uses of a root and of all below it, so that what is used once is written in place. `reads` is told of the
   * registers in what is met for the first time.
   */
  count(value: Value, reads?: (register: number) => void): void {
    const { args } = value;
    if (args.length === 0) {
      if (value.op === 'register') reads?.(value.detail as number);
      return;
    }
    const known = this.#notes.of(value);
    if (known !== undefined) {
      known.uses++;
      return;
    }
    this.#notes.begin(value).uses = 1;
    if (!isAnchored(value))
      for (let i = 0; i < args.length; i++) this.count(args[i] ?? value, reads);
  }

  /** Uses that are still to be written, of what is made of others. */
  usesOf(value: Value): number {
    return this.#notes.of(value)?.uses ?? 0;
  }

  /** Whether it lies in a local; what it was made from may be gone. */
  isWritten(value: Value): boolean {
    return this.#notes.integerOf(value) >= 0;
  }

  /** Where a value lies that has been evaluated. */
  localOf(value: Value): number | undefined {
    const local = this.#notes.integerOf(value);
    return local < 0 ? undefined : local;
  }

  /** The value in its carrier. */
  emit(value: Value): Expression {
    this.#notes.use(value);
    return this.#emit(value);
  }

  #emit(value: Value): Expression {
    const known = this.#known(value);
    if (known !== undefined) return known;
    if (this.#isFloat(value)) return this.#fromFloat(value.width, this.#emitFloat(value));
    const expression = this.#write(value);
    if (this.usesOf(value) === 0 || isCheap(value)) return expression;
    return this.emitter.get(this.#toLocalOf(value, expression), carrier(value.width));
  }

  /** What needs no work: the value lies in a local, or waits to be written in place. */
  #known(value: Value): Expression | undefined {
    const e = this.emitter;
    const notes = this.#notes.of(value);
    if (notes === undefined) return undefined;
    const { integer: local, float: inFloat, halves } = notes;
    if (local >= 0) {
      const type = carrier(value.width);
      return this.#inRegisters?.has(local) === true ? e.get(local, type) : this.held(local, type);
    }
    if (inFloat >= 0)
      return this.#fromFloat(value.width, this.#seen(inFloat, floatType(value.width)));
    return halves && wholeOf(e, this.#seen(halves.low, 'f64'), e.get(halves.high, 'i64'));
  }

  #isFloat(value: Value): boolean {
    return value.op in this.#tables.floatRules && value.width !== 128;
  }

  /** A scalar float in a Wasm float. */
  emitFloat(value: Value): Expression {
    this.#notes.use(value);
    return this.#emitFloat(value);
  }

  #emitFloat(value: Value): Expression {
    const local = this.#computedFloat(value);
    return local === undefined ? this.#asFloat(value) : this.#seen(local, floatType(value.width));
  }

  /** The local of a float that lies in one, or that is computed as a float; its NaNs may be open. */
  #computedFloat(value: Value): number | undefined {
    const inFloat = this.#notes.floatOf(value);
    if (inFloat >= 0) return inFloat;
    const rule = value.width === 128 ? undefined : this.#tables.floatRules[value.op];
    if (rule === undefined || this.isWritten(value)) return undefined;
    const local = this.toLocal(rule(this, value), floatType(value.width));
    this.#notes.ofWritten(value).float = local;
    return local;
  }

  /** A local with an operand of arithmetic, of which a NaN gives a NaN: it need not be settled. */
  floatOperand(value: Value): number {
    this.#notes.use(value);
    const local = this.#computedFloat(value) ?? this.#lowLocal(value);
    return local ?? this.toLocal(this.#asFloat(value), floatType(value.width));
  }

  /** The local of the low half that a value is, where the whole lies in locals by halves. */
  #lowLocal(value: Value): number | undefined {
    const [whole] = value.args;
    const isLow = value.width === 64 && (value.op === 'slice' || value.op === 'truncate');
    if (!isLow || whole === undefined || value.detail === 64 || this.isWritten(value))
      return undefined;
    return this.#notes.of(whole)?.halves?.low;
  }

  /** What is in a local, where others than arithmetic ask for it. */
  #seen(local: number, type: WasmType): Expression {
    this.openNans.see(local);
    return this.emitter.get(local, type);
  }

  /** What is in a local that keeps its value. */
  held(local: number, type: WasmType): Expression {
    const expression = this.emitter.get(local, type);
    this.#constant = { expression, local };
    return expression;
  }

  /**
   * The value for a register's local, in which it is found from then on. What the register held moves to a local of its
   * own where somebody still asks for it.
   */
  emitInto(register: number, value: Value): Expression {
    this.#notes.use(value);
    const isNew = this.#known(value) === undefined && !this.#isFloat(value) && !isCheap(value);
    // Vectors are asked for in parts that are not counted.
    const moves = isNew && (value.width <= 64 || this.usesOf(value) === 0);
    const expression = moves ? this.#write(value) : this.#emit(value);
    const old = this.#inRegisters?.get(register);
    this.#inRegisters?.delete(register);
    if (old !== undefined && this.#notes.integerOf(old) === register) {
      this.#notes.ofWritten(old).integer = -1;
      if (this.usesOf(old) > 0)
        this.#toLocalOf(old, this.emitter.get(register, carrier(old.width)));
    }
    if (moves && this.usesOf(value) > 0) {
      this.#notes.ofWritten(value).integer = register;
      this.#inRegisters ??= new Map();
      this.#inRegisters.set(register, value);
    }
    return expression;
  }

  /** A value evaluated now, wherever it is used later. */
  keep(value: Value, expression: Expression): void {
    if (value === this.#awaited) this.#inPlace = { value, expression };
    else this.#toLocalOf(value, expression);
  }

  /** The value that is kept next is written where it is used, which is at once. */
  keepInPlace(value: Value): void {
    this.#awaited = value;
  }

  #toLocalOf(value: Value, expression: Expression): number {
    const local = this.toLocal(expression, carrier(value.width));
    this.#notes.ofWritten(value).integer = local;
    return local;
  }

  /** A local that has the value from now to the block's end. */
  toLocal(expression: Expression, type: WasmType): number {
    if (this.#constant?.expression === expression) return this.#constant.local;
    const local = this.surroundings.local(type);
    this.surroundings.statement(this.emitter.set(local, expression));
    return local;
  }

  /** The low half of a vector that a scalar result was put into. */
  lowFloat({ op, detail, args: [, part] }: Value): Expression | undefined {
    if (op !== 'insert' || detail !== 0 || part?.width !== 64) return undefined;
    const local = this.#notes.floatOf(part);
    return local < 0 ? undefined : this.#seen(local, 'f64');
  }

  /** A vector evaluated now, in the locals of its halves: an f64 and an i64. */
  keepHalves(value: Value): { readonly low: number; readonly high: number } {
    this.#notes.use(value);
    if (
      !isMadeOfHalves(value) &&
      this.#known(value) === undefined &&
      constantOf(value) === undefined
    )
      this.#toLocalOf(value, this.#emit(value));
    const low = this.#lowHalf(value);
    const high = this.toLocal(this.#highHalf(value), 'i64');
    const halves = { low, high };
    if (value.op !== 'register') this.#notes.ofWritten(value).halves = halves;
    return halves;
  }

  /** What a store of it writes, in order of addresses: a vector that is in halves is not made into one for that. */
  stored(value: Value): readonly Stored[] {
    const low = value.width === 128 ? this.#half(value, 0) : undefined;
    const high = low === undefined ? undefined : this.#half(value, 1);
    if (low === undefined || high === undefined)
      return [{ op: storeOps[value.width], at: 0, value: this.emit(value) }];
    this.#notes.use(value);
    return [
      { op: 'f64.store', at: 0, value: low },
      { op: 'i64.store', at: 8, value: high },
    ];
  }

  /** Half of a vector that is in halves: 0 as f64, 1 as i64. */
  #half(value: Value, index: 0 | 1): Expression | undefined {
    if (value.op === 'register') return this.surroundings.half(value, index);
    const halves = this.#notes.of(value)?.halves;
    if (halves === undefined) return undefined;
    return index === 0 ? this.#seen(halves.low, 'f64') : this.emitter.get(halves.high, 'i64');
  }

  /** The low half in a local, whose NaNs may be open. */
  #lowHalf(value: Value): number {
    const { op, detail } = value;
    const [first, second] = value.args;
    const halves = op === 'register' ? undefined : this.#notes.of(value)?.halves;
    if (halves !== undefined) return halves.low;
    if (op === 'insert' && second?.width === 64 && first !== undefined && !this.isWritten(value))
      return detail === 0 ? this.floatOperand(second) : this.#lowHalf(first);
    if ((op === 'zeroExtend' || op === 'pack') && first?.width === 64 && !this.isWritten(value))
      return this.floatOperand(first);
    const e = this.emitter;
    const known = constantOf(value);
    const low =
      known === undefined
        ? (this.#half(value, 0) ?? e.extractLane('f64x2', this.emit(value), 0))
        : e.op('f64.reinterpret_i64', e.i64(BigInt.asIntN(64, known)));
    return this.toLocal(low, 'f64');
  }

  #highHalf(value: Value): Expression {
    const { op, detail } = value;
    const [first, second] = value.args;
    const half = this.#half(value, 1);
    if (half !== undefined) return half;
    const known = constantOf(value);
    if (known !== undefined) return this.emitter.i64(BigInt.asIntN(64, known >> 64n));
    if (this.isWritten(value)) return this.emitter.extractLane('i64x2', this.emit(value), 1);
    if (op === 'insert' && second?.width === 64 && first !== undefined)
      return detail === 0 ? this.#highHalf(first) : this.emit(second);
    if (op === 'zeroExtend') return this.emitter.i64(0n);
    if (op === 'pack' && second !== undefined) return this.emit(second);
    return this.emitter.extractLane('i64x2', this.emit(value), 1);
  }

  /** Half of a vector that is in halves, where that is what the value is. */
  #halfOf(value: Value): { readonly index: 0 | 1; readonly half: Expression } | undefined {
    const [whole] = value.args;
    const isHalf = value.width === 64 && (value.op === 'slice' || value.op === 'truncate');
    if (!isHalf || whole === undefined) return undefined;
    const index = value.detail === 64 ? 1 : 0;
    const half = this.#half(whole, index);
    return half === undefined ? undefined : { index, half };
  }

  #write(value: Value): Expression {
    const inPlace = this.#inPlace;
    if (inPlace?.value === value) {
      this.#inPlace = undefined;
      this.#awaited = undefined;
      return inPlace.expression;
    }
    const half = this.#halfOf(value);
    if (half !== undefined)
      return half.index === 0 ? this.emitter.op('i64.reinterpret_f64', half.half) : half.half;
    switch (value.op) {
      case 'register':
        return this.surroundings.register(value);
      case 'flag':
        return this.surroundings.flag(value);
      case 'loadCpu':
        return this.surroundings.loadCpu(value);
      default:
        return this.#tables.rules[value.op](this, value);
    }
  }

  #fromFloat(width: Width, expression: Expression): Expression {
    return this.emitter.op(
      width === 32 ? 'i32.reinterpret_f32' : 'i64.reinterpret_f64',
      expression,
    );
  }

  #asFloat(value: Value): Expression {
    const e = this.emitter;
    const [whole] = value.args;
    const half = this.isWritten(value) ? undefined : this.#halfOf(value);
    if (half?.index === 0) return half.half;
    if (value.op === 'slice' && whole !== undefined && !this.isWritten(value)) {
      const shape = value.width === 32 ? 'f32x4' : 'f64x2';
      return e.extractLane(shape, this.emit(whole), (value.detail as number) / value.width);
    }
    return e.op(
      value.width === 32 ? 'f32.reinterpret_i32' : 'f64.reinterpret_i64',
      this.#emit(value),
    );
  }
}

/** Written at its statement, where its operands are counted. */
export const isAnchored = ({ op }: Value): boolean =>
  op === 'load' || op === 'loadCpu' || op === 'bulkCopy' || op === 'bulkFill';

/** A vector of its halves. */
export const wholeOf = (e: Emitter, low: Expression, high: Expression): Expression =>
  e.replaceLane('i64x2', e.op('f64x2.splat', low), 1, high);

/** Whether the halves of a vector can be had without the whole. */
export const isMadeOfHalves = ({ op, args: [first, second] }: Value): boolean =>
  (op === 'insert' && second?.width === 64) ||
  (op === 'zeroExtend' && first?.width === 64) ||
  op === 'pack' ||
  op === 'register';

const isCheap = (value: Value): boolean =>
  constantOf(value) !== undefined ||
  value.op === 'register' ||
  value.op === 'undefined' ||
  value.op === 'flag' ||
  value.op === 'input';

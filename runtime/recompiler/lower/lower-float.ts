/**
 * Float ops → Wasm. Wasm leaves a NaN's bits open where SSE says them (the first operand's NaN, quieted; SDM vol. 1,
 * 4.8.3.5), so a NaN result goes through a support function that is never on the hot path.
 */
import type { Op, Width } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import { arg, floatType } from '../carrier.ts';
import type { Expression, LaneShape } from '../emit/emitter.ts';
import { notANumber } from './open-nans.ts';
import type { Rule, Values } from './values.ts';

type FloatOp = Extract<Op, `float${string}`>;

const fp = (width: Width): 'f32' | 'f64' => (width === 32 ? 'f32' : 'f64');

/** Arithmetic whose NaNs are mended: `name` of Wasm on one or two operands. */
const arithmetic =
  (name: string): Rule =>
  (m, value) => {
    const e = m.emitter;
    const type = floatType(value.width);
    const operands = value.args.map((a) => m.floatOperand(a));
    const read = operands.map((local) => e.get(local, type));
    const result = m.toLocal(e.op(`${fp(value.width)}.${name}`, ...read), type);
    const [x, y = x] = operands;
    if (x === undefined || y === undefined) throw new TypeError('float arithmetic has an operand');
    m.openNans.add(value.width, result, [x, y]);
    return m.held(result, type);
  };

/** MIN and MAX give the second operand where either is a NaN or both are zeros. */
const pick =
  (name: 'lt' | 'gt'): Rule =>
  (m, value) => {
    const e = m.emitter;
    const type = floatType(value.width);
    const x = m.toLocal(m.emitFloat(arg(value, 0)), type);
    const y = m.toLocal(m.emitFloat(arg(value, 1)), type);
    const test = e.op(`${fp(value.width)}.${name}`, e.get(x, type), e.get(y, type));
    return e.select(test, e.get(x, type), e.get(y, type));
  };

const convert: Rule = (m, value) => {
  const e = m.emitter;
  const from = arg(value, 0);
  const x = m.toLocal(m.emitFloat(from), floatType(from.width));
  const get = (): Expression => e.get(x, floatType(from.width));
  const type = floatType(value.width);
  const result = m.toLocal(
    e.op(value.width === 64 ? 'f64.promote_f32' : 'f32.demote_f64', get()),
    type,
  );
  const isNan = notANumber(e, value.width, result);
  const mended = e.call(m.surroundings.support(`nanConvert${value.width}`), [get()], type);
  m.surroundings.statement(e.ifRare(isNan, [e.set(result, mended)]));
  return e.get(result, type);
};

const fromSigned: Rule = (m, value) => {
  const from = arg(value, 0);
  return m.emitter.op(`${fp(value.width)}.convert_i${from.width}_s`, m.emit(from));
};

/** Rules that give a Wasm float: scalar floats stay in float locals between instructions. */
// biome-ignore format: a table
export const floatRules: Readonly<Partial<Record<Op, Rule>>> = {
  floatAdd: arithmetic('add'), floatSub: arithmetic('sub'), floatMul: arithmetic('mul'), floatDiv: arithmetic('div'), floatSqrt: arithmetic('sqrt'),
  floatNearest: arithmetic('nearest'), floatFloor: arithmetic('floor'), floatCeil: arithmetic('ceil'), floatTrunc: arithmetic('trunc'),
  floatMin: pick('lt'), floatMax: pick('gt'),
  floatConvert: convert, floatFromSigned: fromSigned,
};

/** Reached only if a float op were written without its float rule. */
export const floatRule: Rule = (_, value) => {
  throw new TypeError(`${value.op} of ${value.width} bits is written as a float`);
};

const shape = (lane: number): LaneShape => (lane === 32 ? 'f32x4' : 'f64x2');

const packed =
  (name: string): Rule =>
  (m, value) => {
    const e = m.emitter;
    const lane = value.detail as number;
    const operands = value.args.map((a) => m.toLocal(m.emit(a), 'v128'));
    const get = (): Expression[] => operands.map((local) => e.get(local, 'v128'));
    const result = m.toLocal(e.op(`${shape(lane)}.${name}`, ...get()), 'v128');
    // V8 makes less of a bit a lane than of `any_true`.
    const isNan = e.op(
      lane === 32 ? 'i32x4.bitmask' : 'i64x2.bitmask',
      e.op(`${shape(lane)}.ne`, e.get(result, 'v128'), e.get(result, 'v128')),
    );
    const [x, y] = get();
    if (x === undefined) throw new TypeError('float arithmetic has an operand');
    const mended = e.call(
      m.surroundings.support(`nanPacked${lane}`),
      [x, y ?? x, e.get(result, 'v128')],
      'v128',
    );
    m.surroundings.statement(e.ifRare(isNan, [e.set(result, mended)]));
    return e.get(result, 'v128');
  };

/** pmin(b, a) is a < b ? a : b, which is MINPS; pmax(b, a) is b < a ? a : b. */
const packedPick =
  (name: string): Rule =>
  (m, value) =>
    m.emitter.op(
      `${shape(value.detail as number)}.${name}`,
      m.emit(arg(value, 1)),
      m.emit(arg(value, 0)),
    );

function comparison(m: Values, x: Value, y: Value, lane: number, name: string): Expression {
  const e = m.emitter;
  const vector = x.width === 128;
  const type = vector ? 'v128' : floatType(x.width);
  const prefix = vector ? shape(lane) : fp(x.width);
  const a = m.toLocal(vector ? m.emit(x) : m.emitFloat(x), type);
  const b = m.toLocal(vector ? m.emit(y) : m.emitFloat(y), type);
  if (name !== 'unordered') return e.op(`${prefix}.${name}`, e.get(a, type), e.get(b, type));
  const test = (relation: string, left: number, right: number): Expression =>
    e.op(`${prefix}.${relation}`, e.get(left, type), e.get(right, type));
  if (vector) return e.op('v128.or', test('ne', a, a), test('ne', b, b));
  // UCOMISD asks for the first relation, too.
  return e.op('i32.eqz', e.op('i32.or', test('le', b, a), test('lt', a, b)));
}

/** All ones or all zeros, in every lane or in a scalar. */
const comparisonMask =
  (name: string): Rule =>
  (m, value) => {
    const e = m.emitter;
    const truth = comparison(m, arg(value, 0), arg(value, 1), value.detail as number, name);
    if (value.width === 128) return truth;
    const minus = e.op('i32.sub', e.i32(0), truth);
    return value.width === 64 ? e.op('i64.extend_i32_s', minus) : minus;
  };

export const floatTest =
  (name: string): Rule =>
  (m, value) =>
    comparison(m, arg(value, 0), arg(value, 1), 0, name);

/** Wasm saturates; SSE gives the integer indefinite (SDM vol. 1, table 4-10), which is what saturates below. */
const toInteger =
  (nearest: boolean): Rule =>
  (m, value) => {
    const e = m.emitter;
    const from = arg(value, 0);
    const type = floatType(from.width);
    const plain = m.emitFloat(from);
    const x = m.toLocal(nearest ? e.op(`${fp(from.width)}.nearest`, plain) : plain, type);
    const wide = value.width === 64;
    const limit = powerOfTwo(m, from.width, wide ? 63 : 31);
    const fits = e.op(`${fp(from.width)}.lt`, e.get(x, type), limit);
    const integer = e.op(`${wide ? 'i64' : 'i32'}.trunc_sat_${fp(from.width)}_s`, e.get(x, type));
    return e.select(fits, integer, wide ? e.i64(-(1n << 63n)) : e.i32(-0x8000_0000));
  };

function powerOfTwo(m: Values, width: Width, exponent: number): Expression {
  const e = m.emitter;
  return width === 32
    ? e.op('f32.reinterpret_i32', e.i32((127 + exponent) << 23))
    : e.op('f64.reinterpret_i64', e.i64(BigInt(1023 + exponent) << 52n));
}

/** Rules that give the value in its integer or vector carrier. */
// biome-ignore format: a table
export const packedFloatRules = {
  floatAdd: packed('add'), floatSub: packed('sub'), floatMul: packed('mul'), floatDiv: packed('div'), floatSqrt: packed('sqrt'),
  floatNearest: packed('nearest'), floatFloor: packed('floor'), floatCeil: packed('ceil'), floatTrunc: packed('trunc'),
  floatMin: packedPick('pmin'), floatMax: packedPick('pmax'),
  floatEqualMask: comparisonMask('eq'), floatLessMask: comparisonMask('lt'), floatLessEqualMask: comparisonMask('le'), floatUnorderedMask: comparisonMask('unordered'),
  floatToSigned: toInteger(true), floatTruncate: toInteger(false),
} as const satisfies Partial<Record<FloatOp, Rule>>;

/** Op → Wasm: one row an op. Narrow values stay zero-extended in their carrier. */
import { constantOf } from '../../ir/build.ts';
import type { Op, Width } from '../../ir/ops.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import { arg, carrier } from '../carrier.ts';
import type { Expression, LaneShape } from '../emit/emitter.ts';
import { floatRule, floatTest, packedFloatRules } from './lower-float.ts';
import type { Rule, Values } from './values.ts';

/** Both names of an operator, made once: one that is put together for each value is hashed for each. */
function named(name: string): (width: Width) => string {
  const narrow = `i32.${name}`;
  const wide = `i64.${name}`;
  return (width) => (width === 64 ? wide : narrow);
}

const prefix = (width: Width): 'i32' | 'i64' => (width === 64 ? 'i64' : 'i32');

/** Clears what an operation carried above a narrow value. */
function mask(m: Values, width: Width, expression: Expression): Expression {
  if (width >= 32) return expression;
  return m.emitter.op('i32.and', expression, m.emitter.i32(2 ** width - 1));
}

/** Sign-extended within its carrier. */
function signed(m: Values, value: Value): Expression {
  const e = m.emitter;
  const plain = m.emit(value);
  if (value.width === 8) return e.op('i32.extend8_s', plain);
  if (value.width === 16) return e.op('i32.extend16_s', plain);
  return value.width === 1 ? e.op('i32.sub', e.i32(0), plain) : plain;
}

const constantExpression = (m: Values, width: Width, value: bigint): Expression =>
  width === 128
    ? m.emitter.v128(value)
    : width === 64
      ? m.emitter.i64(value)
      : m.emitter.i32(Number(BigInt.asIntN(32, value)));

const arithmetic = (name: string): Rule => {
  const operator = named(name);
  return (m, value) =>
    mask(
      m,
      value.width,
      m.emitter.op(operator(value.width), m.emit(arg(value, 0)), m.emit(arg(value, 1))),
    );
};

const bitwise = (name: string): Rule => {
  const operator = named(name);
  const vector = `v128.${name}`;
  return (m, value) =>
    m.emitter.op(
      value.width === 128 ? vector : operator(value.width),
      m.emit(arg(value, 0)),
      m.emit(arg(value, 1)),
    );
};

const signedArithmetic =
  (name: string): Rule =>
  (m, value) =>
    mask(
      m,
      value.width,
      m.emitter.op(
        `${prefix(value.width)}.${name}`,
        signed(m, arg(value, 0)),
        signed(m, arg(value, 1)),
      ),
    );

/** A shift count has 8 bits; Wasm wants it as wide as the value. */
function countOf(m: Values, value: Value): Expression {
  const e = m.emitter;
  const count = arg(value, 1);
  const known = constantOf(count);
  if (value.width !== 64) return m.emit(count);
  return known === undefined ? e.op('i64.extend_i32_u', m.emit(count)) : e.i64(known);
}

const shift = (name: string, operand: (m: Values, value: Value) => Expression): Rule => {
  const operator = named(name);
  return (m, value) =>
    mask(
      m,
      value.width,
      m.emitter.op(operator(value.width), operand(m, arg(value, 0)), countOf(m, value)),
    );
};

const plain = (m: Values, value: Value): Expression => m.emit(value);

const isZero = named('eqz');

const compare = (name: string, isSigned: boolean): Rule => {
  const operator = named(name);
  const side = isSigned ? signed : plain;
  return (m, value) => {
    const x = arg(value, 0);
    const y = arg(value, 1);
    if (name === 'eq' && constantOf(y) === 0n) return m.emitter.op(isZero(x.width), m.emit(x));
    return m.emitter.op(operator(x.width), side(m, x), side(m, y));
  };
};

/** A count of bits of a narrow value: as if it stood in 32 bits, corrected. */
const countBits =
  (narrow: (m: Values, value: Value) => Expression, name: string): Rule =>
  (m, value) =>
    value.width >= 32
      ? m.emitter.op(`${prefix(value.width)}.${name}`, m.emit(arg(value, 0)))
      : narrow(m, value);

const shapes: Readonly<Record<number, LaneShape>> = {
  8: 'i8x16',
  16: 'i16x8',
  32: 'i32x4',
  64: 'i64x2',
};

export function shapeOf(width: number): LaneShape {
  const shape = shapes[width];
  if (shape === undefined) throw new TypeError(`no vector has lanes of ${width} bits`);
  return shape;
}

const lanes =
  (name: string): Rule =>
  (m, value) =>
    m.emitter.op(`${shapeOf(value.detail as number)}.${name}`, ...value.args.map((a) => m.emit(a)));

const support =
  (name: string): Rule =>
  (m, value) =>
    m.emitter.call(
      m.surroundings.support(`${name}${value.width}`),
      value.args.map((a) => m.emit(a)),
      carrier(value.width),
    );

/** SWAP of 32 bits in line, of 64 by a support function, of 16 by a rotation. */
const swapBytes: Rule = (m, value) => {
  const e = m.emitter;
  const x = m.toLocal(m.emit(arg(value, 0)), carrier(value.width));
  if (value.width === 64)
    return e.call(m.surroundings.support('swapBytes64'), [e.get(x, 'i64')], 'i64');
  const get = (): Expression => e.get(x, 'i32');
  if (value.width === 16)
    return mask(
      m,
      16,
      e.op('i32.or', e.op('i32.shl', get(), e.i32(8)), e.op('i32.shr_u', get(), e.i32(8))),
    );
  return e.op(
    'i32.or',
    e.op('i32.and', e.op('i32.rotl', get(), e.i32(8)), e.i32(0x00ff00ff)),
    e.op('i32.and', e.op('i32.rotr', get(), e.i32(8)), e.i32(0xff00ff00)),
  );
};

const zeroExtend: Rule = (m, value) => {
  const e = m.emitter;
  const x = arg(value, 0);
  if (value.width === 128 && x.width === 64)
    return e.replaceLane('f64x2', e.v128(0n), 0, m.emitFloat(x));
  const plainX = m.emit(x);
  if (value.width === 128)
    return e.replaceLane('i64x2', e.v128(0n), 0, e.op('i64.extend_i32_u', plainX));
  return value.width === 64 && x.width < 64 ? e.op('i64.extend_i32_u', plainX) : plainX;
};

const truncate: Rule = (m, value) => {
  const e = m.emitter;
  const x = arg(value, 0);
  if (x.width === 128) {
    const narrow = m.emit(x);
    return value.width === 64
      ? e.extractLane('i64x2', narrow, 0)
      : mask(m, value.width, e.extractLane('i32x4', narrow, 0));
  }
  const narrow = x.width === 64 ? e.op('i32.wrap_i64', m.emit(x)) : m.emit(x);
  return mask(m, value.width, narrow);
};

const signExtend: Rule = (m, value) => {
  const x = arg(value, 0);
  const within = signed(m, x);
  return value.width === 64
    ? m.emitter.op('i64.extend_i32_s', within)
    : mask(m, value.width, within);
};

const slice: Rule = (m, value) => {
  const whole = m.emit(arg(value, 0));
  return m.emitter.extractLane(shapeOf(value.width), whole, (value.detail as number) / value.width);
};

const insert: Rule = (m, value) => {
  const e = m.emitter;
  const part = arg(value, 1);
  const lane = (value.detail as number) / part.width;
  const whole = m.emit(arg(value, 0));
  if (part.op.startsWith('float')) {
    return e.replaceLane(part.width === 32 ? 'f32x4' : 'f64x2', whole, lane, m.emitFloat(part));
  }
  return e.replaceLane(shapeOf(part.width), whole, lane, m.emit(part));
};

const pack: Rule = (m, value) => {
  const e = m.emitter;
  return e.replaceLane(
    'i64x2',
    e.op('i64x2.splat', m.emit(arg(value, 0))),
    1,
    m.emit(arg(value, 1)),
  );
};

/** High halves of 16 × 16 bit products: the products in two vectors of 32-bit lanes, then their upper halves. */
const mulHigh16 =
  (sign: 's' | 'u'): Rule =>
  (m, value) => {
    const e = m.emitter;
    const x = m.toLocal(m.emit(arg(value, 0)), 'v128');
    const y = m.toLocal(m.emit(arg(value, 1)), 'v128');
    const half = (which: string): Expression =>
      e.op(`i32x4.extmul_${which}_i16x8_${sign}`, e.get(x, 'v128'), e.get(y, 'v128'));
    const upper = [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31];
    return e.shuffle(half('low'), half('high'), upper);
  };

/** Lanes 0 and 2 side by side, then the product of the lower pair. */
const mulEven =
  (sign: 's' | 'u'): Rule =>
  (m, value) => {
    const e = m.emitter;
    const even = [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11];
    const gather = (index: number): Expression => {
      const local = m.toLocal(m.emit(arg(value, index)), 'v128');
      return e.shuffle(e.get(local, 'v128'), e.get(local, 'v128'), even);
    };
    return e.op(`i64x2.extmul_low_i32x4_${sign}`, gather(0), gather(1));
  };

const narrow =
  (sign: 's' | 'u'): Rule =>
  (m, value) => {
    const from = value.detail as number;
    return m.emitter.op(
      `${shapeOf(from / 2)}.narrow_${shapeOf(from)}_${sign}`,
      m.emit(arg(value, 0)),
      m.emit(arg(value, 1)),
    );
  };

const anchored: Rule = (_, value) => {
  throw new TypeError(`${value.op} is written at its statement`);
};

// biome-ignore format: a table
export const rules: Readonly<Record<Op, Rule>> = {
  constant: (m, value) => constantExpression(m, value.width, value.detail as bigint),
  undefined: (m) => m.emitter.i32(0),
  input: (m, value) => m.emitter.get(value.detail as number, carrier(value.width)),
  register: anchored, flag: anchored, load: anchored, loadCpu: anchored, bulkCopy: anchored, bulkFill: anchored,
  add: arithmetic('add'), sub: arithmetic('sub'), mul: arithmetic('mul'),
  and: bitwise('and'), or: bitwise('or'), xor: bitwise('xor'),
  not: (m, value) => value.width === 128 ? m.emitter.op('v128.not', m.emit(arg(value, 0)))
    : value.width === 1 ? m.emitter.op('i32.eqz', m.emit(arg(value, 0)))
    : m.emitter.op(`${prefix(value.width)}.xor`, m.emit(arg(value, 0)), constantExpression(m, value.width, value.width === 64 ? -1n : (1n << BigInt(value.width)) - 1n)),
  mulHighUnsigned: (m, value) => value.width === 32 ? mulHigh32(m, value, 'u') : support('mulHighUnsigned')(m, value),
  mulHighSigned: (m, value) => value.width === 32 ? mulHigh32(m, value, 's') : support('mulHighSigned')(m, value),
  divUnsigned: arithmetic('div_u'), remUnsigned: arithmetic('rem_u'), divSigned: signedArithmetic('div_s'), remSigned: signedArithmetic('rem_s'),
  divWideUnsigned: support('divWideUnsigned'), divWideSigned: support('divWideSigned'),
  shiftLeft: shift('shl', plain), shiftRight: shift('shr_u', plain), shiftRightSigned: shift('shr_s', signed),
  rotateLeft: shift('rotl', plain), rotateRight: shift('rotr', plain),
  countLeadingZeros: countBits((m, value) => m.emitter.op('i32.sub', m.emitter.op('i32.clz', m.emit(arg(value, 0))), m.emitter.i32(32 - value.width)), 'clz'),
  countTrailingZeros: countBits((m, value) => m.emitter.op('i32.ctz', m.emitter.op('i32.or', m.emit(arg(value, 0)), m.emitter.i32(2 ** value.width))), 'ctz'),
  countOnes: countBits((m, value) => m.emitter.op('i32.popcnt', m.emit(arg(value, 0))), 'popcnt'),
  swapBytes,
  equal: compare('eq', false), notEqual: compare('ne', false), lessUnsigned: compare('lt_u', false), lessSigned: compare('lt_s', true),
  lessEqualUnsigned: compare('le_u', false), lessEqualSigned: compare('le_s', true),
  parity: (m, value) => {
    const e = m.emitter; const x = arg(value, 0);
    const low = x.width === 64 ? e.op('i32.wrap_i64', m.emit(x)) : m.emit(x);
    return e.op('i32.xor', e.op('i32.and', e.op('i32.popcnt', e.op('i32.and', low, e.i32(0xff))), e.i32(1)), e.i32(1));
  },
  select: (m, value) => m.emitter.select(m.emit(arg(value, 0)), m.emit(arg(value, 1)), m.emit(arg(value, 2))),
  zeroExtend, signExtend, truncate, pack, slice, insert,
  andNot: (m, value) => value.width === 128 ? m.emitter.op('v128.andnot', m.emit(arg(value, 0)), m.emit(arg(value, 1)))
    : m.emitter.op(`${prefix(value.width)}.and`, m.emit(arg(value, 0)), m.emitter.op(`${prefix(value.width)}.xor`, m.emit(arg(value, 1)), constantExpression(m, value.width, -1n))),
  laneAdd: lanes('add'), laneSub: lanes('sub'), laneMul: lanes('mul'),
  laneAddSaturateSigned: lanes('add_sat_s'), laneAddSaturateUnsigned: lanes('add_sat_u'), laneSubSaturateSigned: lanes('sub_sat_s'), laneSubSaturateUnsigned: lanes('sub_sat_u'),
  laneMinSigned: lanes('min_s'), laneMinUnsigned: lanes('min_u'), laneMaxSigned: lanes('max_s'), laneMaxUnsigned: lanes('max_u'),
  laneEqual: lanes('eq'), laneGreaterSigned: lanes('gt_s'), laneAverageUnsigned: lanes('avgr_u'), laneAbs: lanes('abs'),
  laneMulHighSigned: mulHigh16('s'), laneMulHighUnsigned: mulHigh16('u'), laneMulEvenUnsigned: mulEven('u'), laneMulEvenSigned: mulEven('s'),
  laneDotSigned: (m, value) => m.emitter.op('i32x4.dot_i16x8_s', m.emit(arg(value, 0)), m.emit(arg(value, 1))),
  laneShiftLeft: lanes('shl'), laneShiftRight: lanes('shr_u'), laneShiftRightSigned: lanes('shr_s'),
  laneNarrowSigned: narrow('s'), laneNarrowUnsigned: narrow('u'), laneBits: lanes('bitmask'),
  shuffle: (m, value) => lowTwice(m, value) ?? m.emitter.shuffle(m.emit(arg(value, 0)), m.emit(arg(value, 1)), value.detail as readonly number[]),
  swizzle: (m, value) => m.emitter.op('i8x16.swizzle', m.emit(arg(value, 0)), m.emitter.op('v128.and', m.emit(arg(value, 1)), m.emitter.v128(0x8f8f8f8f8f8f8f8f8f8f8f8f8f8f8f8fn))),
  ...packedFloatRules,
  floatConvert: floatRule, floatFromSigned: floatRule,
  floatEqual: floatTest('eq'), floatLess: floatTest('lt'), floatLessEqual: floatTest('le'), floatUnordered: floatTest('unordered'),
  floatLessQuiet: floatTest('lt'), floatLessEqualQuiet: floatTest('le'),
  call: (m, value) => {
    const subroutine = value.detail as Subroutine;
    return m.emitter.call(m.surroundings.subroutine(subroutine), value.args.map((a) => m.emit(a)), carrier(value.width));
  },
};

/** Lanes 0 of 64 bits of two vectors that are one; undefined of other shuffles. */
function lowTwice(m: Values, value: Value): Expression | undefined {
  const [a, b] = value.args;
  const indices = value.detail as readonly number[];
  if (a === undefined || a !== b || !indices.every((index, i) => index % 16 === i % 8))
    return undefined;
  const low = m.lowFloat(a);
  return low && m.emitter.op('f64x2.splat', low);
}

function mulHigh32(m: Values, value: Value, sign: 's' | 'u'): Expression {
  const e = m.emitter;
  const wide = (index: number): Expression =>
    e.op(`i64.extend_i32_${sign}`, m.emit(arg(value, index)));
  return e.op('i32.wrap_i64', e.op('i64.shr_u', e.op('i64.mul', wide(0), wide(1)), e.i64(32n)));
}

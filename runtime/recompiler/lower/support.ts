/** Wasm functions that recompiled code calls for what Wasm lacks: wide products and quotients, byte swaps, SSE's NaNs. */
import * as v from '../../ir/build.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import type { Emitter, Expression, WasmType } from '../emit/emitter.ts';

const inputOf = (inputs: readonly Value[], index: number): Value => {
  const found = inputs[index];
  if (found === undefined) throw new TypeError(`no input ${index}`);
  return found;
};

const low32 = (x: Value): Value => v.and(x, v.constant(64, 0xffff_ffffn));
const high32 = (x: Value): Value => v.shiftRight(x, 32);

/** The upper 64 bits of a product, from four products of halves. */
function upperProduct(x: Value, y: Value): Value {
  const lowLow = v.mul(low32(x), low32(y));
  const highLow = v.add(v.mul(high32(x), low32(y)), high32(lowLow));
  const lowHigh = v.add(v.mul(low32(x), high32(y)), low32(highLow));
  return v.add(v.add(v.mul(high32(x), high32(y)), high32(highLow)), high32(lowHigh));
}

/** Where x is negative y, else 0. */
const ifNegative = (x: Value, y: Value): Value => v.and(v.shiftRightSigned(x, 63), y);

/** One digit of 32 bits of a quotient: the estimate from the divisor's upper half is too large by 2 at most. */
function digit(rest: Value, next: Value, divisor: Value): { digit: Value; rest: Value } {
  const upper = high32(divisor);
  let estimate = v.divUnsigned(rest, upper);
  let remainder = v.sub(rest, v.mul(estimate, upper));
  for (let i = 0; i < 2; i++) {
    const fitsRemainder = v.isZero(high32(remainder));
    const product = v.mul(estimate, low32(divisor));
    const sum = v.or(v.shiftLeft(remainder, 32), next);
    const tooLarge = v.or(
      v.lessUnsigned(v.constant(64, 0xffff_ffffn), estimate),
      v.lessUnsigned(sum, product),
    );
    const step = v.and(fitsRemainder, tooLarge);
    estimate = v.sub(estimate, v.resize(step, 64));
    remainder = v.select(step, v.add(remainder, upper), remainder);
  }
  const left = v.sub(v.or(v.shiftLeft(rest, 32), next), v.mul(estimate, divisor));
  return { digit: estimate, rest: left };
}

/** 128 by 64 bits in two digits (Knuth, The Art of Computer Programming vol. 2, 4.3.1, algorithm D). high < divisor. */
function quotient(high: Value, low: Value, divisor: Value): Value {
  const shift = v.countLeadingZeros(divisor);
  const scaled = v.shiftLeft(divisor, shift);
  const carried = v.select(
    v.isZero(shift),
    v.constant(64, 0),
    v.shiftRight(low, v.and(v.sub(v.constant(64, 64), shift), v.constant(64, 63))),
  );
  const top = v.or(v.shiftLeft(high, shift), carried);
  const bottom = v.shiftLeft(low, shift);
  const first = digit(top, high32(bottom), scaled);
  const second = digit(first.rest, low32(bottom), scaled);
  return v.or(v.shiftLeft(first.digit, 32), second.digit);
}

/** Signed: the quotient of the magnitudes, with the sign of high ^ divisor. */
function signedQuotient(high: Value, low: Value, divisor: Value): Value {
  const zero = v.constant(64, 0);
  const negative = v.lessSigned(high, zero);
  const lowMagnitude = v.select(negative, v.neg(low), low);
  const borrow = v.resize(v.notEqual(low, zero), 64);
  const highMagnitude = v.select(negative, v.sub(v.neg(high), borrow), high);
  const divisorMagnitude = v.select(v.lessSigned(divisor, zero), v.neg(divisor), divisor);
  const result = quotient(highMagnitude, lowMagnitude, divisorMagnitude);
  return v.select(v.lessSigned(v.xor(high, divisor), zero), v.neg(result), result);
}

function swap64(x: Value): Value {
  const half = (mask: bigint, shift: number, value: Value): Value =>
    v.or(
      v.and(v.shiftRight(value, shift), v.constant(64, mask)),
      v.shiftLeft(v.and(value, v.constant(64, mask)), shift),
    );
  const bytes = half(0x00ff00ff00ff00ffn, 8, x);
  return v.rotateLeft(half(0x0000ffff0000ffffn, 16, bytes), 32);
}

const binary = (name: string, body: (x: Value, y: Value) => Value): Subroutine => ({
  name,
  parameters: [64, 64],
  result: 64,
  body: (inputs) => body(inputOf(inputs, 0), inputOf(inputs, 1)),
});
const wide = (name: string, body: (h: Value, l: Value, d: Value) => Value): Subroutine => ({
  name,
  parameters: [64, 64, 64],
  result: 64,
  body: (inputs) => body(inputOf(inputs, 0), inputOf(inputs, 1), inputOf(inputs, 2)),
});

/** Written in the IR. */
export const supportSubroutines: Readonly<Record<string, Subroutine>> = {
  mulHighUnsigned64: binary('mulHighUnsigned64', upperProduct),
  mulHighSigned64: binary('mulHighSigned64', (x, y) =>
    v.sub(v.sub(upperProduct(x, y), ifNegative(x, y)), ifNegative(y, x)),
  ),
  quotientUnsigned: wide('quotientUnsigned', quotient),
  quotientSigned: wide('quotientSigned', signedQuotient),
  swapBytes64: {
    name: 'swapBytes64',
    parameters: [64],
    result: 64,
    body: (inputs) => swap64(inputOf(inputs, 0)),
  },
};

export interface SupportFunction {
  readonly parameters: readonly WasmType[];
  readonly result: WasmType;
  /** Beside the parameters. */
  readonly locals?: readonly WasmType[];
  readonly body: (e: Emitter, call: (name: string) => string) => Expression;
}

/** Most dividends have no upper half of their own: then one Wasm division does. */
const divWide = (kind: 'Unsigned' | 'Signed'): SupportFunction => ({
  parameters: ['i64', 'i64', 'i64'],
  result: 'i64',
  body: (e, call) => {
    const get = (index: number): Expression => e.get(index, 'i64');
    const extension = kind === 'Signed' ? e.op('i64.shr_s', get(1), e.i64(63n)) : e.i64(0n);
    const short = e.op(kind === 'Signed' ? 'i64.div_s' : 'i64.div_u', get(1), get(2));
    return e.block(undefined, [
      e.ifThen(e.op('i64.eq', get(0), extension), [e.return(short)]),
      e.return(e.call(call(`quotient${kind}`), [get(0), get(1), get(2)], 'i64')),
    ]);
  },
});

const quietBit = { f32: 0x0040_0000, f64: 0x0008_0000_0000_0000n } as const;

/** The NaN of a two-operand instruction: the first operand's, else the second's, quieted; else the default NaN. */
const nan = (type: 'f32' | 'f64'): SupportFunction => ({
  parameters: [type, type],
  result: type,
  body: (e) => {
    const bits = type === 'f32' ? 'i32' : 'i64';
    const constant = (value: bigint | number): Expression =>
      type === 'f32' ? e.i32(Number(value)) : e.i64(BigInt(value));
    const quiet = (index: number): Expression =>
      e.op(
        `${type}.reinterpret_${bits}`,
        e.op(
          `${bits}.or`,
          e.op(`${bits}.reinterpret_${type}`, e.get(index, type)),
          constant(quietBit[type]),
        ),
      );
    const isNan = (index: number): Expression =>
      e.op(`${type}.ne`, e.get(index, type), e.get(index, type));
    const standard = e.op(
      `${type}.reinterpret_${bits}`,
      constant(type === 'f32' ? 0xffc0_0000 : 0xfff8_0000_0000_0000n),
    );
    return e.return(e.select(isNan(0), quiet(0), e.select(isNan(1), quiet(1), standard)));
  },
});

/** A NaN in the other format: sign, quiet bit, and the upper bits of the payload. */
const nanToDouble: SupportFunction = {
  parameters: ['f32'],
  result: 'f64',
  body: (e) => {
    const bits = (): Expression =>
      e.op('i64.extend_i32_u', e.op('i32.reinterpret_f32', e.get(0, 'f32')));
    const sign = e.op('i64.shl', e.op('i64.and', bits(), e.i64(0x8000_0000n)), e.i64(32n));
    const payload = e.op('i64.shl', e.op('i64.and', bits(), e.i64(0x7f_ffffn)), e.i64(29n));
    const whole = e.op('i64.or', e.op('i64.or', sign, payload), e.i64(0x7ff8_0000_0000_0000n));
    return e.return(e.op('f64.reinterpret_i64', whole));
  },
};
const nanToSingle: SupportFunction = {
  parameters: ['f64'],
  result: 'f32',
  body: (e) => {
    const bits = (): Expression => e.op('i64.reinterpret_f64', e.get(0, 'f64'));
    const narrow = (shift: bigint): Expression =>
      e.op('i32.wrap_i64', e.op('i64.shr_u', bits(), e.i64(shift)));
    const sign = e.op('i32.and', narrow(32n), e.i32(-0x8000_0000));
    const payload = e.op('i32.and', narrow(29n), e.i32(0x7f_ffff));
    const whole = e.op('i32.or', e.op('i32.or', sign, payload), e.i32(0x7fc0_0000));
    return e.return(e.op('f32.reinterpret_i32', whole));
  },
};

/** A result of two operands, mended if it is a NaN. */
const mended = (type: 'f32' | 'f64'): SupportFunction => ({
  parameters: [type, type, type],
  result: type,
  body: (e, call) => {
    const get = (index: number): Expression => e.get(index, type);
    const nanOf = e.call(call(type === 'f32' ? 'nan32' : 'nan64'), [get(0), get(1)], type);
    return e.return(e.select(e.op(`${type}.ne`, get(2), get(2)), nanOf, get(2)));
  },
});

/** Mends each lane of a result that is a NaN. */
const nanPacked = (shape: 'f32x4' | 'f64x2'): SupportFunction => ({
  parameters: ['v128', 'v128', 'v128'],
  result: 'v128',
  body: (e, call) => {
    const type = shape === 'f32x4' ? 'f32' : 'f64';
    const laneOf = (index: number, lane: number): Expression =>
      e.extractLane(shape, e.get(index, 'v128'), lane);
    let result = e.get(2, 'v128');
    for (let lane = 0; lane < (shape === 'f32x4' ? 4 : 2); lane++) {
      const lanes = [laneOf(0, lane), laneOf(1, lane), laneOf(2, lane)];
      const name = call(type === 'f32' ? 'mended32' : 'mended64');
      result = e.replaceLane(shape, result, lane, e.call(name, lanes, type));
    }
    return e.return(result);
  },
});

/** Written in Wasm. */
export const supportFunctions: Readonly<Record<string, SupportFunction>> = {
  divWideUnsigned64: divWide('Unsigned'),
  divWideSigned64: divWide('Signed'),
  nan32: nan('f32'),
  nan64: nan('f64'),
  mended32: mended('f32'),
  mended64: mended('f64'),
  nanConvert64: nanToDouble,
  nanConvert32: nanToSingle,
  nanPacked32: nanPacked('f32x4'),
  nanPacked64: nanPacked('f64x2'),
};

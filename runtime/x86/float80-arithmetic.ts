/** x87 addition, subtraction, multiplication, division and square root as IR subroutines (SDM vol. 2, FADD … FSQRT). */
import * as v from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import {
  all,
  c64,
  choose,
  isNegative,
  isNonzero,
  normalized,
  type Operand80,
  packed,
  type Result80,
  raised,
  status,
  topBit,
  unpack,
  wide,
  withOperandChecks,
  without,
} from './float80.ts';
import {
  normalizeWide,
  precisionShift,
  registerFormat,
  round,
  type Scaled,
  shiftRightSticky,
} from './float80-round.ts';

export interface Computed {
  readonly result: Result80;
  readonly invalid: Value;
  /** Where a division by zero keeps a denormal operand from being told. */
  readonly byZero?: Value;
}

/** A subroutine of two operands and the control word. */
export const binary = (
  name: string,
  compute: (a: Operand80, b: Operand80, control: Value) => Computed,
): Subroutine => ({
  name,
  parameters: [128, 128, 32],
  result: 128,
  body: (inputs) => {
    const [x, y, control] = inputs as [Value, Value, Value];
    const a = unpack(x);
    const b = unpack(y);
    const { result, invalid, byZero } = compute(a, b, control);
    const told = (x: Operand80): Operand80 =>
      byZero === undefined ? x : { ...x, denormal: without(x.denormal, byZero) };
    return packed(withOperandChecks(result, [told(a), told(b)], invalid, control));
  },
});

const noFlags = c64(0);
export const infinityWith = (sign: Value): Result80 => ({
  significand: c64(topBit),
  high: v.or(sign, c64(0x7fff)),
  flags: noFlags,
});
export const zeroWith = (sign: Value): Result80 => ({
  significand: c64(0),
  high: sign,
  flags: noFlags,
});

const rounded = (sign: Value, x: Scaled, control: Value): Result80 => {
  const format = registerFormat(precisionShift(control));
  const result = round({ ...x, negative: isNonzero(sign) }, control, format);
  return {
    significand: result.significand,
    high: v.or(sign, result.exponent),
    flags: result.flags,
  };
};

const sum = (subtract: boolean) => (a: Operand80, y: Operand80, control: Value) => {
  const b = subtract ? { ...y, sign: v.xor(y.sign, c64(0x8000)) } : y;
  const exponentOf = (x: Operand80): Value => v.add(x.exponent, wide(v.isZero(x.exponent)));
  const exponentA = exponentOf(a);
  const exponentB = exponentOf(b);
  const aLess = v.or(
    v.lessUnsigned(exponentA, exponentB),
    v.and(v.equal(exponentA, exponentB), v.lessUnsigned(a.significand, b.significand)),
  );
  const larger = v.select(aLess, b.significand, a.significand);
  const smaller = v.select(aLess, a.significand, b.significand);
  const exponent = v.select(aLess, exponentB, exponentA);
  const distance = v.sub(exponent, v.select(aLess, exponentA, exponentB));
  const capped = v.select(v.lessUnsigned(distance, c64(127)), distance, c64(127));
  const shifted = shiftRightSticky({ high: smaller, low: c64(0) }, capped);
  const opposite = isNonzero(v.xor(a.sign, b.sign));
  const total = v.add(larger, shifted.high);
  const borrow = wide(isNonzero(shifted.low));
  const high = v.select(opposite, v.sub(v.sub(larger, shifted.high), borrow), total);
  const low = v.select(opposite, v.neg(shifted.low), shifted.low);
  const carry = without(v.lessUnsigned(total, larger), opposite);
  const sign = v.select(aLess, b.sign, a.sign);

  const nearby = rounded(sign, normalizedSum({ high, low, exponent }, carry), control);
  const cancelled = v.isZero(v.or(high, low)); // also where both are zeros
  const down = v.equal(v.and(v.shiftRight(control, 10), v.constant(32, 3)), v.constant(32, 1));
  const zeroSign = v.select(opposite, v.select(down, c64(0x8000), c64(0)), a.sign);
  const infinite = v.or(a.infinity, b.infinity);
  return {
    result: choose(
      infinite,
      infinityWith(v.select(a.infinity, a.sign, b.sign)),
      choose(without(cancelled, carry), zeroWith(zeroSign), nearby),
    ),
    invalid: all(a.infinity, b.infinity, opposite),
  };
};

/** After a carry one right, else left until the top bit is set. */
const normalizedSum = (x: Scaled, carry: Value): Scaled => {
  const left = normalizeWide(x);
  const halved = v.or(v.shiftRight(x.low, 1), v.and(x.low, c64(1)));
  return {
    high: v.select(carry, v.or(v.shiftRight(x.high, 1), c64(topBit)), left.high),
    low: v.select(carry, v.or(v.shiftLeft(x.high, 63), halved), left.low),
    exponent: v.select(carry, v.add(x.exponent, c64(1)), left.exponent),
  };
};

const bias = 0x3fff;

const product = (a: Operand80, b: Operand80, control: Value) => {
  const x = normalized(a);
  const y = normalized(b);
  const sign = v.xor(a.sign, b.sign);
  const high = v.mulHighUnsigned(x.significand, y.significand);
  const low = v.mul(x.significand, y.significand);
  const isShort = v.not(isNegative(high));
  const one = wide(isShort);
  const nearby = rounded(
    sign,
    {
      high: v.select(isShort, v.or(v.shiftLeft(high, 1), v.shiftRight(low, 63)), high),
      low: v.shiftLeft(low, one),
      exponent: v.sub(v.sub(v.add(x.exponent, y.exponent), c64(bias - 1)), one),
    },
    control,
  );
  const infinite = v.or(a.infinity, b.infinity);
  const zero = v.or(a.zero, b.zero);
  return {
    result: choose(infinite, infinityWith(sign), choose(zero, zeroWith(sign), nearby)),
    invalid: v.and(infinite, zero),
  };
};

const quotient = (a: Operand80, b: Operand80, control: Value) => {
  const x = normalized(a);
  const y = normalized(b);
  const sign = v.xor(a.sign, b.sign);
  const divisor = v.select(b.zero, c64(topBit), y.significand);
  const less = v.lessUnsigned(x.significand, divisor);
  // The quotient of the significands, in [2^63, 2^64): the dividend is halved where it is not less.
  const dividendHigh = v.select(less, x.significand, v.shiftRight(x.significand, 1));
  const dividendLow = v.select(less, c64(0), v.shiftLeft(x.significand, 63));
  const high = v.divWideUnsigned(dividendHigh, dividendLow, divisor);
  const remainder = v.sub(dividendLow, v.mul(high, divisor));
  const complement = v.sub(divisor, remainder);
  const low = v.select(
    v.isZero(remainder),
    c64(0),
    v.select(
      v.equal(remainder, complement),
      c64(topBit),
      v.select(v.lessUnsigned(remainder, complement), c64(topBit >> 1n), c64(3n << 62n)),
    ),
  );
  const difference = v.sub(v.add(v.sub(x.exponent, y.exponent), c64(bias)), wide(less));
  const nearby = rounded(sign, { high, low, exponent: difference }, control);

  const byZero = all(b.zero, v.not(a.zero), v.not(a.infinity));
  const infinite = { ...infinityWith(sign), flags: raised(byZero, status.ZE) };
  const zero = v.or(a.zero, b.infinity);
  return {
    result: choose(v.or(a.infinity, b.zero), infinite, choose(zero, zeroWith(sign), nearby)),
    invalid: v.or(v.and(a.zero, b.zero), v.and(a.infinity, b.infinity)),
    byZero,
  };
};

export const float80Add = binary('float80Add', sum(false));
export const float80Subtract = binary('float80Subtract', sum(true));
export const float80Multiply = binary('float80Multiply', product);
export const float80Divide = binary('float80Divide', quotient);

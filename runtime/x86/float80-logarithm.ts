/**
 * y log2(x) and y log2(x + 1) as IR subroutines (SDM vol. 2, FYL2X, FYL2XP1): x = 2^e × m with m in [0.7, 1.42), and
 * m × j/32 = 1 + r with the integer j that leaves |r| < 2^-5; a table for j, a series for r.
 */
import * as v from '../ir/build.ts';
import type { Value } from '../ir/value.ts';
import {
  addOrSubtract,
  addWide,
  lookUp,
  polynomial,
  product,
  selectWide,
  shiftWideLeft,
  shiftWideRight,
  subtractWide,
  timesWide,
  timesWord,
  type Wide,
  wideConstant,
} from './fixed128.ts';
import {
  any,
  c64,
  choose,
  isNegative,
  isNonzero,
  normalized,
  type Operand80,
  type Result80,
  raised,
  status,
  topBit,
  wide,
} from './float80.ts';
import { binary, type Computed, infinityWith, zeroWith } from './float80-arithmetic.ts';
import {
  normalizeWide,
  registerFormat,
  round,
  type Scaled,
  shiftRightSticky,
} from './float80-round.ts';
import { logarithms, logOfE } from './float80-tables.ts';

const bias = 0x3fff;

/** log2(1 + r) / 2r of negative r, times 2^128. */
const series: readonly bigint[] = Array.from({ length: 13 }, (_, k) => logOfE / BigInt(k + 1));

interface Logarithm extends Scaled {
  readonly negative: Value;
  /** Whether it is exact: the argument is a power of two. */
  readonly exact: Value;
}

/** m = significand × 2^-63, or half of it and e one more where it is about √2 or above; r exactly, times 2^132. */
const reduced = (x: Scaled): { index: Value; e: Value; negative: Value; r: Wide } => {
  const top = v.shiftRight(x.high, 48);
  const big = v.not(v.lessUnsigned(top, c64(46341)));
  const thirtyTwo = v.select(big, c64(1 << 21), c64(1 << 20));
  const j = v.divUnsigned(
    v.add(thirtyTwo, v.shiftRight(top, 1)),
    v.select(v.isZero(top), c64(1), top),
  );
  const lower = product(x.low, j);
  const signed = { high: v.add(v.mul(x.high, j), lower.high), low: lower.low };
  const negative = isNegative(signed.high);
  const magnitude = selectWide(negative, subtractWide(wideConstant(0n), signed), signed);
  return {
    index: v.sub(j, c64(23)),
    e: v.add(v.sub(x.exponent, c64(bias)), wide(big)),
    negative,
    r: selectWide(big, magnitude, shiftWideLeft(magnitude, c64(1))),
  };
};

/** Of x > 0, not 1; `near` is x - 1, which counts where x is near 1. */
const logarithm = (
  x: Scaled,
  near: { significand: Value; exponent: Value } | undefined,
): Logarithm => {
  const { index, e, negative, r } = reduced(x);
  const slope = polynomial(r.high, 5, series, v.not(negative));
  const isNear = v.and(v.isZero(e), v.equal(index, c64(32 - 23)));
  const zeros = v.countLeadingZeros(r.high);
  const exact = v.isZero(v.or(r.high, r.low));
  const own = {
    significand: v.shiftLeft(r.high, v.and(zeros, c64(63))),
    exponent: v.sub(c64(bias - 6), zeros),
  };
  const distance = near ?? own;

  // With 16 bits before the point.
  const step = shiftWideRight(timesWide(slope, r), 20);
  const whole = { high: v.shiftLeft(e, 48), low: c64(0) };
  const sum = addOrSubtract(negative, addWide(whole, lookUp(index, logarithms)), step);
  const below = isNegative(sum.high);
  const far = selectWide(below, subtractWide(wideConstant(0n), sum), sum);
  return {
    ...selectWide(isNear, timesWord(slope, distance.significand), far),
    exponent: v.select(isNear, v.add(distance.exponent, c64(1)), c64(bias + 15)),
    negative: v.select(isNear, negative, below),
    exact,
  };
};

/** y × logarithm, of finite numbers but 0. */
const scaled = (y: Operand80, log: Logarithm, control: Value): Result80 => {
  const factor = normalized(y);
  const { high, low, exponent } = normalizeWide(log);
  const result = normalizeWide({
    ...timesWord({ high, low }, factor.significand),
    exponent: v.sub(v.add(exponent, factor.exponent), c64(bias - 1)),
  });
  const negative = v.notEqual(wide(log.negative), v.shiftRight(y.sign, 15));
  const rounded = round(
    { ...result, negative, low: v.or(result.low, wide(v.not(log.exact))) },
    control,
    registerFormat(c64(0)),
  );
  return {
    significand: rounded.significand,
    high: v.or(v.shiftLeft(wide(negative), 15), rounded.exponent),
    flags: any(
      rounded.flags,
      c64(status.PE << 16), // as CPUs do, whether it is exact or not
      raised(v.isZero(rounded.exponent), status.UE),
    ),
  };
};

const opposite = (sign: Value): Value => v.xor(sign, c64(0x8000));

/** FYL2X. */
const timesLogarithm = (x: Operand80, y: Operand80, control: Value): Computed => {
  const { significand, exponent } = normalized(x);
  const log = logarithm({ high: significand, low: c64(0), exponent }, undefined);
  const nearby = scaled(y, log, control);
  const isOne = v.and(v.equal(x.exponent, c64(bias)), v.equal(x.significand, c64(topBit)));
  const belowOne = v.lessSigned(exponent, c64(bias));
  const sign = v.select(v.or(belowOne, x.zero), opposite(y.sign), y.sign);
  const byZero = v.and(x.zero, v.not(y.infinity));
  const infinite = { ...infinityWith(sign), flags: raised(byZero, status.ZE) };
  return {
    result: choose(
      v.or(v.or(x.zero, x.infinity), y.infinity),
      infinite,
      choose(v.or(y.zero, isOne), zeroWith(sign), nearby),
    ),
    invalid: v.or(
      v.and(isNonzero(x.sign), v.not(x.zero)),
      v.or(v.and(y.zero, v.or(x.zero, x.infinity)), v.and(y.infinity, isOne)),
    ),
    byZero,
  };
};

/** FYL2XP1. Outside of its range the manual leaves the result open; where 1 + x is not positive it is x, as on AMD's CPUs. */
const timesLogarithmPlusOne = (x: Operand80, y: Operand80, control: Value): Computed => {
  const near = normalized(x);
  const negative = isNonzero(x.sign);
  const one = { high: c64(topBit), low: c64(0) };
  const gap = v.sub(near.exponent, c64(bias));
  const larger = v.lessSigned(c64(0), gap);
  const distance = v.select(larger, gap, v.neg(gap));
  const capped = v.select(v.lessUnsigned(distance, c64(126)), distance, c64(126));
  const given = { high: near.significand, low: c64(0) };
  // Half of the sum, so that it cannot carry.
  const shifted = shiftRightSticky(selectWide(larger, one, given), v.add(capped, c64(1)));
  const kept = shiftWideRight(selectWide(larger, given, one), 1);
  const sum = addOrSubtract(negative, kept, shifted);
  const exponent = v.add(v.select(larger, near.exponent, c64(bias)), c64(1));
  const log = logarithm(normalizeWide({ ...sum, exponent }), near);
  const nearby = scaled(y, { ...log, exact: v.zero }, control);
  const sign = v.xor(x.sign, y.sign);
  const unbounded = v.or(x.infinity, y.infinity);
  const zero = v.or(x.zero, y.zero);
  const tooSmall = v.and(negative, v.not(v.lessSigned(near.exponent, c64(bias))));
  const itself = {
    significand: x.significand,
    high: v.or(x.sign, x.exponent),
    flags: c64(status.PE << 16),
  };
  const finite = choose(zero, zeroWith(sign), choose(tooSmall, itself, nearby));
  return {
    result: choose(unbounded, infinityWith(sign), finite),
    invalid: v.or(v.and(unbounded, zero), v.and(x.infinity, negative)),
  };
};

/** Of x, then y. */
export const float80Logarithm = binary('float80Logarithm', timesLogarithm);
export const float80LogarithmPlusOne = binary('float80LogarithmPlusOne', timesLogarithmPlusOne);

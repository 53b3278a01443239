/**
 * The angle of (x, y) as an IR subroutine (SDM vol. 2, FPATAN): t is the smaller of the two by the larger, atan(t) is
 * atan(i/16) + atan(u) with u = (t - i/16) / (1 + t i/16): a table for i, a series for u.
 */
import * as v from '../ir/build.ts';
import type { Value } from '../ir/value.ts';
import {
  addOrSubtract,
  addWide,
  divideByWord,
  divideWide,
  lookUp,
  polynomial,
  product,
  selectWide,
  shiftWideLeft,
  shiftWideRight,
  subtractWide,
  timesWord,
  type Wide,
} from './fixed128.ts';
import {
  any,
  c64,
  choose,
  isNonzero,
  normalized,
  type Operand80,
  topBit,
  wide,
} from './float80.ts';
import { binary, type Computed, zeroWith } from './float80-arithmetic.ts';
import {
  normalizeWide,
  registerFormat,
  round,
  type Scaled,
  shiftRightSticky,
} from './float80-round.ts';
import { arctangents, pi } from './float80-tables.ts';

const bias = 0x3fff;

/** (1 - atan(u)/u) / u² of u², whose powers alternate, times 2^128. */
const series: readonly bigint[] = Array.from(
  { length: 9 },
  (_, k) => (1n << 128n) / BigInt(2 * k + 3),
);

interface Ratio {
  /** n and d with their top bits set, where t = n/d × 2^-distance ≤ 1. */
  readonly n: Value;
  readonly d: Value;
  readonly distance: Value;
}

/** u for i > 0: (16 n - i d) / (16 d + i n), n being aligned to d. */
const reducedRatio = ({ n, d, distance }: Ratio, index: Value): Wide => {
  const near = v.and(distance, c64(7));
  const zero = c64(0);
  const up = (x: Value): Wide => shiftWideLeft({ high: zero, low: x }, near);
  const sixteen = (x: Wide): Wide => shiftWideLeft(x, c64(4));
  const scaledD = up(d);
  const multipleOfD = shiftWideLeft(product(d, index), near);
  const numerator = subtractWide(sixteen({ high: zero, low: n }), multipleOfD);
  const denominator = addWide(sixteen(scaledD), product(n, index));
  const zeros = v.countLeadingZeros(denominator.high);
  const count = v.and(zeros, c64(63));
  const whole = shiftWideLeft(denominator, count);
  const divisor = { high: v.or(whole.high, c64(topBit)), low: whole.low };
  return divideWide(shiftWideLeft(numerator, count), divisor);
};

/** atan(t), t not 0. */
const arctangent = (ratio: Ratio): Scaled => {
  const { n, d, distance } = ratio;
  const far = v.lessUnsigned(c64(4), distance);
  const small = v.and(distance, c64(63));
  const sixteenths = v.divUnsigned(
    v.shiftLeft(v.shiftRight(v.shiftRight(n, small), 32), 4),
    v.add(v.shiftRight(d, 32), c64(1)),
  );
  const index = v.select(far, c64(0), v.and(sixteenths, c64(15)));
  const isSmall = v.isZero(index);

  const less = v.lessUnsigned(n, d);
  const plain = divideByWord(
    {
      high: v.select(less, n, v.shiftRight(n, 1)),
      low: v.select(less, c64(0), v.shiftLeft(n, 63)),
    },
    d,
  );
  const down = v.sub(distance, wide(v.not(less))); // t is `plain` × 2^-down
  const u = selectWide(isSmall, plain, reducedRatio(ratio, index));

  // u < 2^-3.9, times 2^67.
  const shift = v.sub(down, c64(3));
  const fixed = v.select(
    isSmall,
    v.select(v.lessSigned(c64(63), shift), c64(0), v.shiftRight(u.high, v.and(shift, c64(63)))),
    v.or(v.shiftLeft(u.high, 3), v.shiftRight(u.low, 61)),
  );
  const square = v.mulHighUnsigned(fixed, fixed); // times 2^70
  const cubicPart = v.mulHighUnsigned(square, polynomial(square, 6, series, v.one).high);
  const cubic = shiftWideRight(timesWord(u, cubicPart), 6);
  const angle = subtractWide(u, { ...cubic, low: v.or(cubic.low, c64(1)) });
  return {
    ...selectWide(isSmall, angle, addWide(lookUp(index, arctangents), angle)),
    exponent: v.select(isSmall, v.sub(c64(bias - 1), down), c64(bias - 1)),
  };
};

/** In the first octant: |x| ≥ |y| as they are, or changed for each other. */
const ratioOf = (x: Operand80, y: Operand80): { ratio: Ratio; swapped: Value } => {
  const a = normalized(x);
  const b = normalized(y);
  const swapped = v.or(
    v.lessSigned(a.exponent, b.exponent),
    v.and(v.equal(a.exponent, b.exponent), v.lessUnsigned(a.significand, b.significand)),
  );
  const difference = v.sub(a.exponent, b.exponent);
  return {
    swapped,
    ratio: {
      n: v.select(swapped, a.significand, b.significand),
      d: v.or(v.select(swapped, b.significand, a.significand), c64(topBit)),
      distance: v.select(swapped, v.neg(difference), difference),
    },
  };
};

/** Multiples of π/4 as the place of the angle's base, times 2^126. */
const bases: readonly bigint[] = [0n, pi / 4n, pi / 2n, (3n * pi) / 4n, pi];

const computed = (x: Operand80, y: Operand80, control: Value): Computed => {
  const { ratio, swapped } = ratioOf(x, y);
  const left = isNonzero(x.sign);
  const angle = arctangent(ratio);
  const bothInfinite = v.and(x.infinity, y.infinity);
  const steep = v.or(v.and(swapped, v.not(x.infinity)), v.or(y.infinity, x.zero));
  const isFlat = any(x.infinity, y.infinity, x.zero, y.zero); // the base alone
  const flatY = v.or(y.zero, v.and(x.infinity, v.not(y.infinity)));
  const eighths = v.select(
    bothInfinite,
    v.select(left, c64(3), c64(1)),
    v.select(v.and(steep, v.not(flatY)), c64(2), v.select(left, c64(4), c64(0))),
  );
  const base = lookUp(eighths, bases);
  const down = v.sub(c64(bias + 1), angle.exponent);
  const capped = v.select(v.lessSigned(down, c64(127)), down, c64(127));
  const turned = shiftRightSticky(angle, capped);
  const subtract = v.notEqual(v.resize(left, 64), wide(v.equal(eighths, c64(2))));
  const sum = selectWide(isFlat, base, addOrSubtract(subtract, base, turned));
  const alone = v.and(v.isZero(eighths), v.not(isFlat));
  const whole = normalizeWide({
    ...selectWide(alone, angle, sum),
    exponent: v.select(alone, angle.exponent, c64(bias + 1)),
  });
  const negative = isNonzero(y.sign);
  const rounded = round(
    { ...whole, low: v.or(whole.low, c64(1)), negative },
    control,
    registerFormat(c64(0)),
  );
  const nearby = { ...rounded, high: v.or(y.sign, rounded.exponent) };
  const isZero = v.and(flatY, v.not(left));
  return { result: choose(isZero, zeroWith(y.sign), nearby), invalid: v.zero };
};

/** Of x, then y. */
export const float80Arctangent = binary('float80Arctangent', computed);

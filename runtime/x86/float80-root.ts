/** The x87 square root as an IR subroutine (SDM vol. 2, FSQRT): Newton's method on integers, then the exact remainder. */
import * as v from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import { product, subtractWide, type Wide } from './fixed128.ts';
import {
  c64,
  choose,
  isNegative,
  isNonzero,
  normalized,
  packed,
  topBit,
  unpack,
  wide,
  withOperandChecks,
} from './float80.ts';
import { precisionShift, registerFormat, round } from './float80-round.ts';

/**
 * 1/√x times 2^30, never above it and at most 2^-27 below, for x in [1/4, 1) given times 2^32.
 * A parabola is right to 1/41, and each y := y (3 - x y²) / 2 doubles the bits that are.
 */
const reciprocalRoot = (x: Value): Value => {
  const coarse = v.shiftRight(x, 16);
  const slope = v.sub(c64(PARABOLA[1]), v.shiftRight(v.mul(coarse, c64(PARABOLA[2])), 16));
  let y = v.sub(c64(PARABOLA[0]), v.shiftRight(v.mul(coarse, slope), 16));
  for (let step = 0; step < 3; step++) {
    const square = v.shiftRight(v.mul(y, y), 30);
    const error = v.shiftRight(v.mul(x, square), 32);
    y = v.shiftRight(v.mul(y, v.sub(c64(3n << 30n), error)), 31);
  }
  return v.sub(y, c64(4));
};

/** Least maximal error of p0 - x (p1 - x p2) against 1/√x on [1/4, 1], times 2^30. */
const PARABOLA = [2_867_797_765n, 3_527_653_239n, 1_759_416_985n] as const;

/** ⌊√n⌋ and n - ⌊√n⌋² for n in [2^126, 2^128). The root is approached from below. */
const integerRoot = (n: Wide): { root: Value; remainder: Wide } => {
  const x = v.shiftRight(n.high, 32);
  const y = reciprocalRoot(x);
  const first = v.shiftLeft(v.mul(x, y), 2); // within 2^37 of the root
  const missing = v.shiftRight(subtractWide(n, product(first, first)).high, 8);
  const second = v.add(first, v.shiftRight(v.mul(missing, y), 23)); // within 2^10
  const rest = subtractWide(n, product(second, second));
  const middle = v.or(v.shiftLeft(rest.high, 16), v.shiftRight(rest.low, 48));
  let root = v.add(second, v.shiftRight(v.mul(middle, y), 47)); // within 1
  let remainder = subtractWide(n, product(root, root));
  for (let step = 0; step < 1; step++) {
    const next = subtractWide(remainder, {
      high: v.shiftRight(root, 63),
      low: v.or(v.shiftLeft(root, 1), c64(1)),
    });
    const tooFar = isNegative(next.high);
    root = v.add(root, wide(v.not(tooFar)));
    remainder = {
      high: v.select(tooFar, remainder.high, next.high),
      low: v.select(tooFar, remainder.low, next.low),
    };
  }
  return { root, remainder };
};

export const float80SquareRoot: Subroutine = {
  name: 'float80SquareRoot',
  parameters: [128, 32],
  result: 128,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const a = unpack(input);
    const x = normalized(a);
    const odd = v.not(v.bit(x.exponent, 0)); // the bias is odd
    const { root, remainder } = integerRoot({
      high: v.select(odd, x.significand, v.shiftRight(x.significand, 1)),
      low: v.select(odd, c64(0), v.shiftLeft(x.significand, 63)),
    });
    // The root is no tie: (r + 1/2)² is no integer.
    const aboveHalf = v.or(isNonzero(remainder.high), v.lessUnsigned(root, remainder.low));
    const fraction = v.select(aboveHalf, c64(3n << 62n), c64(topBit >> 1n));
    const result = round(
      {
        negative: v.zero,
        high: root,
        low: v.select(v.isZero(v.or(remainder.high, remainder.low)), c64(0), fraction),
        exponent: v.shiftRight(v.add(x.exponent, c64(0x3fff)), 1),
      },
      control,
      registerFormat(precisionShift(control)),
    );
    const itself = { significand: a.significand, high: v.and(a.high, c64(0xffff)), flags: c64(0) };
    const nearby = { ...result, high: result.exponent };
    const negative = v.and(isNonzero(a.sign), v.not(a.zero));
    return packed(
      withOperandChecks(choose(v.or(a.zero, a.infinity), itself, nearby), [a], negative, control),
    );
  },
};

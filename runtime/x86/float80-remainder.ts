/** x87 partial remainders as IR subroutines (SDM vol. 2, FPREM, FPREM1). */
import * as v from '../ir/build.ts';
import type { Value } from '../ir/value.ts';
import {
  all,
  any,
  c64,
  choose,
  isNegative,
  isNonzero,
  normalized,
  type Operand80,
  raised,
  status,
  topBit,
  wide,
} from './float80.ts';
import { binary, type Computed, zeroWith } from './float80-arithmetic.ts';
import { registerFormat, round } from './float80-round.ts';

interface Division {
  readonly quotient: Value;
  readonly remainder: Value;
  /** The remainder is that much less than the divisor's scale, and of the other sign. */
  readonly flipped: Value;
}

/** The quotient to nearest, even where it ties: the remainder may be that to the next multiple. */
const toNearest = (quotient: Value, remainder: Value, divisor: Value): Division => {
  const complement = v.sub(divisor, remainder);
  const tie = v.and(v.equal(remainder, complement), v.bit(quotient, 0));
  const flipped = v.or(v.lessUnsigned(complement, remainder), tie);
  return {
    quotient: v.add(quotient, wide(flipped)),
    remainder: v.select(flipped, complement, remainder),
    flipped,
  };
};

/** Exponents that differ by 64 or more are brought nearer by 32 to 63, with C2 set. */
const partial =
  (nearest: boolean) =>
  (a: Operand80, b: Operand80, control: Value): Computed => {
    const x = normalized(a);
    const y = normalized(b);
    const distance = v.sub(x.exponent, y.exponent);
    const incomplete = v.lessSigned(c64(63), distance);
    const some = v.or(v.and(distance, c64(31)), c64(32));
    const count = v.select(incomplete, some, v.and(distance, c64(63)));
    const divisor = v.select(b.zero, c64(topBit), y.significand);
    const high = v.shiftRight(v.shiftRight(x.significand, 1), v.sub(c64(63), count));
    const low = v.shiftLeft(x.significand, count);
    const quotient = v.divWideUnsigned(high, low, divisor);
    const remainder = v.sub(low, v.mul(quotient, divisor));
    const far = { quotient, remainder, flipped: v.zero };
    const division = nearest
      ? chooseDivision(incomplete, far, toNearest(quotient, remainder, divisor))
      : far;

    // Half the divisor or less: the remainder is the dividend, or its distance to the divisor.
    const smaller = isNegative(distance);
    const half = v.equal(distance, c64(-1));
    const beyond = nearest
      ? all(half, v.lessUnsigned(divisor, x.significand), v.not(b.infinity))
      : v.zero;
    const small = {
      quotient: wide(beyond),
      remainder: v.select(beyond, v.sub(v.shiftLeft(divisor, 1), x.significand), x.significand),
      flipped: beyond,
    };
    const chosen = chooseDivision(smaller, small, division);
    const scale = v.select(smaller, x.exponent, v.sub(x.exponent, count));
    const sign = v.xor(a.sign, v.shiftLeft(wide(chosen.flipped), 15));
    const zeros = v.countLeadingZeros(chosen.remainder);
    const rounded = round(
      {
        negative: isNonzero(sign),
        high: v.shiftLeft(chosen.remainder, v.and(zeros, c64(63))),
        low: c64(0),
        exponent: v.sub(scale, zeros),
      },
      control,
      registerFormat(c64(0)),
    );
    const nearby = { ...rounded, high: v.or(sign, rounded.exponent) };
    const exact = choose(v.isZero(chosen.remainder), zeroWith(a.sign), nearby);
    const flags = v.select(incomplete, c64(status.C2 << 16), quotientBits(chosen.quotient));
    const itself = { significand: a.significand, high: v.or(a.sign, a.exponent), flags: c64(0) };
    return {
      result: choose(a.zero, itself, {
        ...exact,
        flags: v.or(exact.flags, flags),
      }),
      invalid: v.or(b.zero, a.infinity),
    };
  };

const chooseDivision = (condition: Value, a: Division, b: Division): Division => ({
  quotient: v.select(condition, a.quotient, b.quotient),
  remainder: v.select(condition, a.remainder, b.remainder),
  flipped: v.select(condition, a.flipped, b.flipped),
});

/** Bits 0, 1 and 2 of the quotient in C1, C3 and C0. */
const quotientBits = (quotient: Value): Value =>
  any(
    raised(v.bit(quotient, 0), status.C1),
    raised(v.bit(quotient, 1), status.C3),
    raised(v.bit(quotient, 2), status.C0),
  );

export const float80PartialRemainder = binary('float80PartialRemainder', partial(false));
export const float80PartialRemainderNearest = binary(
  'float80PartialRemainderNearest',
  partial(true),
);

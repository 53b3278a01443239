/** Rounding of x87 results: precision and rounding control, overflow and underflow (SDM vol. 1, 4.8.4, 4.9.1, 8.1.5). */
import * as v from '../ir/build.ts';
import type { Value } from '../ir/value.ts';
import { shiftWideLeft, type Wide } from './fixed128.ts';
import { all, any, c64, isNonzero, raised, status, topBit, wide, without } from './float80.ts';

/** (high : low) shifted right by up to 127; of the lower half only the top bit and whether the rest is 0 are exact. */
export const shiftRightSticky = ({ high, low }: Wide, count: Value): Wide => {
  const small = v.and(count, c64(63));
  const kept = v.shiftRight(high, small);
  const out = v.shiftLeft(v.shiftLeft(high, 1), v.sub(c64(63), small));
  const far = v.lessUnsigned(c64(63), count);
  const lost = wide(isNonzero(low));
  const sticky = v.select(v.isZero(count), c64(0), lost);
  return {
    high: v.select(far, c64(0), kept),
    low: v.select(
      far,
      v.or(kept, wide(isNonzero(v.or(out, low)))),
      any(out, v.shiftRight(low, small), sticky),
    ),
  };
};

/** Which way rounding control goes for a sign. */
export interface Direction {
  readonly nearest: Value;
  readonly away: Value;
}

export const directionOf = (control: Value, negative: Value): Direction => {
  const rounding = v.and(v.shiftRight(control, 10), v.constant(32, 3));
  const awayCode = v.select(negative, v.constant(32, 1), v.constant(32, 2));
  return { nearest: v.isZero(rounding), away: v.equal(rounding, awayCode) };
};

const never = c64(v.mask(64));

/** Whether (kept . fraction) rounds up. */
export const roundsUp = ({ nearest, away }: Direction, kept: Value, fraction: Value): Value => {
  const tie = v.sub(c64(topBit), v.and(kept, c64(1)));
  const above = v.select(nearest, tie, v.select(away, c64(0), never));
  return v.lessUnsigned(above, fraction);
};

/** Bits of the significand that precision control drops: 40, 11 or 0. */
export const precisionShift = (control: Value): Value => {
  const field = v.and(v.shiftRight(control, 5), v.constant(32, 24)); // precision control, times 8
  return v.resize(v.and(v.shiftRight(v.constant(32, 0x000b0028), field), v.constant(32, 63)), 64);
};

/** What a result is rounded to: the register format or that of a memory operand. */
export interface Format {
  /** Bits of the significand below its last one. */
  readonly shift: Value;
  readonly maxExponent: number;
  /** Added to the exponent by an unmasked underflow, taken off by an overflow (SDM vol. 1, 8.5.4). */
  readonly wrap: number;
}

export const registerFormat = (shift: Value): Format => ({
  shift,
  maxExponent: 0x7ffe,
  wrap: 0x6000,
});

/** 128 bits of significand and the biased exponent that goes with the top one. */
export interface Scaled extends Wide {
  readonly exponent: Value;
}

/** Left until the top bit is set; by 64 more where only the lower half is left. Of zero anything. */
export const normalizeWide = (x: Scaled): Scaled => {
  const empty = v.isZero(x.high);
  const high = v.select(empty, x.low, x.high);
  const low = v.select(empty, c64(0), x.low);
  const zeros = v.countLeadingZeros(high);
  return {
    ...shiftWideLeft({ high, low }, v.and(zeros, c64(63))),
    exponent: v.sub(v.sub(x.exponent, zeros), v.select(empty, c64(64), c64(0))),
  };
};

/** high has its top bit set; of low the top bit and whether the rest is 0 matter. */
export interface Unrounded extends Scaled {
  readonly negative: Value;
}

export interface Rounded {
  readonly significand: Value;
  readonly exponent: Value;
  readonly flags: Value;
}

export const round = (x: Unrounded, control: Value, format: Format): Rounded => {
  const { shift } = format;
  const direction = directionOf(control, x.negative);
  const underflowMasked = v.bit(control, 4);
  const denormalize = v.and(v.lessSigned(x.exponent, c64(1)), underflowMasked);
  const missing = v.sub(c64(1), x.exponent);
  const capped = v.select(v.lessUnsigned(missing, c64(66)), missing, c64(66));
  const count = v.add(v.select(denormalize, capped, c64(0)), shift);
  const { high: kept, low: fraction } = shiftRightSticky(x, count);
  const up = roundsUp(direction, kept, fraction);
  const aligned = v.shiftLeft(v.add(kept, wide(up)), shift);
  const carry = without(v.isZero(aligned), denormalize);
  const significand = v.select(carry, c64(topBit), aligned);
  const exponent = v.select(
    denormalize,
    v.shiftRight(significand, 63),
    v.add(x.exponent, wide(carry)),
  );
  const inexact = isNonzero(fraction);
  const dropped = v.sub(v.shiftLeft(c64(1), shift), c64(1));
  const tiny = without(denormalize, roundsToNormal(x, direction, dropped, fraction));
  const wraps = without(v.lessSigned(exponent, c64(1)), underflowMasked);
  const underflow = v.or(v.and(tiny, inexact), wraps);
  return withOverflow(
    { significand, exponent, up, inexact, underflow, wraps },
    { control, direction, dropped, format },
  );
};

/** A result just below the normal range that would be 1.0 × 2^min with an unbounded exponent is not tiny. */
const roundsToNormal = (
  x: Unrounded,
  { nearest, away }: Direction,
  dropped: Value,
  fraction: Value,
): Value => {
  const above = v.select(nearest, c64((3n << 62n) - 1n), v.select(away, c64(topBit), never));
  return all(
    v.isZero(x.exponent),
    v.equal(v.or(x.high, dropped), never),
    v.lessUnsigned(above, fraction),
  );
};

interface InRange {
  readonly significand: Value;
  readonly exponent: Value;
  readonly up: Value;
  readonly inexact: Value;
  readonly underflow: Value;
  readonly wraps: Value;
}

const withOverflow = (
  r: InRange,
  {
    control,
    direction,
    dropped,
    format,
  }: { control: Value; direction: Direction; dropped: Value; format: Format },
): Rounded => {
  const overflow = v.lessSigned(c64(format.maxExponent), r.exponent);
  const saturates = v.and(overflow, v.bit(control, 3));
  const infinite = v.or(direction.nearest, direction.away);
  const exponent = v.select(
    r.wraps,
    v.add(r.exponent, c64(format.wrap)),
    v.select(overflow, v.sub(r.exponent, c64(format.wrap)), r.exponent),
  );
  const limit = v.add(c64(format.maxExponent), wide(infinite));
  const largest = v.select(infinite, c64(topBit), v.not(dropped));
  const up = v.select(saturates, infinite, r.up);
  const inexact = v.select(up, c64((status.PE | status.C1) << 16), c64(status.PE << 16));
  return {
    significand: v.select(saturates, largest, r.significand),
    exponent: v.select(saturates, limit, exponent),
    flags: any(
      v.select(v.or(r.inexact, saturates), inexact, c64(0)),
      raised(r.underflow, status.UE),
      raised(overflow, status.OE),
    ),
  };
};

/** Fixed-point arithmetic of 128 bits in IR, for x87 functions that need more bits than they give: pairs of 64-bit words. */
import * as v from '../ir/build.ts';
import type { Value } from '../ir/value.ts';

export interface Wide {
  readonly high: Value;
  readonly low: Value;
}

const c64 = (value: bigint | number): Value => v.constant(64, value);
const one = (condition: Value): Value => v.resize(condition, 64);

/** Of 128 bits. */
export const wideConstant = (value: bigint): Wide => ({
  high: c64(value >> 64n),
  low: c64(value & v.mask(64)),
});

export const addWide = (a: Wide, b: Wide): Wide => {
  const low = v.add(a.low, b.low);
  return { high: v.add(v.add(a.high, b.high), one(v.lessUnsigned(low, a.low))), low };
};

export const subtractWide = (a: Wide, b: Wide): Wide => ({
  high: v.sub(v.sub(a.high, b.high), one(v.lessUnsigned(a.low, b.low))),
  low: v.sub(a.low, b.low),
});

export const selectWide = (condition: Value, a: Wide, b: Wide): Wide => ({
  high: v.select(condition, a.high, b.high),
  low: v.select(condition, a.low, b.low),
});

/** a - b where the condition holds, else a + b. */
export const addOrSubtract = (subtract: Value, a: Wide, b: Wide): Wide =>
  selectWide(subtract, subtractWide(a, b), addWide(a, b));

/** All 128 bits. */
export const product = (a: Value, b: Value): Wide => ({
  high: v.mulHighUnsigned(a, b),
  low: v.mul(a, b),
});

/** The upper 128 of 192 bits. */
export const timesWord = (a: Wide, b: Value): Wide =>
  addWide(product(a.high, b), { high: c64(0), low: v.mulHighUnsigned(a.low, b) });

/** The upper 128 of 256 bits, at most three too small. */
export const timesWide = (a: Wide, b: Wide): Wide =>
  addWide(timesWord(a, b.high), { high: c64(0), low: v.mulHighUnsigned(a.high, b.low) });

export const shiftWideRight = (a: Wide, count: number): Wide => ({
  high: v.shiftRight(a.high, count),
  low: v.or(v.shiftLeft(a.high, 64 - count), v.shiftRight(a.low, count)),
});

/** By 0 to 63. */
export const shiftWideLeft = (a: Wide, count: Value): Wide => ({
  high: v.or(
    v.shiftLeft(a.high, count),
    v.shiftRight(v.shiftRight(a.low, 1), v.sub(c64(63), count)),
  ),
  low: v.shiftLeft(a.low, count),
});

/** 128 bits of a / (b × 2^64), for a < b × 2^64 and b with its top bit set. */
export const divideByWord = (a: Wide, b: Value): Wide => {
  const high = v.divWideUnsigned(a.high, a.low, b);
  const rest = v.sub(a.low, v.mul(high, b));
  return { high, low: v.divWideUnsigned(rest, c64(0), b) };
};

/** The same of a / b, for a.high < b.high and b with its top bit set; right to 2^-66 of itself, and to 8 of its last units. */
export const divideWide = (a: Wide, b: Wide): Wide => {
  const quotient = divideByWord(a, b.high);
  // b.low takes away quotient × b.low / b.high, for which 1 / b.high is about 2.911 - 2 b.high.
  const share = v.mulHighUnsigned(quotient.high, b.low);
  const quarter = v.sub(c64(0xba4e_0000_0000_0000n), v.shiftRight(b.high, 1));
  const correction = { high: c64(0), low: v.mulHighUnsigned(share, quarter) };
  return subtractWide(quotient, shiftWideLeft(correction, c64(2)));
};

/** The entry that a number less than their count chooses. */
export const lookUp = (index: Value, entries: readonly bigint[]): Wide => {
  const choose = (word: (entry: bigint) => bigint): Value => {
    let level = entries.map((entry) => c64(word(entry)));
    for (let bit = 0; level.length > 1; bit++) {
      const chosen = v.bit(index, bit);
      level = level
        .filter((_, i) => i % 2 === 0)
        .map((even, i) => {
          const odd = level[2 * i + 1];
          return odd === undefined ? even : v.select(chosen, odd, even);
        });
    }
    return level[0] ?? c64(0);
  };
  return { high: choose((entry) => entry >> 64n), low: choose((entry) => entry & v.mask(64)) };
};

/**
 * c₀ + x c₁ + x² c₂ … for x in [0, 2^-drop), given times 2^(64+drop); the coefficients are less than 1 and given times
 * 2^128. `alternate`: x is negative. All terms but the first two are computed with 64 bits, of which x takes away the
 * error; each sum must be positive.
 */
export const polynomial = (
  x: Value,
  drop: number,
  coefficients: readonly bigint[],
  alternate: Value,
): Wide => {
  const [first = 0n, ...rest] = coefficients;
  const words = rest.map((coefficient) => c64(coefficient >> 64n));
  let sum = words.at(-1) ?? c64(0);
  for (const word of words.slice(0, -1).reverse()) {
    const term = v.shiftRight(v.mulHighUnsigned(sum, x), drop);
    sum = v.select(alternate, v.sub(word, term), v.add(word, term));
  }
  const term = drop === 0 ? product(sum, x) : shiftWideRight(product(sum, x), drop);
  return addOrSubtract(alternate, wideConstant(first), term);
};

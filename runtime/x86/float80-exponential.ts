/** 2^x - 1 as an IR subroutine (SDM vol. 2, F2XM1): |x| = i/16 + r, a table for i and a series for r. */
import * as v from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import {
  addWide,
  lookUp,
  polynomial,
  selectWide,
  shiftWideLeft,
  shiftWideRight,
  subtractWide,
  timesWide,
  timesWord,
  wideConstant,
} from './fixed128.ts';
import {
  c64,
  choose,
  isNonzero,
  normalized,
  type Operand80,
  packed,
  type Result80,
  raised,
  status,
  unpack,
  withOperandChecks,
} from './float80.ts';
import { normalizeWide, registerFormat, round, type Scaled } from './float80-round.ts';
import { naturalLogOf2, powersOfTwo } from './float80-tables.ts';

const bias = 0x3fff;
/** Exponent of 1/32, from which on the bits of x below 1/16 are all in its significand shifted left. */
const fine = bias - 5;

/** (2^x - 1) / x: (ln 2)^(k+1) / (k+1)!, times 2^128. */
const powersOfLogarithm = (count: number): readonly bigint[] => {
  const terms = [naturalLogOf2];
  for (let k = 1; k < count; k++)
    terms.push(((terms[k - 1] ?? 0n) * naturalLogOf2) / (BigInt(k + 1) << 128n));
  return terms;
};
const series = powersOfLogarithm(12);

/** Of 0 < |x| < 1: |2^x - 1|. */
const magnitude = (x: { significand: Value; exponent: Value }, negative: Value): Scaled => {
  const above = v.sub(x.exponent, c64(fine));
  const below = v.neg(above);
  const near = v.lessSigned(above, c64(0));
  const shifted = v.select(
    v.lessSigned(c64(63), below),
    c64(0),
    v.shiftRight(x.significand, v.and(below, c64(63))),
  );
  const left = v.shiftLeft(x.significand, v.and(above, c64(63)));
  const rest = v.select(near, shifted, left); // |x| - i/16, times 2^68
  const sixteenths = v.shiftRight(x.significand, v.and(v.sub(c64(bias + 59), x.exponent), c64(63)));
  const index = v.select(v.lessSigned(x.exponent, c64(bias - 4)), c64(0), sixteenths);
  const slope = polynomial(rest, 4, series, negative);

  // 2^-i/16 or, halved, 2^i/16; then 1 - p (1 - r g) = (1 - p) + p r g, or p (1 + r g) - 1 = (p - 1) + p r g.
  const power = lookUp(
    v.and(v.select(negative, v.sub(index, c64(1)), v.sub(c64(15), index)), c64(15)),
    powersOfTwo,
  );
  const step = timesWide(power, shiftWideRight(timesWord(slope, rest), 4));
  const fromTable = selectWide(
    negative,
    addWide(subtractWide(wideConstant(0n), power), step),
    shiftWideLeft(addWide(power, step), c64(1)),
  );
  const isSmall = v.isZero(index);
  return {
    ...selectWide(isSmall, timesWord(slope, x.significand), fromTable),
    exponent: v.select(isSmall, x.exponent, c64(bias - 1)),
  };
};

const result = (a: Operand80, control: Value): Result80 => {
  const negative = isNonzero(a.sign);
  const { high, low, exponent } = normalizeWide(magnitude(normalized(a), negative));
  const rounded = round(
    { negative, high, low: v.or(low, c64(1)), exponent },
    control,
    registerFormat(c64(0)),
  );
  const inexact = raised(v.not(v.or(a.zero, a.infinity)), status.PE);
  const itself = { significand: a.significand, high: v.or(a.sign, a.exponent), flags: inexact };
  const outside = v.or(a.zero, v.lessUnsigned(c64(bias - 1), a.exponent));
  const isMinusOne = v.and(negative, v.equal(a.exponent, c64(bias)));
  const minusHalf = { ...itself, high: c64(0x8000 | (bias - 1)) };
  const nearby = { ...rounded, high: v.or(a.sign, rounded.exponent) };
  const isOne = v.and(isMinusOne, v.equal(a.significand, c64(1n << 63n)));
  const minusInfinity = v.and(a.infinity, negative);
  const minusOne = { ...itself, significand: c64(1n << 63n), high: c64(0x8000 | bias) };
  return choose(minusInfinity, minusOne, choose(isOne, minusHalf, choose(outside, itself, nearby)));
};

/** Beyond ±1 the manual leaves the result open; x itself, as AMD's CPUs give it. */
export const float80Exponential: Subroutine = {
  name: 'float80Exponential',
  parameters: [128, 32],
  result: 128,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const a = unpack(input);
    return packed(withOperandChecks(result(a, control), [a], v.zero, control));
  },
};

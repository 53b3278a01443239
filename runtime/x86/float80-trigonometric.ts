/**
 * Sine, cosine and tangent as IR subroutines (SDM vol. 2, FSIN, FCOS, FPTAN). The argument is reduced by π/2 of 66
 * bits, as x87s do (SDM vol. 1, 8.3.8): x = q π/2 + r with |r| ≤ π/4, and series for r.
 */
import * as v from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import {
  addWide,
  divideWide,
  polynomial,
  product,
  selectWide,
  shiftWideLeft,
  shiftWideRight,
  subtractWide,
  timesWide,
  type Wide,
  wideConstant,
} from './fixed128.ts';
import {
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
} from './float80.ts';
import {
  normalizeWide,
  registerFormat,
  round,
  type Scaled,
  shiftRightSticky,
} from './float80-round.ts';
import { pi } from './float80-tables.ts';

const bias = 0x3fff;

/** π/2 of 66 bits, times 2^65. */
const quarterTurn = pi >> 62n;

/** Coefficients of r², which alternate: (16 × …)^k times 1/(first)!, 1/(first + 2)! …, times 2^128. */
const factorials = (first: number, count: number): readonly bigint[] => {
  const terms: bigint[] = [];
  let factorial = 1n;
  for (let n = 2; terms.length < count; n++) {
    factorial *= BigInt(n);
    if (n >= first && (n - first) % 2 === 0)
      terms.push((1n << BigInt(128 + 3 * terms.length)) / factorial);
  }
  return terms;
};
/** (1 - sin(r)/r) / r² and (1 - cos r) / r². */
const sineSeries = factorials(3, 10);
const cosineSeries = factorials(2, 11);

/** r of an argument in (-2^63, 2^63), and its quarter. */
interface Reduced {
  /** |r|, its top bit set; 128 bits. */
  readonly r: Scaled;
  /** r has the other sign than x. */
  readonly flipped: Value;
  /** |x| as quarters of a turn, modulo 4. */
  readonly quarters: Value;
}

const reduced = (x: { significand: Value; exponent: Value }): Reduced => {
  const count = v.sub(x.exponent, c64(bias - 2)); // x is significand << count, times 2^-65
  const fits = isNegative(count);
  const position = v.and(count, c64(63));
  const all64 = v.equal(count, c64(64));
  const whole = selectWide(
    all64,
    { high: x.significand, low: c64(0) },
    shiftWideLeft({ high: c64(0), low: x.significand }, position),
  );
  const quarter = shiftWideRight(whole, 2);
  const guess = v.divWideUnsigned(quarter.high, quarter.low, c64(quarterTurn >> 2n)); // at most one too large
  const turn = wideConstant(quarterTurn);
  const rest = subtractWide(
    whole,
    addWide(product(guess, c64(quarterTurn & v.mask(64))), {
      high: v.mul(guess, c64(quarterTurn >> 64n)),
      low: c64(0),
    }),
  );
  const below = isNegative(rest.high);
  const positive = selectWide(below, addWide(rest, turn), rest);
  const complement = subtractWide(turn, positive);
  const nearer = isNegative(subtractWide(complement, positive).high);
  const quarters = v.add(v.sub(guess, wide(below)), wide(nearer));
  const far = normalizeWide({
    ...selectWide(nearer, complement, positive),
    exponent: c64(bias + 62),
  });
  return {
    r: {
      ...selectWide(fits, { high: x.significand, low: c64(0) }, far),
      exponent: v.select(fits, x.exponent, far.exponent),
    },
    flipped: v.and(nearer, v.not(fits)),
    quarters: v.select(fits, c64(0), quarters),
  };
};

/** sin |r| and cos |r|, top bits set. */
const sineAndCosine = ({ r }: Reduced): { sine: Scaled; cosine: Scaled } => {
  const down = v.sub(c64(bias - 1), r.exponent);
  const capped = v.select(v.lessUnsigned(down, c64(127)), down, c64(127));
  const fixed = shiftRightSticky(r, capped); // times 2^128
  const square = timesWide(fixed, fixed);
  const series = (coefficients: readonly bigint[]): Wide =>
    timesWide(square, polynomial(square.high, 3, coefficients, v.one));
  const cubic = timesWide(r, series(sineSeries));
  const less = subtractWide(r, { ...cubic, low: v.or(cubic.low, c64(1)) });
  const drop = series(cosineSeries);
  const cosine = subtractWide(wideConstant(0n), { ...drop, low: v.or(drop.low, c64(1)) });
  return {
    sine: normalizeWide({ ...less, exponent: r.exponent }),
    cosine: { ...cosine, exponent: c64(bias - 1) },
  };
};

const zeroWith = (sign: Value): Result80 => ({ significand: c64(0), high: sign, flags: c64(0) });
const one = { significand: c64(topBit), high: c64(bias), flags: c64(0) };

const rounded = (x: Scaled, negative: Value, control: Value): Result80 => {
  const result = round(
    { ...x, low: v.or(x.low, c64(1)), negative },
    control,
    registerFormat(c64(0)),
  );
  const sign = v.shiftLeft(wide(negative), 15);
  return {
    significand: result.significand,
    high: v.or(sign, result.exponent),
    flags: result.flags,
  };
};

/** What is not computed: 0 gives `ofZero`, ∞ is invalid, 2^63 and beyond are left as they are with C2 set. */
const trigonometric = (
  name: string,
  ofZero: (a: Operand80) => Result80,
  compute: (a: Operand80, x: Reduced, control: Value) => Result80,
): Subroutine => ({
  name,
  parameters: [128, 32],
  result: 128,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const a = unpack(input);
    const outside = v.lessUnsigned(c64(bias + 62), a.exponent);
    const itself = {
      significand: a.significand,
      high: v.or(a.sign, a.exponent),
      flags: raised(outside, status.C2),
    };
    const result = compute(a, reduced(normalized(a)), control);
    const value = choose(outside, itself, choose(a.zero, ofZero(a), result));
    return packed(withOperandChecks(value, [a], a.infinity, control));
  },
});

const chooseScaled = (condition: Value, a: Scaled, b: Scaled): Scaled => ({
  ...selectWide(condition, a, b),
  exponent: v.select(condition, a.exponent, b.exponent),
});

/** Sine of x and of x + π/2. */
const sineFrom =
  (turned: 0 | 1) =>
  (a: Operand80, x: Reduced, control: Value): Result80 => {
    const { sine, cosine } = sineAndCosine(x);
    const quarters = v.add(x.quarters, c64(turned));
    const odd = v.bit(quarters, 0);
    // With x negative, q and r are those of -x.
    const signOfX = isNonzero(a.sign);
    const ofSine = v.xor(v.bit(x.quarters, 1), v.xor(x.flipped, turned === 0 ? signOfX : v.zero));
    const ofCosine = v.xor(v.bit(quarters, 1), turned === 0 ? signOfX : v.zero);
    const sineSign = turned === 0 ? ofSine : v.xor(v.bit(quarters, 1), x.flipped);
    const negative = v.select(odd, ofCosine, sineSign);
    return rounded(chooseScaled(odd, cosine, sine), negative, control);
  };

/** a / b, both with their top bits set; the quotient's top bit is set, too. */
const divided = (a: Scaled, b: Scaled): Scaled =>
  normalizeWide({
    ...divideWide(shiftWideRight(a, 1), b),
    exponent: v.add(v.sub(a.exponent, b.exponent), c64(bias)),
  });

const tangent = (a: Operand80, x: Reduced, control: Value): Result80 => {
  const { sine, cosine } = sineAndCosine(x);
  const odd = v.bit(x.quarters, 0);
  const quotient = divided(chooseScaled(odd, cosine, sine), chooseScaled(odd, sine, cosine));
  const negative = v.xor(v.xor(isNonzero(a.sign), x.flipped), odd);
  return rounded(quotient, negative, control);
};

export const float80Sine = trigonometric('float80Sine', (a) => zeroWith(a.sign), sineFrom(0));
export const float80Cosine = trigonometric('float80Cosine', () => one, sineFrom(1));
export const float80Tangent = trigonometric('float80Tangent', (a) => zeroWith(a.sign), tangent);

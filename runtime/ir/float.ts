/**
 * IEEE 754 in BigInt, for any binary format: exact arithmetic on finite values, then one rounding, with the exception
 * flags of x86 (SDM vol. 1, 4.8 and 4.9). NaNs and the rules of SSE or x87 for them belong to the caller.
 */

/** Bits of the significand with its integer bit, and of the exponent. */
export interface Format {
  readonly precision: number;
  readonly exponentBits: number;
}

export const binary32: Format = { precision: 24, exponentBits: 8 };
export const binary64: Format = { precision: 53, exponentBits: 11 };
/** x87's double extended format; its integer bit is explicit in memory. */
export const extended80: Format = { precision: 64, exponentBits: 15 };

/** Exception flags, in the same bits of MXCSR and of the x87 status word. */
export const exceptions = {
  invalid: 1,
  denormal: 2,
  divideByZero: 4,
  overflow: 8,
  underflow: 16,
  precision: 32,
} as const;

export type Rounding = 'nearest' | 'down' | 'up' | 'zero';
/** By the RC field of MXCSR and of the x87 control word. */
export const roundings = ['nearest', 'down', 'up', 'zero'] as const satisfies readonly Rounding[];

/** ± significand × 2^exponent; `sticky` says that the true magnitude is a little more than that. */
export interface Finite {
  readonly sign: boolean;
  readonly significand: bigint;
  readonly exponent: number;
  readonly sticky?: boolean;
}

export interface RoundingControl {
  readonly rounding: Rounding;
  /** Tiny results become zero. */
  readonly flushToZero?: boolean;
  /** Flags whose exception is not masked; they change when overflow and underflow are said to happen. */
  readonly unmasked?: number;
}

export interface Rounded extends Finite {
  readonly infinite: boolean;
  readonly flags: number;
  /** The magnitude grew: C1 of the x87. */
  readonly roundedUp: boolean;
}

export const bitLength = (value: bigint): number =>
  value === 0n ? 0 : value.toString(16).length * 4 - Math.clz32(topDigit(value)) + 28;
const topDigit = (value: bigint): number => Number.parseInt(value.toString(16).charAt(0), 16);

export const bias = ({ exponentBits }: Format): number => 2 ** (exponentBits - 1) - 1;
/** Exponent of the lowest bit of a subnormal value. */
const leastExponent = (format: Format): number => 2 - bias(format) - format.precision;

interface Cut {
  readonly significand: bigint;
  readonly exponent: number;
  readonly inexact: boolean;
  readonly roundedUp: boolean;
}

/** Rounds to a multiple of 2^exponent. */
export function roundAt(value: Finite, exponent: number, rounding: Rounding): Cut {
  const { sign, significand, sticky = false } = value;
  const drop = exponent - value.exponent;
  if (drop <= 0) {
    if (sticky) throw new TypeError('a value with too few bits to be rounded was cut before');
    const exact = significand << BigInt(-drop);
    return { significand: exact, exponent, inexact: false, roundedUp: false };
  }
  const kept = significand >> BigInt(drop);
  const rest = significand - (kept << BigInt(drop));
  const half = 1n << BigInt(drop - 1);
  const inexact = rest !== 0n || sticky;
  const above = rest > half || (rest === half && (sticky || (kept & 1n) === 1n));
  const away = { nearest: above, down: sign, up: !sign, zero: false }[rounding];
  const roundedUp = inexact && away;
  return { significand: roundedUp ? kept + 1n : kept, exponent, inexact, roundedUp };
}

/** The one rounding of an operation's exact result. Tininess is detected after rounding, as x86 does. */
export function round(format: Format, value: Finite, control: RoundingControl): Rounded {
  const { sign, significand } = value;
  const { rounding, flushToZero = false, unmasked = 0 } = control;
  const exact = { sign, infinite: false, flags: 0, roundedUp: false };
  if (significand === 0n) return { ...exact, significand, exponent: 0 };

  const normal = value.exponent + bitLength(significand) - format.precision;
  const free = roundAt(value, normal, rounding);
  const top = free.exponent + bitLength(free.significand) - 1;
  const tiny = top < 1 - bias(format);
  if (tiny && flushToZero && !(unmasked & exceptions.underflow)) {
    const flags = exceptions.underflow | exceptions.precision;
    return { ...exact, significand: 0n, exponent: 0, flags };
  }
  if (top > bias(format)) return overflowed(format, sign, rounding, free, unmasked);

  // A handler of unmasked underflow is told of the exact result's first rounding alone (SDM vol. 1, 4.9.1.5).
  if (tiny && unmasked & exceptions.underflow) {
    const flags = exceptions.underflow | (free.inexact ? exceptions.precision : 0);
    return { ...exact, ...free, flags };
  }
  const least = leastExponent(format);
  const cut = normal < least ? roundAt(value, least, rounding) : free;
  const flags = cut.inexact ? exceptions.precision | (tiny ? exceptions.underflow : 0) : 0;
  return { ...exact, ...cut, flags };
}

function overflowed(
  format: Format,
  sign: boolean,
  rounding: Rounding,
  free: Cut,
  unmasked: number,
): Rounded {
  const inexact = !(unmasked & exceptions.overflow) || free.inexact;
  const flags = exceptions.overflow | (inexact ? exceptions.precision : 0);
  const infinite = { nearest: true, down: sign, up: !sign, zero: false }[rounding];
  const significand = (1n << BigInt(format.precision)) - 1n;
  const exponent = bias(format) - format.precision + 1;
  return { sign, infinite, flags, roundedUp: infinite, significand, exponent };
}

// Exact operations. Signs of zero results and infinities are the caller's.

const signedValue = ({ sign, significand }: Finite): bigint => (sign ? -significand : significand);

export function addExact(a: Finite, b: Finite): Finite {
  const exponent = Math.min(a.exponent, b.exponent);
  const sum =
    (signedValue(a) << BigInt(a.exponent - exponent)) +
    (signedValue(b) << BigInt(b.exponent - exponent));
  return { sign: sum < 0n, significand: sum < 0n ? -sum : sum, exponent };
}

export const mulExact = (a: Finite, b: Finite): Finite => ({
  sign: a.sign !== b.sign,
  significand: a.significand * b.significand,
  exponent: a.exponent + b.exponent,
});

/** The quotient to at least `precision` + 2 bits; b is not 0. */
export function divide(a: Finite, b: Finite, precision: number): Finite {
  const missing = precision + 2 + bitLength(b.significand) - bitLength(a.significand);
  const shift = Math.max(missing, 0);
  const dividend = a.significand << BigInt(shift);
  return {
    sign: a.sign !== b.sign,
    significand: dividend / b.significand,
    exponent: a.exponent - b.exponent - shift,
    sticky: dividend % b.significand !== 0n,
  };
}

/** The root of a positive value to at least `precision` + 2 bits. */
export function squareRoot(a: Finite, precision: number): Finite {
  const missing = Math.max(2 * (precision + 2) - bitLength(a.significand), 0);
  const shift = (a.exponent - missing) % 2 === 0 ? missing : missing + 1;
  const radicand = a.significand << BigInt(shift);
  const root = integerRoot(radicand);
  return {
    sign: false,
    significand: root,
    exponent: (a.exponent - shift) / 2,
    sticky: root * root !== radicand,
  };
}

/** Newton's iteration, from above. */
function integerRoot(n: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(bitLength(n) / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** -1, 0 or 1; both zeros are equal. */
export function compareExact(a: Finite, b: Finite): number {
  const { sign, significand } = addExact(a, { ...b, sign: !b.sign });
  if (significand === 0n) return 0;
  return sign ? -1 : 1;
}

// Interchange formats, with an implicit integer bit: 32 and 64 bits.

export type Unpacked =
  | ({ readonly kind: 'zero' | 'subnormal' | 'normal' } & Finite)
  | { readonly kind: 'infinity'; readonly sign: boolean }
  | { readonly kind: 'quiet' | 'signaling'; readonly sign: boolean; readonly fraction: bigint };

const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n;
const fractionBits = ({ precision }: Format): number => precision - 1;

export function unpack(format: Format, bits: bigint): Unpacked {
  const size = fractionBits(format);
  const fraction = bits & mask(size);
  const biased = Number((bits >> BigInt(size)) & mask(format.exponentBits));
  const sign = bits >> BigInt(size + format.exponentBits) === 1n;
  if (biased === Number(mask(format.exponentBits))) {
    if (fraction === 0n) return { kind: 'infinity', sign };
    const quiet = (fraction >> BigInt(size - 1)) & 1n;
    return { kind: quiet ? 'quiet' : 'signaling', sign, fraction };
  }
  const least = leastExponent(format);
  if (biased === 0)
    return {
      kind: fraction === 0n ? 'zero' : 'subnormal',
      sign,
      significand: fraction,
      exponent: least,
    };
  return {
    kind: 'normal',
    sign,
    significand: fraction | (1n << BigInt(size)),
    exponent: least + biased - 1,
  };
}

const fields = (format: Format, sign: boolean, biased: bigint, fraction: bigint): bigint =>
  (BigInt(sign) << BigInt(fractionBits(format) + format.exponentBits)) |
  (biased << BigInt(fractionBits(format))) |
  fraction;

export const infinity = (format: Format, sign: boolean): bigint =>
  fields(format, sign, mask(format.exponentBits), 0n);

export const zero = (format: Format, sign: boolean): bigint => fields(format, sign, 0n, 0n);

/** A quiet NaN; the fraction has its quiet bit set here. */
export const quietNan = (format: Format, sign: boolean, fraction: bigint): bigint =>
  fields(
    format,
    sign,
    mask(format.exponentBits),
    fraction | (1n << BigInt(fractionBits(format) - 1)),
  );

/** What an invalid operation gives (SDM vol. 1, 4.8.3.7). */
export const defaultNan = (format: Format): bigint => quietNan(format, true, 0n);

export function pack(format: Format, value: Rounded): bigint {
  const { sign } = value;
  if (value.infinite) return infinity(format, sign);
  if (value.significand === 0n) return zero(format, sign);
  const { significand, exponent } = normalised(format, value);
  const size = BigInt(fractionBits(format));
  if (significand >> size === 0n) return fields(format, sign, 0n, significand);
  const biased = BigInt(exponent - leastExponent(format) + 1);
  return fields(format, sign, biased, significand & mask(Number(size)));
}

/** The significand fills the precision, or the exponent is the least: what a format's fields hold. */
export function normalised(format: Format, value: Finite): Finite {
  const excess = bitLength(value.significand) - format.precision;
  const shift = Math.max(excess, leastExponent(format) - value.exponent);
  const significand =
    shift >= 0 ? value.significand >> BigInt(shift) : value.significand << BigInt(-shift);
  return { ...value, significand, exponent: value.exponent + shift };
}

/** Operands worth trying, by type: the edges of integers, and every class of float in each of the x87's and SSE's formats. */
import type { Random } from '../random.ts';

export const pick = <T>(random: Random, from: readonly T[]): T => {
  const value = from[random.below(from.length)];
  if (value === undefined) throw new Error('vectors: nothing to pick from');
  return value;
};

export const chance = (random: Random, percent: number): boolean => random.below(100) < percent;

export const randomBits = (random: Random, bits: number): bigint => {
  let value = 0n;
  for (let have = 0; have < bits; have += 32) value = (value << 32n) | BigInt(random.u32());
  return BigInt.asUintN(bits, value);
};

export function integer(random: Random, bits: number): bigint {
  const high = 1n << BigInt(bits - 1);
  const edges = [0n, 1n, -1n, high - 1n, high, high + 1n, 0x7fn, 0x80n, 0xffn, 2n, -2n];
  const kind = random.below(100);
  if (kind < 45) return BigInt.asUintN(bits, pick(random, edges));
  if (kind < 60) return BigInt.asUintN(bits, BigInt(random.below(70)));
  // Edges of a narrower half, so that sub-registers and packed lanes see theirs.
  if (kind < 70)
    return BigInt.asUintN(
      bits,
      pick(random, [0x7fffn, 0x8000n, 0xffffn, 0x7fffffffn, 0x80000000n]),
    );
  return randomBits(random, bits);
}

/** A binary format: bits of its exponent and of its fraction (for the 80-bit one, with the integer bit). */
export interface FloatFormat {
  readonly exponent: number;
  readonly fraction: number;
}

const float32: FloatFormat = { exponent: 8, fraction: 23 };
const float64: FloatFormat = { exponent: 11, fraction: 52 };
export const float80: FloatFormat = { exponent: 15, fraction: 64 };

/** The integer bit, which only the 80-bit format spells out. */
const integerBit = ({ fraction }: FloatFormat): bigint => (fraction === 64 ? 1n << 63n : 0n);

const leadingFraction = ({ fraction }: FloatFormat): number => (fraction === 64 ? 63 : fraction);

function compose(
  format: FloatFormat,
  negative: boolean,
  exponent: bigint,
  fraction: bigint,
): bigint {
  const sign = negative ? 1n << BigInt(format.exponent) : 0n;
  return ((sign | exponent) << BigInt(format.fraction)) | fraction;
}

type Draw = (random: Random, format: FloatFormat, negative: boolean) => bigint;

const largest = ({ exponent }: FloatFormat): bigint => (1n << BigInt(exponent)) - 1n;
const bias = ({ exponent }: FloatFormat): bigint => (1n << BigInt(exponent - 1)) - 1n;
const ones = (format: FloatFormat): bigint => (1n << BigInt(leadingFraction(format))) - 1n;

/** A fraction whose low bits are often those that rounding to a shorter format finds halfway. */
function someFraction(random: Random, format: FloatFormat): bigint {
  const bits = leadingFraction(format);
  const value = randomBits(random, bits);
  const dropped = pick(
    random,
    [0, 0, 1, 2, 11, 29, 40].filter((count) => count < bits),
  );
  if (dropped === 0) return value;
  const half = (value >> BigInt(dropped)) << BigInt(dropped);
  return half | (1n << BigInt(dropped - 1));
}

const normal =
  (range: bigint): Draw =>
  (random, format, negative) => {
    const offset = (BigInt.asUintN(32, BigInt(random.u32())) % (2n * range)) - range;
    const fraction = integerBit(format) | someFraction(random, format);
    return compose(format, negative, bias(format) + offset, fraction);
  };

/** A small whole number and perhaps a half: what conversions and rounding meet most. */
const whole: Draw = (random, format, negative) => {
  const value = BigInt(1 + random.below(300));
  const length = value.toString(2).length;
  const fraction = (value << BigInt(leadingFraction(format) - length + 1)) & ones(format);
  const halves = BigInt(random.below(2));
  return compose(
    format,
    negative,
    bias(format) + BigInt(length - 1) - halves,
    integerBit(format) | fraction,
  );
};

/** 2^15, 2^31, 2^63 … and their neighbours: where a conversion to an integer overflows. */
const integerLimit: Draw = (random, format, negative) => {
  const power = BigInt(pick(random, [7, 15, 16, 31, 32, 62, 63, 64]));
  const above = compose(format, negative, bias(format) + power, integerBit(format));
  const step = pick(random, [0n, 1n, -1n]);
  // One below a power of two has the exponent below it, which in the 80-bit format keeps its integer bit.
  if (step < 0n)
    return compose(format, negative, bias(format) + power - 1n, integerBit(format) | ones(format));
  return above + step;
};

const zero: Draw = (_, format, negative) => compose(format, negative, 0n, 0n);
const unit: Draw = (_, format, negative) =>
  compose(format, negative, bias(format), integerBit(format));
const infinity: Draw = (_, format, negative) =>
  compose(format, negative, largest(format), integerBit(format));
const maximum: Draw = (_, format, negative) =>
  compose(format, negative, largest(format) - 1n, integerBit(format) | ones(format));
const smallest: Draw = (_, format, negative) => compose(format, negative, 1n, integerBit(format));
const denormal: Draw = (random, format, negative) =>
  compose(
    format,
    negative,
    0n,
    chance(random, 40) ? 1n : randomBits(random, leadingFraction(format)) | 1n,
  );
const quiet: Draw = (random, format, negative) => {
  const bit = 1n << BigInt(leadingFraction(format) - 1);
  const payload = chance(random, 40) ? 0n : randomBits(random, leadingFraction(format) - 1);
  return compose(format, negative, largest(format), integerBit(format) | bit | payload);
};
const signalling: Draw = (random, format, negative) =>
  compose(
    format,
    negative,
    largest(format),
    integerBit(format) | randomBits(random, leadingFraction(format) - 1) | 1n,
  );
/** Near the top of the range, where a sum or product overflows, or near its bottom. */
const extreme: Draw = (random, format, negative) => {
  const low = chance(random, 50);
  const exponent = low
    ? 1n + BigInt(random.below(4))
    : largest(format) - 1n - BigInt(random.below(4));
  return compose(format, negative, exponent, integerBit(format) | someFraction(random, format));
};
/** About half of the exponent range: its square overflows or underflows. */
const squareEdge: Draw = (random, format, negative) => {
  const half = bias(format) / 2n + BigInt(random.below(5)) - 2n;
  const exponent = chance(random, 50) ? bias(format) + half : bias(format) - half;
  return compose(format, negative, exponent, integerBit(format) | someFraction(random, format));
};

const draws: readonly (readonly [weight: number, draw: Draw])[] = [
  [7, zero],
  [7, unit],
  [6, infinity],
  [5, quiet],
  [4, signalling],
  [5, denormal],
  [3, maximum],
  [3, smallest],
  [8, whole],
  [7, integerLimit],
  [5, extreme],
  [4, squareEdge],
  [22, normal(8n)],
  [10, normal(70n)],
];

/** The 80-bit encodings that no operation gives: pseudo-denormal, and unnormal, which is invalid (SDM vol. 1, 8.2.2). */
const oddExtended: Draw = (random, format, negative) =>
  chance(random, 50)
    ? compose(format, negative, 0n, integerBit(format) | randomBits(random, 63))
    : compose(format, negative, bias(format) + BigInt(random.below(20)), randomBits(random, 63));

export function float(random: Random, format: FloatFormat): bigint {
  const negative = chance(random, 40);
  if (format.fraction === 64 && chance(random, 3)) return oddExtended(random, format, negative);
  let at = random.below(draws.reduce((sum, [weight]) => sum + weight, 0));
  for (const [weight, draw] of draws) {
    if (at < weight) return draw(random, format, negative);
    at -= weight;
  }
  return randomBits(random, 1 + format.exponent + format.fraction);
}

/** Ten bytes of packed decimal: 18 digits and a sign (SDM vol. 1, 4.7). */
function packedDecimal(random: Random): bigint {
  const digits = chance(random, 20) ? 0 : 1 + random.below(18);
  let value = chance(random, 40) ? 0x80n : 0n;
  for (let i = 17; i >= 0; i--)
    value = (value << 4n) | (i < digits ? BigInt(random.below(10)) : 0n);
  return value;
}

/** One lane of a vector or one operand in memory, by the name of iced-x86's element type. */
export function element(random: Random, type: string, bits: number): bigint {
  if (type === 'Float32') return float(random, float32);
  if (type === 'Float64') return float(random, float64);
  if (type === 'Float80') return float(random, float80);
  if (type === 'Bcd') return packedDecimal(random);
  return integer(random, bits);
}

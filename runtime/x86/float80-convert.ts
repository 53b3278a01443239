/** Between x87 values, IEEE 754 singles and doubles, and integers, as IR subroutines (SDM vol. 2, FLD, FST, FILD, FIST, FRNDINT). */
import * as v from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import {
  any,
  c64,
  choose,
  isNonzero,
  packed,
  raised,
  stackFaultBit,
  status,
  topBit,
  unpack,
  wide,
  withOperandChecks,
} from './float80.ts';
import { directionOf, round, roundsUp, shiftRightSticky } from './float80-round.ts';

/** IEEE 754 interchange formats. */
const formats = {
  32: { fraction: 23, bias: 0x7f, maxExponent: 0xfe },
  64: { fraction: 52, bias: 0x3ff, maxExponent: 0x7fe },
} as const;
const bias = 0x3fff;
const quietBit = 1n << 62n;

type FloatWidth = keyof typeof formats;

/** Exact. A denormal carries DE in its flags; a signalling NaN stays one. */
const extended = (x: Value, width: FloatWidth): Value => {
  const format = formats[width];
  const bits = v.resize(x, 64);
  const ones = format.maxExponent + 1;
  const exponent = v.and(v.shiftRight(bits, format.fraction), c64(ones));
  const fraction = v.shiftLeft(v.shiftLeft(bits, 64 - format.fraction), 0);
  const below = v.shiftRight(fraction, 1);
  const smallest = v.isZero(exponent);
  const empty = v.isZero(fraction);
  const denormal = v.and(smallest, v.not(empty));
  const zeros = v.countLeadingZeros(below);
  const rebased = v.add(exponent, c64(bias - format.bias));
  const high = v.select(
    v.equal(exponent, c64(ones)),
    c64(0x7fff),
    v.select(smallest, v.select(empty, c64(0), v.sub(c64(bias - format.bias + 1), zeros)), rebased),
  );
  const sign = v.and(v.shiftRight(bits, width - 16), c64(0x8000));
  return v.pack(
    v.select(smallest, v.shiftLeft(below, v.and(zeros, c64(63))), v.or(below, c64(topBit))),
    any(sign, high, raised(denormal, status.DE)),
  );
};

const fromFloat = (width: FloatWidth): Subroutine => ({
  name: `float80FromFloat${width}`,
  parameters: [width],
  result: 128,
  body: ([x]) => extended(x as Value, width),
});

/** FLD: a signalling NaN becomes quiet. */
const loadFloat = (width: FloatWidth): Subroutine => ({
  name: `float80LoadFloat${width}`,
  parameters: [width],
  result: 128,
  body: ([x]) => {
    const value = extended(x as Value, width);
    const { significand, high, nan, signalling } = unpack(value);
    return v.pack(
      v.select(nan, v.or(significand, c64(quietBit)), significand),
      v.or(high, raised(signalling, status.IE)),
    );
  },
});

/** FST to memory: the bits in the lower half, flags where results have them. */
const toFloat = (width: FloatWidth): Subroutine => ({
  name: `float${width}FromFloat80`,
  parameters: [128, 32],
  result: 128,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const format = formats[width];
    const x = unpack(input);
    const drop = 63 - format.fraction;
    const { significand, exponent, flags } = round(
      {
        negative: isNonzero(x.sign),
        high: v.shiftLeft(x.significand, v.and(v.countLeadingZeros(x.significand), c64(63))),
        low: c64(0),
        exponent: v.sub(
          v.sub(v.add(x.exponent, wide(v.isZero(x.exponent))), c64(bias - format.bias)),
          v.countLeadingZeros(x.significand),
        ),
      },
      control,
      { shift: c64(drop), maxExponent: format.maxExponent, wrap: 0 },
    );
    const ones = c64(format.maxExponent + 1);
    const special = v.or(x.nan, x.infinity);
    const quiet = v.select(x.nan, v.or(x.significand, c64(quietBit)), x.significand);
    const fields = (upper: Value, lower: Value): Value =>
      any(
        v.shiftLeft(x.sign, width - 16),
        v.shiftLeft(upper, format.fraction),
        v.shiftRight(v.shiftLeft(lower, 1), drop + 1),
      );
    const stackFault = v.bit(control, stackFaultBit);
    const noValue = v.or(x.unsupported, stackFault);
    const value = v.select(
      special,
      fields(ones, quiet),
      v.select(x.zero, v.shiftLeft(x.sign, width - 16), fields(exponent, significand)),
    );
    const invalid = raised(v.or(noValue, x.signalling), status.IE);
    const unmasked = v.and(v.shiftRight(flags, 16), v.not(v.resize(control, 64)));
    const unstored = v.and(unmasked, c64(status.OE | status.UE));
    const told = v.select(isNonzero(unstored), v.shiftLeft(unstored, 16), flags);
    return v.pack(
      v.select(noValue, c64(v.mask(width) & (v.mask(64) << BigInt(format.fraction - 1))), value),
      v.or(v.select(any(special, x.zero, noValue), invalid, told), raised(stackFault, status.SF)),
    );
  },
});

/** Magnitude of x as an integer, rounded; the exponent is at most that of 2^63. */
export const integral = (significand: Value, exponent: Value, negative: Value, control: Value) => {
  const count = v.sub(c64(bias + 63), exponent);
  const capped = v.select(v.lessUnsigned(count, c64(127)), count, c64(127));
  const { high, low } = shiftRightSticky({ high: significand, low: c64(0) }, capped);
  const up = roundsUp(directionOf(control, negative), high, low);
  const flags = v.select(up, c64((status.PE | status.C1) << 16), c64(status.PE << 16));
  return {
    magnitude: v.add(high, wide(up)),
    flags: v.select(isNonzero(low), flags, c64(0)),
  };
};

const toInteger = (width: 16 | 32 | 64): Subroutine => ({
  name: `integer${width}FromFloat80`,
  parameters: [128, 32],
  result: 128,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const x = unpack(input);
    const negative = isNonzero(x.sign);
    const { magnitude, flags } = integral(x.significand, x.exponent, negative, control);
    const limit = v.add(c64((1n << BigInt(width - 1)) - 1n), wide(negative));
    const stackFault = v.bit(control, stackFaultBit);
    const invalid = any(
      v.lessUnsigned(c64(bias + 63), x.exponent),
      x.unsupported,
      v.lessUnsigned(limit, magnitude),
      stackFault,
    );
    return v.pack(
      v.select(
        invalid,
        c64(1n << BigInt(width - 1)),
        v.select(negative, v.neg(magnitude), magnitude),
      ),
      v.or(v.select(invalid, c64(status.IE << 16), flags), raised(stackFault, status.SF)),
    );
  },
});

/** Exact, of a signed integer of 64 bits. */
export const float80FromInteger: Subroutine = {
  name: 'float80FromInteger',
  parameters: [64],
  result: 128,
  body: ([input]) => {
    const x = input as Value;
    const negative = v.lessSigned(x, c64(0));
    const magnitude = v.select(negative, v.neg(x), x);
    const zeros = v.countLeadingZeros(magnitude);
    const sign = v.select(negative, c64(0x8000), c64(0));
    const exponent = v.sub(c64(bias + 63), zeros);
    return v.pack(
      v.shiftLeft(magnitude, v.and(zeros, c64(63))),
      v.select(v.isZero(x), c64(0), v.or(sign, exponent)),
    );
  },
};

/** FRNDINT. */
export const float80ToIntegral: Subroutine = {
  name: 'float80ToIntegral',
  parameters: [128, 32],
  result: 128,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const x = unpack(input);
    const whole = v.lessUnsigned(c64(bias + 62), x.exponent);
    const negative = isNonzero(x.sign);
    const { magnitude, flags } = integral(x.significand, x.exponent, negative, control);
    const zeros = v.countLeadingZeros(magnitude);
    const exponent = v.select(v.isZero(magnitude), c64(0), v.sub(c64(bias + 63), zeros));
    const result = {
      significand: v.shiftLeft(magnitude, v.and(zeros, c64(63))),
      high: v.or(x.sign, exponent),
      flags,
    };
    const itself = { significand: x.significand, high: v.or(x.sign, x.exponent), flags: c64(0) };
    return packed(withOperandChecks(choose(whole, itself, result), [x], v.zero, control));
  },
};

export const float80FromFloat32 = fromFloat(32);
export const float80FromFloat64 = fromFloat(64);
export const float80LoadFloat32 = loadFloat(32);
export const float80LoadFloat64 = loadFloat(64);
export const float32FromFloat80 = toFloat(32);
export const float64FromFloat80 = toFloat(64);
export const integer16FromFloat80 = toInteger(16);
export const integer32FromFloat80 = toInteger(32);
export const integer64FromFloat80 = toInteger(64);

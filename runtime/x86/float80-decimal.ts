/** x87 packed decimals of 18 digits as IR subroutines (SDM vol. 1, 4.7; vol. 2, FBLD, FBSTP). */
import * as v from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import { c64, stackFaultBit, status, unpack } from './float80.ts';
import { integral } from './float80-convert.ts';

const digits = 16;

/** Neighbouring groups of digits, each `bits` wide, joined: binary in the lower of the two. */
const joined = (x: Value, bits: number, lower: bigint): Value =>
  v.add(
    v.and(x, c64(lower)),
    v.mul(v.and(v.shiftRight(x, bits), c64(lower)), c64(10n ** BigInt(bits / 4))),
  );

export const float80FromDecimal: Subroutine = {
  name: 'float80FromDecimal',
  parameters: [128],
  result: 128,
  body: ([input]) => {
    const low = v.slice(input as Value, 0, 64);
    const high = v.slice(input as Value, 64, 64);
    const bytes = joined(low, 4, 0x0f0f_0f0f_0f0f_0f0fn);
    const words = joined(bytes, 8, 0x00ff_00ff_00ff_00ffn);
    const halves = joined(words, 16, 0x0000_ffff_0000_ffffn);
    const rest = joined(halves, 32, 0xffff_ffffn);
    const first = joined(v.and(high, c64(0xff)), 4, 0xfn);
    const magnitude = v.add(rest, v.mul(first, c64(10n ** 16n)));
    const zeros = v.countLeadingZeros(magnitude);
    const exponent = v.select(v.isZero(magnitude), c64(0), v.sub(c64(0x3fff + 63), zeros));
    const sign = v.and(high, c64(0x8000));
    return v.pack(v.shiftLeft(magnitude, v.and(zeros, c64(63))), v.or(sign, exponent));
  },
};

/** The 16 lower digits of `magnitude`, packed, and what is left above them. */
const packedDigits = (magnitude: Value): { packed: Value; rest: Value } => {
  let packed = c64(0);
  let rest = magnitude;
  for (let i = 0; i < digits; i++) {
    const next = v.divUnsigned(rest, c64(10));
    const digit = v.sub(rest, v.mul(next, c64(10)));
    packed = v.or(packed, v.shiftLeft(digit, 4 * i));
    rest = next;
  }
  return { packed, rest };
};

/** FBSTP: 64 bits, then 16, then flags where results have them. */
export const decimalFromFloat80: Subroutine = {
  name: 'decimalFromFloat80',
  parameters: [128, 32],
  result: 128,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const x = unpack(input);
    const negative = v.notEqual(x.sign, c64(0));
    const { magnitude, flags } = integral(x.significand, x.exponent, negative, control);
    const { packed, rest } = packedDigits(magnitude);
    const tens = v.divUnsigned(rest, c64(10));
    const upper = v.or(v.shiftLeft(tens, 4), v.sub(rest, v.mul(tens, c64(10))));
    const stackFault = v.bit(control, stackFaultBit);
    const tooLarge = v.or(
      v.lessUnsigned(c64(0x3fff + 63), x.exponent),
      v.lessUnsigned(c64(10n ** 18n - 1n), magnitude),
    );
    const invalid = v.or(v.or(tooLarge, x.unsupported), stackFault);
    const faults = v.select(stackFault, c64(status.SF << 16), c64(0));
    return v.pack(
      v.select(invalid, c64(0xc000_0000_0000_0000n), packed),
      v.or(
        v.select(invalid, c64(0xffff), v.or(x.sign, upper)),
        v.or(v.select(invalid, c64(status.IE << 16), flags), faults),
      ),
    );
  },
};

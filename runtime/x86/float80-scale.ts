/** x87 exponents taken and given, as IR subroutines (SDM vol. 2, FSCALE, FXTRACT). */
import * as v from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
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
import { binary, type Computed, infinityWith, zeroWith } from './float80-arithmetic.ts';
import { type Rounded, registerFormat, round } from './float80-round.ts';

const bias = 0x3fff;

/** Beyond it every result overflows or underflows, wrapped or not. */
const farthest = 0x10000n;

/** What even a wrapped exponent cannot hold is an infinity or zero, whatever rounding control says. */
const withoutWrap = (r: Rounded, sign: Value, control: Value): Result80 => {
  const tooSmall = v.and(v.lessSigned(r.exponent, c64(1)), v.not(v.bit(control, 4)));
  const tooLarge = v.and(v.lessSigned(c64(0x7ffe), r.exponent), v.not(v.bit(control, 3)));
  const overflow = (status.OE | status.PE | status.C1) << 16;
  const underflow = (status.UE | status.PE) << 16;
  const held = { significand: r.significand, high: v.or(sign, r.exponent), flags: r.flags };
  return choose(
    tooSmall,
    { ...zeroWith(sign), flags: c64(underflow) },
    choose(tooLarge, { ...infinityWith(sign), flags: c64(overflow) }, held),
  );
};

/** ST(0) × 2^trunc(ST(1)). Precision control does not apply. */
const scaled = (a: Operand80, b: Operand80, control: Value): Computed => {
  const x = normalized(a);
  const far = v.lessUnsigned(c64(bias + 15), b.exponent);
  const near = v.lessUnsigned(b.exponent, c64(bias));
  const whole = v.shiftRight(b.significand, v.and(v.sub(c64(bias + 63), b.exponent), c64(63)));
  const steps = v.select(far, c64(farthest), v.select(near, c64(0), whole));
  const down = isNonzero(b.sign);
  const nearby = round(
    {
      negative: isNonzero(a.sign),
      high: x.significand,
      low: c64(0),
      exponent: v.add(x.exponent, v.select(down, v.neg(steps), steps)),
    },
    control,
    registerFormat(c64(0)),
  );
  const result = withoutWrap(nearby, a.sign, control);
  const grows = v.and(b.infinity, v.not(down));
  const shrinks = v.and(b.infinity, down);
  return {
    result: choose(
      v.or(a.infinity, grows),
      infinityWith(a.sign),
      choose(v.or(a.zero, shrinks), zeroWith(a.sign), result),
    ),
    invalid: v.or(v.and(grows, a.zero), v.and(shrinks, a.infinity)),
  };
};

export const float80Scale = binary('float80Scale', scaled);

const extraction = (
  name: string,
  extract: (a: Operand80, x: ReturnType<typeof normalized>) => Result80,
): Subroutine => ({
  name,
  parameters: [128, 32],
  result: 128,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const a = unpack(input);
    return packed(withOperandChecks(extract(a, normalized(a)), [a], v.zero, control));
  },
});

/** The unbiased exponent of ST(0): of zero it is -∞ and a division by zero. */
export const float80Exponent = extraction('float80Exponent', (a, x) => {
  const unbiased = v.sub(x.exponent, c64(bias));
  const negative = v.lessSigned(unbiased, c64(0));
  const magnitude = v.select(negative, v.neg(unbiased), unbiased);
  const zeros = v.countLeadingZeros(magnitude);
  const sign = v.select(negative, c64(0x8000), c64(0));
  const value = {
    significand: v.shiftLeft(magnitude, v.and(zeros, c64(63))),
    high: v.select(v.isZero(magnitude), c64(0), v.or(sign, v.sub(c64(bias + 63), zeros))),
    flags: c64(0),
  };
  const ofZero = { ...infinityWith(c64(0x8000)), flags: raised(a.zero, status.ZE) };
  return choose(a.infinity, infinityWith(c64(0)), choose(a.zero, ofZero, value));
});

/** ST(0) with an exponent of 0. */
export const float80Significand = extraction('float80Significand', (a, x) =>
  choose(
    v.or(a.infinity, a.zero),
    { significand: a.significand, high: v.or(a.sign, a.exponent), flags: c64(0) },
    { significand: x.significand, high: v.or(a.sign, c64(bias)), flags: c64(0) },
  ),
);

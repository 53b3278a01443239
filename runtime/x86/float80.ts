/**
 * x87 values in IR: what float80-*.ts are written with (SDM vol. 1, 4.2.2, 4.8 and 8.5).
 * A value is 128 bits: 64 of significand, 16 of sign and exponent, then, in results, what the operation adds to the
 * status word: bit 80 + n is bit n of it. Control words carry in bit 16 whether an operand's register was empty.
 */
import * as v from '../ir/build.ts';
import type { Value } from '../ir/value.ts';

/** Bits of the status word (SDM vol. 1, figure 8-4). */
// biome-ignore format: a table
export const status = {
  IE: 0x1, DE: 0x2, ZE: 0x4, OE: 0x8, UE: 0x10, PE: 0x20, SF: 0x40, ES: 0x80,
  C0: 0x100, C1: 0x200, C2: 0x400, C3: 0x4000, B: 0x8000,
} as const;

/** What is passed beside the control word, in the bits above it. */
export const stackFaultBit = 16;

export const c64 = (value: bigint | number): Value => v.constant(64, value);
export const topBit = 1n << 63n;
const exponentMask = 0x7fff;
/** Real indefinite: the QNaN that stands for "no result". */
export const indefinite = { significand: 3n << 62n, high: 0xffff } as const;

export const any = (first: Value, ...rest: Value[]): Value =>
  rest.reduce((a, b) => v.or(a, b), first);
export const all = (first: Value, ...rest: Value[]): Value =>
  rest.reduce((a, b) => v.and(a, b), first);
export const without = (a: Value, b: Value): Value => v.and(a, v.not(b));
export const isNonzero = (x: Value): Value => v.notEqual(x, v.constant(x.width, 0));
export const isNegative = (x: Value): Value => v.lessSigned(x, v.constant(x.width, 0));
/** 1 or 0, in 64 bits. */
export const wide = (condition: Value): Value => v.resize(condition, 64);
/** Status bits at their place in the upper half of a result, where the condition holds. */
export const raised = (condition: Value, bits: number): Value =>
  v.select(condition, c64(bits << 16), c64(0));

/** An operand taken apart. The classes overlap only where it is `unsupported`. */
export interface Operand80 {
  readonly significand: Value;
  /** Sign, exponent, and the flags of its conversion, if it was converted. */
  readonly high: Value;
  readonly exponent: Value;
  /** 0x8000 or 0. */
  readonly sign: Value;
  /** Unnormal, pseudo-infinity, pseudo-NaN: invalid since the 80387. */
  readonly unsupported: Value;
  readonly nan: Value;
  readonly signalling: Value;
  readonly infinity: Value;
  readonly zero: Value;
  /** Also pseudo-denormals, and what was a denormal before its conversion. */
  readonly denormal: Value;
}

export const unpack = (x: Value): Operand80 => {
  const significand = v.slice(x, 0, 64);
  const high = v.slice(x, 64, 64);
  const exponent = v.and(high, c64(exponentMask));
  const largest = v.equal(exponent, c64(exponentMask));
  const smallest = v.isZero(exponent);
  const zero = v.isZero(significand);
  const fraction = isNonzero(v.shiftLeft(significand, 1));
  const nan = v.and(largest, fraction);
  return {
    significand,
    high,
    exponent,
    sign: v.and(high, c64(0x8000)),
    unsupported: v.not(v.or(isNegative(significand), smallest)),
    nan,
    signalling: v.and(nan, v.isZero(v.and(significand, c64(1n << 62n)))),
    infinity: v.and(largest, v.not(fraction)),
    zero,
    denormal: v.or(without(smallest, zero), v.bit(high, 17)),
  };
};

/** Significand with its top bit set and the exponent that goes with it, less than 1 for denormals; of finite operands but zero. */
export const normalized = (x: Operand80): { significand: Value; exponent: Value } => {
  const zeros = v.countLeadingZeros(x.significand);
  return {
    significand: v.shiftLeft(x.significand, v.and(zeros, c64(63))),
    exponent: v.sub(v.add(x.exponent, wide(v.isZero(x.exponent))), zeros),
  };
};

export interface Result80 {
  readonly significand: Value;
  /** Sign and exponent. */
  readonly high: Value;
  readonly flags: Value;
}

export const packed = ({ significand, high, flags }: Result80): Value =>
  v.pack(significand, v.or(high, flags));

export const choose = (condition: Value, a: Result80, b: Result80): Result80 => ({
  significand: v.select(condition, a.significand, b.significand),
  high: v.select(condition, a.high, b.high),
  flags: v.select(condition, a.flags, b.flags),
});

/** The last step of arithmetic: invalid operands, NaNs (SDM vol. 1, table 4-7) and denormals take precedence over `result`. */
export const withOperandChecks = (
  result: Result80,
  operands: readonly [Operand80, ...Operand80[]],
  invalid: Value,
  control: Value,
): Result80 => {
  const one = (test: (x: Operand80) => Value): Value => {
    const [first, ...rest] = operands;
    return any(test(first), ...rest.map(test));
  };
  const stackFault = v.bit(control, stackFaultBit);
  const nan = one((x) => x.nan);
  const noValue = any(
    without(invalid, nan),
    one((x) => x.unsupported),
    stackFault,
  );
  const denormal = one((x) => x.denormal);
  const stop = without(denormal, v.bit(control, 1));
  const flags = v.select(
    stackFault,
    c64((status.IE | status.SF) << 16),
    v.select(
      v.or(noValue, nan),
      raised(
        v.or(
          noValue,
          one((x) => x.signalling),
        ),
        status.IE,
      ),
      v.or(v.select(stop, c64(0), result.flags), raised(denormal, status.DE)),
    ),
  );
  const chosen = larger(operands);
  return {
    significand: v.select(
      noValue,
      c64(indefinite.significand),
      v.select(nan, v.or(chosen.significand, c64(1n << 62n)), result.significand),
    ),
    high: v.select(
      noValue,
      c64(indefinite.high),
      v.select(nan, v.and(chosen.high, c64(0xffff)), result.high),
    ),
    flags,
  };
};

/** The NaN with the larger significand; a quiet one beats a signalling one by its quiet bit. */
const larger = ([first, second]: readonly [Operand80, ...Operand80[]]): Pick<
  Operand80,
  'significand' | 'high'
> => {
  if (second === undefined) return first;
  const weigh = (x: Operand80): Value => v.select(x.nan, x.significand, c64(0));
  const x = weigh(first);
  const y = weigh(second);
  // Of equal ones the positive.
  const takesSecond = v.or(
    v.lessUnsigned(x, y),
    v.and(v.equal(x, y), v.lessUnsigned(second.sign, first.sign)),
  );
  return {
    significand: v.select(takesSecond, second.significand, first.significand),
    high: v.select(takesSecond, second.high, first.high),
  };
};

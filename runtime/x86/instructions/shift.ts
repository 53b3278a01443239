/** SAL SHL SHR SAR SHLD SHRD and BMI2's SARX SHLX SHRX (SDM vol. 1, 5.1.4). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Operand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import { type InstructionTable, resultFlags, type Semantics } from '../semantics.ts';
import { sign } from './flag-rules.ts';
import { place } from './operands.ts';

/** `count` modulo 2^5, or 2^6 for 64 bits. */
export function maskCount(count: Value, width: Width): Value {
  const mask = width === 64 ? 63n : 31n;
  const known = v.constantOf(count);
  return known === undefined
    ? v.and(count, v.constant(count.width, mask))
    : v.constant(count.width, known & mask);
}

const is = (count: Value, number: number): Value => {
  const known = v.constantOf(count);
  if (known === undefined) return v.equal(count, v.constant(count.width, number));
  return known === BigInt(number) ? v.one : v.zero;
};

export const maskedCount = (b: Builder, operand: Operand, width: Width): Value =>
  maskCount(v.resize(b.read(operand), 8), width);

/** Flags of an instruction that leaves them alone where its count is 0. */
export function setCountedFlags(
  b: Builder,
  count: Value,
  rule: FlagRule,
  ...inputs: Value[]
): void {
  const known = v.constantOf(count);
  if (known === undefined) b.setFlagsIf(v.notEqual(count, v.constant(8, 0)), rule, ...inputs);
  else if (known !== 0n) b.setFlags(rule, ...inputs);
}

/** OF has a meaning after shifts by 1 alone. */
export const afterOne = (count: Value, overflow: Value): Value =>
  v.select(is(count, 1), overflow, v.undefinedFlag);

/** Masked counts beyond `limit` exist in 8 and 16 bits; what they leave is undefined. */
const upTo = (limit: number, count: Value, flag: Value, width: Width): Value => {
  if (width >= 32) return flag;
  const known = v.constantOf(count);
  if (known !== undefined) return known <= BigInt(limit) ? flag : v.undefinedFlag;
  return v.select(v.lessEqualUnsigned(count, v.constant(8, limit)), flag, v.undefinedFlag);
};

/** The last bit that a left shift by a count other than 0 moves out. */
const outLeft = (x: Value, count: Value): Value => {
  if (x.width < 32) return v.bit(v.shiftLeft(v.resize(x, 32), count), x.width);
  const distance = maskCount(v.sub(v.constant(8, x.width), count), x.width);
  return v.resize(v.shiftRight(x, distance), 1);
};

/** The last bit that a right shift by a count other than 0 moves out. */
const outRight = (x: Value, count: Value, shift: typeof v.shiftRight): Value =>
  v.resize(shift(x, maskCount(v.sub(count, v.constant(8, 1)), x.width)), 1);

const conditions: NonNullable<FlagRule['conditions']> = {
  E: (_: Value, result: Value) => v.isZero(result),
  S: (_: Value, result: Value) => sign(result),
};

export const shlRule: FlagRule = {
  name: 'shl',
  flags: (x: Value, result: Value, count: Value) => ({
    ...resultFlags(result),
    CF: upTo(x.width - 1, count, outLeft(x, count), x.width),
    AF: v.undefinedFlag,
    OF: afterOne(count, sign(v.xor(x, result))),
  }),
  conditions,
};

export const shrRule: FlagRule = {
  name: 'shr',
  flags: (x: Value, result: Value, count: Value) => ({
    ...resultFlags(result),
    CF: upTo(x.width - 1, count, outRight(x, count, v.shiftRight), x.width),
    AF: v.undefinedFlag,
    OF: afterOne(count, sign(x)),
  }),
  conditions,
};

export const sarRule: FlagRule = {
  name: 'sar',
  flags: (x: Value, result: Value, count: Value) => ({
    ...resultFlags(result),
    CF: outRight(x, count, v.shiftRightSigned),
    AF: v.undefinedFlag,
    OF: afterOne(count, v.zero),
  }),
  conditions,
};

/** DEST := DEST shifted by COUNT. */
const shift =
  (compute: (x: Value, count: Value) => Value, rule: FlagRule): Semantics =>
  (b, [destination, by]) => {
    const { value: x, write } = place(b, destination);
    const count = maskedCount(b, by, x.width);
    const result = compute(x, count);
    write(result);
    setCountedFlags(b, count, rule, x, result, count);
  };

/** Counts beyond 16 leave everything undefined in the 16-bit forms. */
const doubleFlags = (x: Value, result: Value, count: Value, carry: Value) => {
  const { SF, ZF, PF } = resultFlags(result);
  const defined = (flag: Value): Value => upTo(x.width, count, flag, x.width);
  return {
    SF: defined(SF),
    ZF: defined(ZF),
    PF: defined(PF),
    CF: defined(carry),
    AF: v.undefinedFlag,
    OF: afterOne(count, sign(v.xor(x, result))),
  };
};

export const shldRule: FlagRule = {
  name: 'shld',
  flags: (x: Value, result: Value, count: Value) =>
    doubleFlags(x, result, count, outLeft(x, count)),
};

export const shrdRule: FlagRule = {
  name: 'shrd',
  flags: (x: Value, result: Value, count: Value) =>
    doubleFlags(x, result, count, outRight(x, count, v.shiftRight)),
};

/** width - count, for a shift the other way; of a count of 0 it is masked, and its result goes unused. */
const complement = (count: Value, width: Width): Value =>
  maskCount(v.sub(v.constant(8, width), count), width);

const unlessZero = (count: Value, shifted: Value, x: Value): Value =>
  v.select(v.not(is(count, 0)), shifted, x);

/** Three words, 16 bits each: AMD's processors shift SRC in a second time where the count is beyond 16. */
const thrice = (high: Value, middle: Value, low: Value): Value =>
  v.or(
    v.shiftLeft(v.resize(high, 64), 32),
    v.or(v.shiftLeft(v.resize(middle, 64), 16), v.resize(low, 64)),
  );

const shiftLeftDouble = (x: Value, y: Value, count: Value): Value => {
  if (x.width === 16)
    return v.resize(v.shiftRight(thrice(x, y, y), v.sub(v.constant(8, 32), count)), 16);
  const filled = v.shiftRight(y, complement(count, x.width));
  return unlessZero(count, v.or(v.shiftLeft(x, count), filled), x);
};

const shiftRightDouble = (x: Value, y: Value, count: Value): Value => {
  if (x.width === 16) return v.resize(v.shiftRight(thrice(y, y, x), count), 16);
  const filled = v.shiftLeft(y, complement(count, x.width));
  return unlessZero(count, v.or(v.shiftRight(x, count), filled), x);
};

/** DEST := DEST shifted by COUNT, filled with bits of SRC. */
const doubleShift =
  (compute: (x: Value, y: Value, count: Value) => Value, rule: FlagRule): Semantics =>
  (b, [destination, source, by]) => {
    const { value: x, write } = place(b, destination);
    const count = maskedCount(b, by, x.width);
    const result = compute(x, b.read(source), count);
    write(result);
    setCountedFlags(b, count, rule, x, result, count);
  };

/** DEST := SRC shifted by COUNT; flags stay. */
const shiftWithoutFlags =
  (compute: (x: Value, count: Value) => Value): Semantics =>
  (b, [destination, source, by]) => {
    const x = b.read(source);
    b.write(destination, compute(x, maskedCount(b, by, x.width)));
  };

export const shifts = {
  SAL: shift(v.shiftLeft, shlRule),
  SAR: shift(v.shiftRightSigned, sarRule),
  SARX: shiftWithoutFlags(v.shiftRightSigned),
  SHL: shift(v.shiftLeft, shlRule),
  SHLD: doubleShift(shiftLeftDouble, shldRule),
  SHLX: shiftWithoutFlags(v.shiftLeft),
  SHR: shift(v.shiftRight, shrRule),
  SHRD: doubleShift(shiftRightDouble, shrdRule),
  SHRX: shiftWithoutFlags(v.shiftRight),
} as const satisfies InstructionTable;

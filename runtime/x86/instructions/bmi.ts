/** BMI1 and BMI2 but for counts, shifts and rotates (SDM vol. 1, 5.1.16). */
import * as v from '../../ir/build.ts';
import type { FlagRule, Subroutine, Value } from '../../ir/value.ts';
import { RDX } from '../registers.ts';
import { type InstructionTable, register, type Semantics } from '../semantics.ts';
import { sign } from './flag-rules.ts';
import { maskCount } from './shift.ts';

const one = (a: Value): Value => v.constant(a.width, 1);

/** SF and ZF by the result; AF and PF are undefined. */
const bmiFlags = (result: Value, carry: Value): ReturnType<FlagRule['flags']> => ({
  SF: sign(result),
  ZF: v.isZero(result),
  OF: v.zero,
  CF: carry,
  AF: v.undefinedFlag,
  PF: v.undefinedFlag,
});

export const andnRule: FlagRule = {
  name: 'andn',
  flags: (result: Value) => bmiFlags(result, v.zero),
};

/** DEST := NOT SRC1 AND SRC2. */
const andn: Semantics = (b, [destination, first, second]) => {
  const result = v.and(v.not(b.read(first)), b.read(second));
  b.write(destination, result);
  b.setFlags(andnRule, result);
};

export const bextrRule: FlagRule = {
  name: 'bextr',
  flags: (result: Value) => ({ ...bmiFlags(result, v.zero), SF: v.undefinedFlag }),
};

/** DEST := LENGTH bits of SRC from START on; the control's second and first byte. */
const bextr: Semantics = (b, [destination, source, control]) => {
  const value = b.read(source);
  const { width } = value;
  const range = b.read(control);
  const start = v.resize(range, 8);
  const length = v.resize(v.shiftRight(range, 8), 8);
  const moved = v.shiftRight(value, maskCount(start, width));
  const within = v.lessUnsigned(start, v.constant(8, width));
  const from = v.select(within, moved, v.constant(width, 0));
  const result = lowBits(from, length);
  b.write(destination, result);
  b.setFlags(bextrRule, result);
};

/** `value` without the bits from `count` on. */
function lowBits(value: Value, count: Value): Value {
  const { width } = value;
  const kept = v.sub(v.shiftLeft(one(value), maskCount(count, width)), one(value));
  return v.select(v.lessUnsigned(count, v.constant(8, width)), v.and(value, kept), value);
}

export const blsiRule: FlagRule = {
  name: 'blsi',
  flags: (source: Value, result: Value) => bmiFlags(result, v.not(v.isZero(source))),
};

/** CF tells that the source was 0. */
export const blsrRule: FlagRule = {
  name: 'blsr',
  flags: (source: Value, result: Value) => bmiFlags(result, v.isZero(source)),
};

const lowest =
  (compute: (source: Value) => Value, rule: FlagRule): Semantics =>
  (b, [destination, source]) => {
    const value = b.read(source);
    const result = compute(value);
    b.write(destination, result);
    b.setFlags(rule, value, result);
  };

export const bzhiRule: FlagRule = {
  name: 'bzhi',
  flags: (result: Value, index: Value) =>
    bmiFlags(result, v.lessUnsigned(v.constant(8, result.width - 1), index)),
};

/** DEST := SRC with zeros from bit INDEX on. */
const bzhi: Semantics = (b, [destination, source, by]) => {
  const value = b.read(source);
  const index = v.resize(b.read(by), 8);
  const result = lowBits(value, index);
  b.write(destination, result);
  b.setFlags(bzhiRule, result, index);
};

/** DEST1:DEST2 := RDX * SRC; where both are one register it has the high half. Flags stay. */
const mulx: Semantics = (b, [high, low, source]) => {
  const { width } = high;
  const x = b.read(register(RDX, width));
  const y = b.read(source);
  b.write(low, v.mul(x, y));
  b.write(high, v.mulHighUnsigned(x, y));
};

/** Walks the mask's ones from below; `step` gives what the i-th of them adds to the result. */
const overMask = (
  name: string,
  step: (source: Value, maskBit: Value, i: number) => Value,
): Subroutine => ({
  name,
  parameters: [64, 64],
  result: 64,
  body: ([source = v.zero, mask = v.zero]) => {
    let rest = mask;
    let result = v.constant(64, 0);
    for (let i = 0; i < 64; i++) {
      const maskBit = v.and(rest, v.neg(rest));
      result = v.or(result, step(source, maskBit, i));
      rest = v.xor(rest, maskBit);
    }
    return result;
  },
});

/** The next bit of the source goes where the mask's bit is. */
const pdepWalk = overMask('pdep', (source, maskBit, i) =>
  v.and(maskBit, v.neg(v.resize(v.bit(source, i), 64))),
);

/** The source's bit at the mask's goes next to those before it. */
const pextWalk = overMask('pext', (source, maskBit, i) =>
  v.shiftLeft(v.resize(v.not(v.isZero(v.and(source, maskBit))), 64), i),
);

const throughMask =
  (walk: Subroutine): Semantics =>
  (b, [destination, source, mask]) => {
    const x = v.resize(b.read(source), 64);
    const result = v.call(walk, x, v.resize(b.read(mask), 64));
    b.write(destination, v.resize(result, destination.width));
  };

export const bmi = {
  ANDN: andn,
  BEXTR: bextr,
  BLSI: lowest((a) => v.and(a, v.neg(a)), blsiRule),
  BLSMSK: lowest((a) => v.xor(a, v.sub(a, one(a))), blsrRule),
  BLSR: lowest((a) => v.and(a, v.sub(a, one(a))), blsrRule),
  BZHI: bzhi,
  MULX: mulx,
  PDEP: throughMask(pdepWalk),
  PEXT: throughMask(pextWalk),
} as const satisfies InstructionTable;

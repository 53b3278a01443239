/** How arithmetic sets the flags (SDM vol. 1, 3.4.3.1 and appendix A); rules that only one file needs stand there. */
import * as v from '../../ir/build.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import { resultFlags } from '../semantics.ts';

export const sign = (a: Value): Value => v.bit(a, a.width - 1);

/** The carry out of bit 3, where `result` is the sum or the difference of the two. */
const adjust = (x: Value, y: Value, result: Value): Value => v.bit(v.xor(v.xor(x, y), result), 4);

const sumOverflow = (x: Value, y: Value, sum: Value): Value =>
  sign(v.and(v.xor(x, sum), v.xor(y, sum)));

const differenceOverflow = (x: Value, y: Value, difference: Value): Value =>
  sign(v.and(v.xor(x, y), v.xor(x, difference)));

/** Of x + y. */
export const addRule: FlagRule = {
  name: 'add',
  flags: (x: Value, sum: Value) => {
    const y = v.sub(sum, x);
    return {
      ...resultFlags(sum),
      CF: v.lessUnsigned(sum, x),
      AF: adjust(x, y, sum),
      OF: sumOverflow(x, y, sum),
    };
  },
  conditions: {
    B: (x: Value, sum: Value) => v.lessUnsigned(sum, x),
    E: (_: Value, sum: Value) => v.isZero(sum),
    S: (_: Value, sum: Value) => sign(sum),
  },
};

/** Of x + y + CF. */
export const adcRule: FlagRule = {
  name: 'adc',
  flags: (x: Value, y: Value, sum: Value) => ({
    ...resultFlags(sum),
    CF: sign(v.or(v.and(x, y), v.and(v.or(x, y), v.not(sum)))),
    AF: adjust(x, y, sum),
    OF: sumOverflow(x, y, sum),
  }),
};

/** Of x - y. */
export const subRule: FlagRule = {
  name: 'sub',
  flags: (x: Value, y: Value) => {
    const difference = v.sub(x, y);
    return {
      ...resultFlags(difference),
      CF: v.lessUnsigned(x, y),
      AF: adjust(x, y, difference),
      OF: differenceOverflow(x, y, difference),
    };
  },
  conditions: {
    B: (x: Value, y: Value) => v.lessUnsigned(x, y),
    BE: (x: Value, y: Value) => v.lessEqualUnsigned(x, y),
    E: (x: Value, y: Value) => v.equal(x, y),
    L: (x: Value, y: Value) => v.lessSigned(x, y),
    LE: (x: Value, y: Value) => v.lessEqualSigned(x, y),
  },
};

/** Of x - y - CF. */
export const sbbRule: FlagRule = {
  name: 'sbb',
  flags: (x: Value, y: Value, difference: Value) => ({
    ...resultFlags(difference),
    CF: sign(v.or(v.and(v.not(x), y), v.and(v.or(v.not(x), y), difference))),
    AF: adjust(x, y, difference),
    OF: differenceOverflow(x, y, difference),
  }),
};

/** Of 0 - y. */
export const negRule: FlagRule = {
  name: 'neg',
  flags: (result: Value) => {
    const y = v.neg(result);
    return {
      ...resultFlags(result),
      CF: v.notEqual(result, v.constant(result.width, 0)),
      AF: v.bit(v.xor(y, result), 4),
      OF: sign(v.and(y, result)),
    };
  },
  conditions: { E: (result: Value) => v.isZero(result), S: sign },
};

/** Of an increment, which keeps CF. */
export const incRule: FlagRule = {
  name: 'inc',
  flags: (result: Value, carry: Value) => ({
    ...resultFlags(result),
    CF: carry,
    AF: v.isZero(v.and(result, v.constant(result.width, 0xf))),
    OF: v.equal(result, v.constant(result.width, 1n << BigInt(result.width - 1))),
  }),
  conditions: { E: (result: Value) => v.isZero(result), S: sign },
};

/** Of a decrement, which keeps CF. */
export const decRule: FlagRule = {
  name: 'dec',
  flags: (result: Value, carry: Value) => {
    const low = v.constant(result.width, 0xf);
    return {
      ...resultFlags(result),
      CF: carry,
      AF: v.equal(v.and(result, low), low),
      OF: v.equal(result, v.constant(result.width, v.mask(result.width) >> 1n)),
    };
  },
  conditions: { E: (result: Value) => v.isZero(result), S: sign },
};

/** Of AND, OR, XOR and TEST. */
export const logicRule: FlagRule = {
  name: 'logic',
  flags: (result: Value) => ({
    ...resultFlags(result),
    CF: v.zero,
    OF: v.zero,
    AF: v.undefinedFlag,
  }),
  conditions: {
    O: () => v.zero,
    B: () => v.zero,
    E: (result: Value) => v.isZero(result),
    BE: (result: Value) => v.isZero(result),
    S: sign,
    L: (result: Value) => v.lessSigned(result, v.constant(result.width, 0)),
    LE: (result: Value) => v.lessEqualSigned(result, v.constant(result.width, 0)),
  },
};

/** Of instructions that leave all flags undefined. */
export const undefinedRule: FlagRule = {
  name: 'undefined',
  flags: () => ({
    CF: v.undefinedFlag,
    PF: v.undefinedFlag,
    AF: v.undefinedFlag,
    ZF: v.undefinedFlag,
    SF: v.undefinedFlag,
    OF: v.undefinedFlag,
  }),
};

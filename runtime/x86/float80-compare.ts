/** x87 comparison and classification as IR subroutines (SDM vol. 2, FCOM, FUCOM, FXAM). */
import * as v from '../ir/build.ts';
import type { Subroutine, Value } from '../ir/value.ts';
import {
  any,
  isNonzero,
  type Operand80,
  stackFaultBit,
  status,
  unpack,
  without,
} from './float80.ts';

/** Bit of the control parameter: a quiet NaN is no invalid operand (FUCOM). */
export const quietCompareBit = 17;

const c32 = (value: number): Value => v.constant(32, value);
const when = (condition: Value, bits: number): Value => v.select(condition, c32(bits), c32(0));

/** Of numbers and infinities. */
const order = (a: Operand80, b: Operand80): { less: Value; equal: Value } => {
  const exponentOf = (x: Operand80): Value => v.add(x.exponent, v.resize(v.isZero(x.exponent), 64));
  const exponentA = exponentOf(a);
  const exponentB = exponentOf(b);
  const sameExponent = v.equal(exponentA, exponentB);
  const smaller = v.or(
    v.lessUnsigned(exponentA, exponentB),
    v.and(sameExponent, v.lessUnsigned(a.significand, b.significand)),
  );
  const sameMagnitude = v.and(sameExponent, v.equal(a.significand, b.significand));
  const zeros = v.and(a.zero, b.zero);
  const sameSign = v.equal(a.sign, b.sign);
  const negative = isNonzero(a.sign);
  const farther = v.not(v.or(smaller, sameMagnitude));
  return {
    equal: v.or(zeros, v.and(sameSign, sameMagnitude)),
    less: without(v.select(sameSign, v.select(negative, farther, smaller), negative), zeros),
  };
};

/** What FCOM adds to the status word: C0 less, C3 equal, C0 C2 C3 unordered, and exceptions. */
export const float80Compare: Subroutine = {
  name: 'float80Compare',
  parameters: [128, 128, 32],
  result: 32,
  body: (inputs) => {
    const [x, y, control] = inputs as [Value, Value, Value];
    const a = unpack(x);
    const b = unpack(y);
    const { less, equal } = order(a, b);
    const stackFault = v.bit(control, stackFaultBit);
    const nan = v.or(a.nan, b.nan);
    const invalid = any(
      stackFault,
      a.unsupported,
      b.unsupported,
      a.signalling,
      b.signalling,
      without(nan, v.bit(control, quietCompareBit)),
    );
    const unordered = v.or(invalid, nan);
    const denormal = without(v.or(a.denormal, b.denormal), unordered);
    return any(
      v.select(
        unordered,
        c32(status.C0 | status.C2 | status.C3),
        v.or(when(less, status.C0), when(equal, status.C3)),
      ),
      when(invalid, status.IE),
      when(denormal, status.DE),
      when(stackFault, status.SF),
    );
  },
};

/** FXAM: C3 C2 C0 by class, C1 the sign. Bit 16 of the control parameter: the register is empty. */
export const float80Examine: Subroutine = {
  name: 'float80Examine',
  parameters: [128, 32],
  result: 32,
  body: (inputs) => {
    const [input, control] = inputs as [Value, Value];
    const x = unpack(input);
    const { C0, C1, C2, C3 } = status;
    const kind = [
      [v.bit(control, stackFaultBit), C3 | C0],
      [x.unsupported, 0],
      [x.nan, C0],
      [x.infinity, C2 | C0],
      [x.zero, C3],
      [x.denormal, C3 | C2],
    ] as const;
    const chosen = kind.reduceRight<Value>(
      (otherwise, [condition, bits]) => v.select(condition, c32(bits), otherwise),
      c32(C2),
    );
    return v.or(chosen, when(isNonzero(x.sign), C1));
  },
};

/** Of a register that is not empty: 0 valid, 1 zero, 2 special (SDM vol. 1, figure 8-7). */
export const float80Tag: Subroutine = {
  name: 'float80Tag',
  parameters: [128],
  result: 32,
  body: ([input]) => {
    const x = unpack(input as Value);
    const empty = v.and(v.isZero(x.exponent), x.zero);
    const special = any(x.unsupported, x.nan, x.infinity, x.denormal);
    return v.select(empty, c32(1), when(special, 2));
  },
};

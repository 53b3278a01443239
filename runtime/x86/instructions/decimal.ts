/** AAA AAS AAD AAM DAA DAS, of 32-bit code alone (SDM vol. 1, 5.1.3). */
import * as v from '../../ir/build.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import { type InstructionTable, resultFlags, type Semantics, vectors } from '../semantics.ts';
import { accumulator, accumulatorHigh } from './operands.ts';

const byte = (number: number): Value => v.constant(8, number);
const lowDigit = (al: Value): Value => v.and(al, byte(0x0f));

/** CF and AF tell that the digit was adjusted. */
export const asciiRule: FlagRule = {
  name: 'aaa',
  flags: (adjusted: Value) => ({
    CF: adjusted,
    AF: adjusted,
    OF: v.undefinedFlag,
    SF: v.undefinedFlag,
    ZF: v.undefinedFlag,
    PF: v.undefinedFlag,
  }),
};

/** AX := AX ± 106H where the low digit is no decimal one; then AL := its low digit. */
const asciiAdjust =
  (compute: (a: Value, c: Value) => Value): Semantics =>
  (b) => {
    const ax = b.read(accumulator(16));
    const digit = lowDigit(b.read(accumulator(8)));
    const adjusted = v.or(v.lessUnsigned(byte(9), digit), b.flag('AF'));
    const after = v.select(adjusted, compute(ax, v.constant(16, 0x106)), ax);
    b.write(accumulator(16), v.and(after, v.constant(16, 0xff0f)));
    b.setFlags(asciiRule, adjusted);
  };

export const digitRule: FlagRule = {
  name: 'aam',
  flags: (al: Value) => ({
    ...resultFlags(al),
    CF: v.undefinedFlag,
    AF: v.undefinedFlag,
    OF: v.undefinedFlag,
  }),
};

/** AH := AL / BASE, AL := the remainder. */
const aam: Semantics = (b, [base]) => {
  const al = v.resize(b.read(accumulator(8)), 32);
  const by = v.resize(b.read(base), 32);
  b.raiseIf(v.isZero(by), vectors.DE);
  if (v.constantOf(by) === 0n) return;
  const remainder = v.resize(v.remUnsigned(al, by), 8);
  b.write(accumulatorHigh(8), v.resize(v.divUnsigned(al, by), 8));
  b.write(accumulator(8), remainder);
  b.setFlags(digitRule, remainder);
};

/** AL := AL + AH * BASE, AH := 0. */
const aad: Semantics = (b, [base]) => {
  const tens = v.mul(v.resize(b.read(accumulatorHigh(8)), 32), v.resize(b.read(base), 32));
  const al = v.resize(v.add(v.resize(b.read(accumulator(8)), 32), tens), 8);
  b.write(accumulator(16), v.resize(al, 16));
  b.setFlags(digitRule, al);
};

export const packedRule: FlagRule = {
  name: 'daa',
  flags: (al: Value, carry: Value, adjust: Value) => ({
    ...resultFlags(al),
    CF: carry,
    AF: adjust,
    OF: v.undefinedFlag,
  }),
};

/** Both digits of AL, adjusted after an addition (DAA) or a subtraction (DAS). */
const packedAdjust =
  (compute: (a: Value, c: Value) => Value, borrows: boolean): Semantics =>
  (b) => {
    const old = b.read(accumulator(8));
    const carry = b.flag('CF');
    const low = v.or(v.lessUnsigned(byte(9), lowDigit(old)), b.flag('AF'));
    const high = v.or(v.lessUnsigned(byte(0x99), old), carry);
    const first = v.select(low, compute(old, byte(6)), old);
    const second = v.select(high, compute(first, byte(0x60)), first);
    // DAS carries as well where only the low digit's adjustment borrows from below 6.
    const borrow = v.and(low, v.lessUnsigned(old, byte(6)));
    b.write(accumulator(8), second);
    b.setFlags(packedRule, second, borrows ? v.or(high, borrow) : high, low);
  };

export const decimal = {
  AAA: asciiAdjust(v.add),
  AAD: aad,
  AAM: aam,
  AAS: asciiAdjust(v.sub),
  DAA: packedAdjust(v.add, false),
  DAS: packedAdjust(v.sub, true),
} as const satisfies InstructionTable;

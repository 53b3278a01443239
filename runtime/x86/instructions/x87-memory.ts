/** Memory operands of x87 instructions: singles, doubles, 80 bits, integers (SDM vol. 1, 8.2). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { MemoryOperand } from '../../ir/operand.ts';
import type { Value } from '../../ir/value.ts';
import { float80FromFloat32, float80FromFloat64, float80FromInteger } from '../float80-convert.ts';
import type { InstructionFacts } from '../semantics.ts';

/** As an operand of arithmetic: a signalling NaN stays one, a denormal is told. */
export const readFloat = (b: Builder, operand: MemoryOperand): Value =>
  v.call(operand.width === 32 ? float80FromFloat32 : float80FromFloat64, b.read(operand));

export const readInteger = (b: Builder, operand: MemoryOperand): Value =>
  v.call(float80FromInteger, v.signExtend(b.read(operand), 64));

const plus = (address: Value, bytes: number): Value =>
  v.add(address, v.constant(address.width, bytes));

/** 80 bits, exact. */
export const readExtended = (b: Builder, operand: MemoryOperand): Value => {
  const address = b.address(operand);
  const significand = b.load(address, 64);
  return v.pack(significand, v.resize(b.load(plus(address, 8), 16), 64));
};

/** What the memory held, where it is to stay as it is; else the value. */
export interface ConditionalStore {
  readonly stays: Value;
  readonly facts: InstructionFacts;
}

/**
 * Stores unless an unmasked exception forbids it: then the memory's own bytes. Where the store happens, they are not
 * looked for: the load goes to the instruction itself, so that a fault is that of a store.
 */
const store = (
  b: Builder,
  address: Value,
  value: Value,
  { stays, facts }: ConditionalStore,
): void => {
  const elsewhere = v.constant(address.width, facts.address);
  const old = b.load(v.select(stays, address, elsewhere), value.width);
  b.store(address, v.select(stays, old, value));
};

export const storeUnless = (
  b: Builder,
  operand: MemoryOperand,
  value: Value,
  condition: ConditionalStore,
): void => store(b, b.address(operand), value, condition);

/** 80 bits in two parts; the first byte of the further page, where there is one, goes ahead, so that a fault leaves all as it was. */
export const storeExtendedUnless = (
  b: Builder,
  operand: MemoryOperand,
  value: Value,
  condition: ConditionalStore,
): void => {
  const address = b.address(operand);
  const low = v.slice(value, 0, 64);
  const high = v.slice(value, 64, 64);
  const count = (n: number): Value => v.constant(address.width, n);
  const toPage = v.and(v.neg(address), count(0xfff));
  const offset = v.select(v.lessUnsigned(toPage, count(10)), toPage, count(0));
  const bits = v.shiftLeft(v.and(offset, count(7)), 3);
  const part = v.select(v.lessUnsigned(offset, count(8)), low, high);
  const byte = v.resize(v.shiftRight(part, bits), 8);
  store(b, v.add(address, offset), byte, condition);
  store(b, address, low, condition);
  store(b, plus(address, 8), v.resize(high, 16), condition);
};

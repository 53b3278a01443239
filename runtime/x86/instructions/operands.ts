/** Operands that several rows share: register pairs, addresses with a computed part, the stack. */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { MemoryOperand, Operand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import { RAX, RDX, RSP } from '../registers.ts';
import { type InstructionFacts, register, type Semantics, vectors } from '../semantics.ts';

/** AL, AX, EAX or RAX. */
export const accumulator = (width: Width): Operand => register(RAX, width);

/** The upper half of a double-width accumulator: AH, DX, EDX or RDX. */
export const accumulatorHigh = (width: Width): Operand =>
  width === 8 ? { kind: 'register', register: RAX, width: 8, offset: 8 } : register(RDX, width);

const sameRegister = (a: Operand, b: Operand): boolean =>
  a.kind === 'register' &&
  b.kind === 'register' &&
  a.register === b.register &&
  a.width === b.width &&
  a.offset === b.offset;

/** Both operands; a register beside itself is one value, so that the zeroing idioms depend on nothing. */
export function readPair(b: Builder, first: Operand, second: Operand): [Value, Value] {
  const x = b.read(first);
  return [x, sameRegister(first, second) ? x : b.read(second)];
}

export const difference = (x: Value, y: Value): Value =>
  x === y ? v.constant(x.width, 0) : v.sub(x, y);

/** The linear address of a memory operand moved by an offset that wraps with the effective address (BT, XLAT). */
export function addressWithOffset(b: Builder, operand: MemoryOperand, offset: Value): Value {
  const sum = v.add(b.effectiveAddress(operand), offset);
  const effective =
    operand.addressWidth < b.mode ? v.resize(v.resize(sum, operand.addressWidth), b.mode) : sum;
  return operand.segmentBase === undefined
    ? effective
    : v.add(effective, b.loadCpu(operand.segmentBase, b.mode));
}

/** A destination that is read and written: its address may depend on registers that change before the write. */
export interface Place {
  readonly value: Value;
  readonly write: (value: Value) => void;
}

export function place(b: Builder, operand: Operand, forWrite = true): Place {
  if (operand.kind !== 'memory')
    return { value: b.read(operand), write: (value) => b.write(operand, value) };
  const address = b.address(operand);
  return {
    value: b.load(address, operand.width, forWrite),
    write: (value) => b.store(address, value),
  };
}

/** A destination and its source: `x` and `y` are one value where both are one register. */
export function placeAndSource(
  b: Builder,
  destination: Operand,
  source: Operand,
): { x: Value; y: Value; write: (value: Value) => void } {
  const { value: x, write } = place(b, destination);
  return { x, y: sameRegister(destination, source) ? x : b.read(source), write };
}

/** Stores below the stack's top, then moves it: the store may fault. */
export function push(b: Builder, value: Value): void {
  const top = v.add(b.register(RSP), v.constant(b.mode, -value.width / 8));
  b.store(top, value);
  b.setRegister(RSP, top);
}

/** The value at the stack's top, which moves up by it. */
export function pop(b: Builder, width: Width): Value {
  const top = b.register(RSP);
  const value = b.load(top, width);
  b.setRegister(RSP, v.add(top, v.constant(b.mode, width / 8)));
  return value;
}

/** #UD: an instruction that does not exist, or has no meaning here. */
export const undefinedInstruction: Semantics = (b, _, facts) => fault(b, facts, vectors.UD);

/** Ends the block with an exception that names the instruction itself. */
export const fault = (b: Builder, facts: InstructionFacts, vector: number): void =>
  b.end({ kind: 'leave', reason: 'exception', operand: vector, next: facts.address });

/** PUSH POP PUSHA POPA PUSHF POPF ENTER LEAVE (SDM vol. 1, 5.1.1, 5.1.7 and 6.5). */
import * as v from '../../ir/build.ts';
import { type Builder, flagBits } from '../../ir/builder.ts';
import type { MemoryOperand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import { segments } from '../descriptor.ts';
import { RAX, RBP, RSP } from '../registers.ts';
import {
  type InstructionFacts,
  type InstructionTable,
  register,
  type Semantics,
} from '../semantics.ts';
import { cpuState } from '../state.ts';
import { selector } from './data-transfer.ts';
import { pop, push } from './operands.ts';
import { askHost } from './privileged.ts';

/** Data width of a form whose name tells it: `Pushq_FS`, `Enterd_imm16_imm8`. */
export const namedWidth = ({
  code,
  mode,
}: Pick<InstructionFacts, 'code' | 'mode'>): 16 | 32 | 64 => {
  const letter = /^[A-Z][a-z]+?([wdq])_/.exec(code)?.[1];
  return letter === 'w' ? 16 : letter === 'd' ? 32 : letter === 'q' ? 64 : mode;
};

/** Selectors are pushed with zeros above them. */
const pushRow: Semantics = (b, [source], facts) => {
  const value =
    source.kind === 'special' ? v.resize(selector(b, source), namedWidth(facts)) : b.read(source);
  push(b, value);
};

/** A destination in memory whose address RSP is part of counts from the stack after the pop. */
const afterPop = (operand: MemoryOperand): MemoryOperand =>
  operand.base === RSP
    ? { ...operand, displacement: operand.displacement + BigInt(operand.width / 8) }
    : operand;

const popRow: Semantics = (b, operands, facts) => {
  const [destination] = operands;
  if (destination.kind === 'special') {
    askHost(b, operands, facts);
  } else if (destination.kind === 'memory') {
    const top = b.register(RSP);
    b.write(afterPop(destination), b.load(top, destination.width));
    b.setRegister(RSP, v.add(top, v.constant(b.mode, destination.width / 8)));
  } else {
    b.write(destination, pop(b, destination.width)); // after RSP has moved: POP RSP overrides it
  }
};

/** All eight registers in encoding order, downwards, ESP as it was. */
const pusha =
  (width: 16 | 32): Semantics =>
  (b) => {
    const top = b.register(RSP);
    for (let i = 0; i < 8; i++) {
      const address = v.add(top, v.constant(b.mode, (-(i + 1) * width) / 8));
      b.store(address, b.read(register(RAX + i, width)));
    }
    b.setRegister(RSP, v.add(top, v.constant(b.mode, -width)));
  };

/** The reverse; the image of ESP is skipped. */
const popa =
  (width: 16 | 32): Semantics =>
  (b) => {
    const top = b.register(RSP);
    const values: Value[] = [];
    for (let i = 0; i < 8; i++)
      values.push(b.load(v.add(top, v.constant(b.mode, (i * width) / 8)), width));
    b.setRegister(RSP, v.add(top, v.constant(b.mode, width)));
    for (const [i, value] of values.entries())
      if (7 - i !== RSP) b.write(register(7 - i, width), value);
  };

const directionBit = 10;
const otherBits = { TF: 8, NT: 14, AC: 18, ID: 21 } as const;
/** Bit 1 reads as 1, VM and RF as 0 (SDM vol. 1, figure 3-8; PUSHF). */
const neverPushed = (1 << 16) | (1 << 17);

/** EFLAGS as PUSHF shows them. */
export function flagsImage(b: Builder): Value {
  const others = v.and(b.loadCpu(cpuState.otherFlags, 32), v.constant(32, ~neverPushed));
  const direction = v.resize(b.loadCpu(cpuState.direction, 8), 32);
  const image = v.or(b.packedFlags(), v.or(others, v.shiftLeft(direction, directionBit)));
  return v.or(image, v.constant(32, 2));
}

const pushf =
  (width: 16 | 32 | 64): Semantics =>
  (b) =>
    push(b, v.resize(flagsImage(b), width));

const interruptBit = 9;
const ioPrivilegeBits = 0x3000;

/** What POPF may change beside the arithmetic flags and DF: IF by the I/O privilege level, IOPL at level 0 (SDM vol. 2, POPF). */
const changeable = (b: Builder, others: Value, width: 16 | 32 | 64): Value => {
  const bits = Object.values(otherBits).filter((index) => index < width);
  const open = bits.reduce<number>((sum, index) => sum | (1 << index), 0);
  const code = b.loadCpu(cpuState.selectors + 2 * segments.cs, 16);
  const level = v.and(v.resize(code, 32), v.constant(32, 3));
  const ioLevel = v.and(v.shiftRight(others, 12), v.constant(32, 3));
  const interrupts = v.resize(v.lessEqualUnsigned(level, ioLevel), 32);
  const ioPrivilege = v.select(v.isZero(level), v.constant(32, ioPrivilegeBits), v.constant(32, 0));
  return v.or(v.constant(32, open), v.or(v.shiftLeft(interrupts, interruptBit), ioPrivilege));
};

/** Bits that make every instruction behind one that may trap: cpu/exact-steps.ts. */
const trapping = (1 << otherBits.TF) | (1 << otherBits.AC);

/** VIP, VIF, VM and RF stay. Where the flags are to trap, the evaluator goes on. */
const popf =
  (width: 16 | 32 | 64): Semantics =>
  (b) => {
    const top = b.register(RSP);
    const value = v.resize(b.load(top, width), 32);
    b.evaluateIf(v.notEqual(v.and(value, v.constant(32, trapping)), v.constant(32, 0)));
    b.setRegister(RSP, v.add(top, v.constant(b.mode, width / 8)));
    const others = b.loadCpu(cpuState.otherFlags, 32);
    const changed = changeable(b, others, width);
    const kept = v.and(others, v.not(changed));
    b.storeCpu(cpuState.otherFlags, v.or(kept, v.and(value, changed)));
    b.storeCpu(cpuState.direction, v.resize(v.bit(value, directionBit), 8));
    const arithmetic = Object.values(flagBits).reduce<number>(
      (sum, index) => sum | (1 << index),
      0,
    );
    b.setPackedFlags(v.and(value, v.constant(32, arithmetic)));
  };

const at = (b: Builder, base: Value, offset: number): Value =>
  v.add(base, v.constant(b.mode, offset));

/** A frame of SIZE bytes, with LEVEL copies of the frame pointers of the procedures around it. */
const enter: Semantics = (b, [size, level], facts) => {
  const width: Width = namedWidth(facts);
  const bytes = width / 8;
  const allocated = Number(v.constantOf(b.read(size)) ?? 0n);
  const nesting = Number(v.constantOf(b.read(level)) ?? 0n) % 32;
  const top = b.register(RSP);
  const frame = at(b, top, -bytes);
  const outer = b.register(RBP);
  b.store(frame, v.resize(outer, width));
  for (let i = 1; i < nesting; i++)
    b.store(at(b, frame, -i * bytes), b.load(at(b, outer, -i * bytes), width));
  if (nesting > 0) b.store(at(b, frame, -nesting * bytes), v.resize(frame, width));
  b.write(register(RBP, width), v.resize(frame, width));
  b.setRegister(RSP, at(b, frame, -nesting * bytes - allocated));
};

/** RSP := RBP, then RBP is popped. */
const leave: Semantics = (b, _, { operandWidth }) => {
  const frame = b.register(RBP);
  const outer = b.load(frame, operandWidth);
  b.setRegister(RSP, at(b, frame, operandWidth / 8));
  b.write(register(RBP, operandWidth), outer);
};

export const stack = {
  ENTER: enter,
  LEAVE: leave,
  POP: popRow,
  POPA: popa(16),
  POPAD: popa(32),
  POPF: popf(16),
  POPFD: popf(32),
  POPFQ: popf(64),
  PUSH: pushRow,
  PUSHA: pusha(16),
  PUSHAD: pusha(32),
  PUSHF: pushf(16),
  PUSHFD: pushf(32),
  PUSHFQ: pushf(64),
} as const satisfies InstructionTable;

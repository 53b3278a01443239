/** The x87's environment and whole state in memory (SDM vol. 1, 8.1.10, 8.1.11 and 10.5; vol. 2, FXSAVE). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { MemoryOperand, Operand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import { float80Tag } from '../float80-compare.ts';
import { generalRegisters, XMM0 } from '../registers.ts';
import { type InstructionTable, type Semantics, vectors } from '../semantics.ts';
import { cpuState } from '../state.ts';
import { initialize, setControlAndStatus, statusWord } from './x87-control.ts';
import { enter, enterNoWait, type Fpu, readSt, writeSt } from './x87-stack.ts';

const c32 = (value: number): Value => v.constant(32, value);
const registers = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** Fields of an instruction's memory operand. */
interface Fields {
  readonly load: (offset: number, width: Width) => Value;
  readonly store: (offset: number, value: Value) => void;
  /** Stores the last byte where it is on another page than the first, else the first: nothing has changed if it faults. */
  readonly touchLast: (last: number, firstByte: Value, lastByte: Value) => void;
}

const fieldsOf = (b: Builder, operand: Operand): Fields => {
  const base = b.address(operand as MemoryOperand);
  const at = (offset: number): Value => v.add(base, v.constant(base.width, offset));
  return {
    load: (offset, width) => b.load(at(offset), width),
    store: (offset, value) => b.store(at(offset), value),
    touchLast: (last, firstByte, lastByte) => {
      const inPage = v.and(base, v.constant(base.width, 0xfff));
      const apart = v.lessUnsigned(v.constant(base.width, 0xfff - last), inPage);
      const byte = v.resize(v.select(apart, lastByte, firstByte), 8);
      b.store(v.select(apart, at(last), base), byte);
    },
  };
};

/** The tag word: two bits a physical register (SDM vol. 1, figure 8-7). */
const tagWord = (b: Builder, fpu: Fpu): Value =>
  registers.reduce<Value>((word, i) => {
    const content = v.call(float80Tag, b.loadCpu(cpuState.fpu + 16 * i, 128));
    const tag = v.select(v.bit(fpu.tags, i), content, c32(3));
    return v.or(word, v.shiftLeft(tag, 2 * i));
  }, c32(0));

/** A bit for each tag that is not 3. */
const tagsOf = (word: Value): Value =>
  registers.reduce<Value>((tags, i) => {
    const full = v.not(v.and(v.bit(word, 2 * i), v.bit(word, 2 * i + 1)));
    return v.or(tags, v.shiftLeft(v.resize(full, 32), i));
  }, c32(0));

/** 2 or 4: the protected-mode formats of 16 and 32 bits. */
const fieldSize = (code: string): 2 | 4 => (/_m(14|94)byte$/.test(code) ? 2 : 4);

/** Of the formats of 16 bits the CPU touches the last byte before the ones between, which shows in the address of a fault. */
const lastByte = { fnstenv: 13, fnstenv32: 27, fnsave: 93, fxsave: 511 } as const;

const storeEnvironment = (b: Builder, fpu: Fpu, { store }: Fields, size: 2 | 4): void => {
  const put = (index: number, value: Value, upper = 0): void =>
    store(index * size, size === 2 ? v.resize(value, 16) : v.or(value, c32(upper)));
  const reserved = 0xffff0000;
  put(0, fpu.control, reserved);
  put(1, statusWord(fpu), reserved);
  put(2, tagWord(b, fpu), reserved);
  put(3, b.loadCpu(cpuState.fpuInstruction, 32));
  const opcode = v.and(b.loadCpu(cpuState.fpuOpcode, 32), c32(0x7ff));
  put(4, size === 2 ? c32(0) : v.shiftLeft(opcode, 16));
  put(5, b.loadCpu(cpuState.fpuOperand, 32));
  put(6, c32(0), reserved);
};

const setPointers = (b: Builder, instruction: Value, operand: Value, opcode: Value): void => {
  b.storeCpu(cpuState.fpuInstruction, v.resize(instruction, 64));
  b.storeCpu(cpuState.fpuOperand, v.resize(operand, 64));
  b.storeCpu(cpuState.fpuOpcode, v.and(opcode, c32(0x7ff)));
};

const topOf = (status: Value): Value => v.and(v.shiftRight(status, 11), c32(7));

/** Reads all fields, for they may fault; what it returns sets them and tells the new TOP. */
const loadEnvironment = (b: Builder, { load }: Fields, size: 2 | 4): (() => Value) => {
  const field = (index: number): Value => v.resize(load(index * size, size === 2 ? 16 : 32), 32);
  const [control, status, tags, instruction, selector, operand] = [0, 1, 2, 3, 4, 5].map(field) as [
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
  ];
  const opcode = size === 2 ? c32(0) : v.shiftRight(selector, 16);
  return () => {
    const top = topOf(status);
    setControlAndStatus(b, control, status);
    b.storeCpu(cpuState.fpuTop, top);
    b.storeCpu(cpuState.fpuTags, tagsOf(tags));
    setPointers(b, instruction, operand, opcode);
    return top;
  };
};

const fnstenv: Semantics = (b, [destination], { code }) => {
  const fpu = enterNoWait(b);
  const fields = fieldsOf(b, destination);
  const size = fieldSize(code);
  if (size === 2) fields.touchLast(lastByte.fnstenv, fpu.control, c32(0));
  storeEnvironment(b, fpu, fields, size);
  setControlAndStatus(b, v.or(fpu.control, c32(0x3f)), fpu.status);
};

const fldenv: Semantics = (b, [source], { code }) => {
  enter(b);
  const fields = fieldsOf(b, source);
  const size = fieldSize(code);
  fields.load(size === 2 ? lastByte.fnstenv : lastByte.fnstenv32, 8);
  loadEnvironment(b, fields, size)();
};

const fnsave: Semantics = (b, [destination], { code }) => {
  const fpu = enterNoWait(b);
  const fields = fieldsOf(b, destination);
  const size = fieldSize(code);
  if (size === 2) {
    const last = v.slice(readSt(b, fpu, 7), 64, 64);
    fields.touchLast(lastByte.fnsave, fpu.control, v.resize(v.shiftRight(last, 8), 32));
  }
  storeEnvironment(b, fpu, fields, size);
  for (const i of registers) {
    const value = readSt(b, fpu, i);
    fields.store(7 * size + 10 * i, v.slice(value, 0, 64));
    fields.store(7 * size + 10 * i + 8, v.resize(v.slice(value, 64, 64), 16));
  }
  initialize(b);
};

const readRegister = ({ load }: Fields, offset: number): Value => {
  const significand = load(offset, 64);
  return v.pack(significand, v.resize(load(offset + 8, 16), 64));
};

const frstor: Semantics = (b, [source], { code }) => {
  const fpu = enter(b);
  const fields = fieldsOf(b, source);
  const size = fieldSize(code);
  if (size === 2) fields.load(lastByte.fnsave, 8);
  const setEnvironment = loadEnvironment(b, fields, size);
  const values = registers.map((i) => readRegister(fields, 7 * size + 10 * i));
  const top = setEnvironment();
  for (const [i, value] of values.entries()) writeSt(b, { ...fpu, top }, i, value);
};

// FXSAVE and FXRSTOR: SDM vol. 1, table 10-2.

const mxcsrMask = 0xffff;

const checkAlignment = (b: Builder, operand: Operand): void => {
  const address = b.address(operand as MemoryOperand);
  const offset = v.and(address, v.constant(address.width, 15));
  b.raiseIf(v.notEqual(offset, v.constant(address.width, 0)), vectors.GP, 0);
};

/** Pointers are 64 bits in the form with REX.W, else 32 bits and a selector. */
const pointerWidth = (code: string): 32 | 64 =>
  code.startsWith('Fxsave64') || code.startsWith('Fxrstor64') ? 64 : 32;

const fxsave: Semantics = (b, [destination], { code }) => {
  const fpu = enterNoWait(b);
  checkAlignment(b, destination);
  const { store } = fieldsOf(b, destination);
  store(0, v.resize(fpu.control, 16));
  store(2, v.resize(statusWord(fpu), 16));
  store(4, v.resize(fpu.tags, 16));
  store(6, v.resize(b.loadCpu(cpuState.fpuOpcode, 32), 16));
  const pointer = (offset: number): Value => v.resize(b.loadCpu(offset, pointerWidth(code)), 64);
  store(8, pointer(cpuState.fpuInstruction));
  store(16, pointer(cpuState.fpuOperand));
  store(24, b.loadCpu(cpuState.mxcsr, 32));
  store(28, c32(mxcsrMask));
  for (const i of registers) store(32 + 16 * i, readSt(b, fpu, i));
  for (let i = 0; i < generalRegisters(b.mode); i++) store(160 + 16 * i, b.register(XMM0 + i));
};

const fxrstor: Semantics = (b, [source], { code }) => {
  const fpu = enterNoWait(b);
  checkAlignment(b, source);
  const fields = fieldsOf(b, source);
  const { load } = fields;
  load(lastByte.fxsave, 8); // reserved, and read
  const mxcsr = load(24, 32);
  b.raiseIf(v.notEqual(v.and(mxcsr, c32(~mxcsrMask)), c32(0)), vectors.GP, 0);
  const [control, status, tags, opcode] = [0, 2, 4, 6].map((at) => v.resize(load(at, 16), 32)) as [
    Value,
    Value,
    Value,
    Value,
  ];
  const instruction = load(8, pointerWidth(code));
  const operand = load(16, pointerWidth(code));
  const values = registers.map((i) => readRegister(fields, 32 + 16 * i));
  const vector = Array.from({ length: generalRegisters(b.mode) }, (_, i) =>
    load(160 + 16 * i, 128),
  );

  const top = topOf(status);
  setControlAndStatus(b, control, status);
  b.storeCpu(cpuState.fpuTop, top);
  b.storeCpu(cpuState.fpuTags, v.and(tags, c32(0xff)));
  setPointers(b, instruction, operand, opcode);
  for (const [i, value] of values.entries()) writeSt(b, { ...fpu, top }, i, value);
  b.storeCpu(cpuState.mxcsr, mxcsr);
  for (const [i, value] of vector.entries()) b.setRegister(XMM0 + i, value);
};

export const x87Environment = {
  FNSTENV: fnstenv,
  FLDENV: fldenv,
  FNSAVE: fnsave,
  FRSTOR: frstor,
  FXSAVE: fxsave,
  FXSAVE64: fxsave,
  FXRSTOR: fxrstor,
  FXRSTOR64: fxrstor,
} as const satisfies InstructionTable;

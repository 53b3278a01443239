/** The x87 register stack and status word as its instructions use them (SDM vol. 1, 8.1 and 8.5). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Operand } from '../../ir/operand.ts';
import type { Value } from '../../ir/value.ts';
import { indefinite, stackFaultBit, status } from '../float80.ts';
import { vectors } from '../semantics.ts';
import { cpuState } from '../state.ts';

const c32 = (value: number): Value => v.constant(32, value);
const seven = c32(7);

/** The x87 as an instruction finds it, each 32 bits. */
export interface Fpu {
  readonly control: Value;
  /** Without TOP. */
  readonly status: Value;
  readonly top: Value;
  readonly tags: Value;
}

/** Where nobody waits for a pending exception: FNSTSW and its kind. */
export const enterNoWait = (b: Builder): Fpu => ({
  control: b.loadCpu(cpuState.fpuControl, 32),
  status: b.loadCpu(cpuState.fpuStatus, 32),
  top: b.loadCpu(cpuState.fpuTop, 32),
  tags: b.loadCpu(cpuState.fpuTags, 32),
});

/** An unmasked exception of an earlier instruction is raised by the next one (SDM vol. 1, 8.6). */
export const enter = (b: Builder): Fpu => {
  const fpu = enterNoWait(b);
  b.raiseIf(v.bit(fpu.status, 7), vectors.MF);
  return fpu;
};

export const stackIndex = (operand: Operand): number => {
  if (operand.kind !== 'special' || operand.file !== 'st')
    throw new TypeError(`an operand of kind ${operand.kind} is no x87 register`);
  return operand.index;
};

// Registers.

/** Number of the physical register that is ST(index). */
export const physical = ({ top }: Fpu, index: number): Value =>
  index === 0 ? top : v.and(v.add(top, c32(index)), seven);

const place = (register: Value): Value => v.add(v.shiftLeft(register, 4), c32(cpuState.fpu));

export const readSt = (b: Builder, fpu: Fpu, index: number): Value =>
  b.loadCpu(place(physical(fpu, index)), 128);

/** The register's value in the state block: flags of the operation are dropped. */
const stored = (value: Value): Value => v.and(value, v.constant(128, (1n << 80n) - 1n));

export const writeSt = (b: Builder, fpu: Fpu, index: number, value: Value): void =>
  b.storeCpu(place(physical(fpu, index)), stored(value));

/** `tags` with the register's bit set. */
export const filled = (tags: Value, register: Value): Value =>
  v.or(tags, v.shiftLeft(c32(1), register));
export const emptied = (tags: Value, register: Value): Value =>
  v.and(tags, v.not(v.shiftLeft(c32(1), register)));

/** 1 where one of the registers is empty: 32 bits. */
const anyEmpty = (fpu: Fpu, ...indices: number[]): Value => {
  const full = [...new Set(indices)].map((i) => v.shiftRight(fpu.tags, physical(fpu, i)));
  return v.and(v.not(full.reduce((a, c) => v.and(a, c))), c32(1));
};

/** The control word as subroutines take it. */
export const controlFor = (fpu: Fpu, ...indices: number[]): Value =>
  v.or(fpu.control, v.shiftLeft(anyEmpty(fpu, ...indices), stackFaultBit));

export const indefiniteValue = v.constant(
  128,
  (BigInt(indefinite.high) << 64n) | indefinite.significand,
);

// Exceptions.

/** What a result of a subroutine adds to the status word. */
export const flagsOf = (result: Value): Value =>
  v.resize(v.shiftRight(v.slice(result, 64, 64), 16), 32);

/** Exceptions that keep the operands as they are where they are not masked (SDM vol. 1, 8.5). */
export const preOperation = status.IE | status.DE | status.ZE;

export const isUnmasked = (fpu: Fpu, flags: Value, among: number): Value =>
  v.notEqual(v.and(v.and(flags, v.not(fpu.control)), c32(among)), c32(0));

/** Exceptions stick; `conditions` are the other bits that the instruction sets. */
export const updateStatus = (
  b: Builder,
  fpu: Fpu,
  flags: Value,
  conditions: number = status.C1,
): void => {
  const kept = v.and(fpu.status, c32(0xffff & ~conditions));
  const next = v.or(kept, flags);
  const summary = v.select(isUnmasked(fpu, next, 0x3f), c32(status.ES | status.B), c32(0));
  b.storeCpu(cpuState.fpuStatus, v.or(next, summary));
};

/** The same of FCOMI and FCMOVcc, which clear C1 only where a register is empty (so do AMD's CPUs; SDM: FCOMI always). */
export const updateStatusKeepingC1 = (b: Builder, fpu: Fpu, flags: Value): void => {
  const fault = v.bit(flags, 6);
  const kept = v.and(fpu.status, c32(0xffff & ~status.C1));
  updateStatus(b, { ...fpu, status: v.select(fault, kept, fpu.status) }, flags, 0);
};

const stackUnderflow = (condition: Value): Value =>
  v.select(condition, c32(status.IE | status.SF), c32(0));

/** Flags of an instruction whose only exception is that a register is empty. */
export const underflowFlags = (fpu: Fpu, ...indices: number[]): Value =>
  stackUnderflow(v.equal(anyEmpty(fpu, ...indices), c32(1)));

// The stack.

const setTop = (b: Builder, top: Value): void => b.storeCpu(cpuState.fpuTop, top);
const setTags = (b: Builder, tags: Value): void => b.storeCpu(cpuState.fpuTags, tags);

/** Pops `count` registers but where `unless` is 1; `tags` are those after the instruction's own writes. */
export const pop = (b: Builder, fpu: Fpu, count: number, tags: Value, unless: Value): void => {
  let left = tags;
  for (let i = 0; i < count; i++) left = emptied(left, physical(fpu, i));
  setTags(b, v.select(unless, fpu.tags, left));
  if (count > 0) setTop(b, v.select(unless, fpu.top, physical(fpu, count)));
};

/** Pushes a result, or the indefinite where the stack is full (#IS, C1 = 1); that the operand is empty is told first. */
export const push = (b: Builder, fpu: Fpu, result: Value, found?: Value): void => {
  const register = physical(fpu, 7);
  const isFull = v.bit(v.shiftRight(fpu.tags, register), 0);
  const full = found === undefined ? isFull : v.and(isFull, v.not(v.bit(found, 6)));
  const overflow = status.IE | status.SF | status.C1;
  const flags = v.select(full, c32(overflow), found ?? c32(0));
  const stays = isUnmasked(fpu, flags, status.IE);
  const value = v.select(full, indefiniteValue, result);
  const offset = place(register);
  b.storeCpu(offset, v.select(stays, b.loadCpu(offset, 128), stored(value)));
  setTags(b, v.select(stays, fpu.tags, filled(fpu.tags, register)));
  setTop(b, v.select(stays, fpu.top, register));
  updateStatus(b, fpu, flags);
};

/** Writes an operation's result over `old`, which is ST(index), then pops; unmasked exceptions leave all as it is. */
export const settle = (
  b: Builder,
  fpu: Fpu,
  index: number,
  result: Value,
  old: Value,
  { pops = 0, conditions = status.C1 }: { pops?: number; conditions?: number } = {},
): void => {
  const flags = flagsOf(result);
  const stays = isUnmasked(fpu, flags, preOperation);
  writeSt(b, fpu, index, v.select(stays, old, result));
  pop(b, fpu, pops, filled(fpu.tags, physical(fpu, index)), stays);
  updateStatus(b, fpu, flags, conditions);
};

/**
 * Replaces ST(0) and pushes beside it, as FXTRACT does; a full stack is #IS with C1 = 1 and makes both indefinite.
 * Flags with C2 say that the operand is out of range and all stays as it is.
 */
export const pushBeside = (
  b: Builder,
  fpu: Fpu,
  { old, replaced, pushed }: { old: Value; replaced: Value; pushed: Value },
  conditions?: number,
): void => {
  const register = physical(fpu, 7);
  const found = v.or(flagsOf(replaced), flagsOf(pushed));
  const empty = v.bit(found, 6);
  const full = v.and(v.bit(v.shiftRight(fpu.tags, register), 0), v.not(empty));
  const flags = v.select(full, c32(status.IE | status.SF | status.C1), found);
  const outside = v.notEqual(v.and(flags, c32(status.C2)), c32(0));
  const stays = v.or(isUnmasked(fpu, flags, preOperation), outside);
  const offset = place(register);
  const beside = v.select(full, indefiniteValue, replaced);
  const value = v.select(full, indefiniteValue, stored(pushed));
  writeSt(b, fpu, 0, v.select(stays, old, beside));
  b.storeCpu(offset, v.select(stays, b.loadCpu(offset, 128), value));
  const tags = filled(filled(fpu.tags, fpu.top), register);
  setTags(b, v.select(stays, fpu.tags, tags));
  setTop(b, v.select(stays, fpu.top, register));
  updateStatus(b, fpu, flags, conditions);
};

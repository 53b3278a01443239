/** x87 control (SDM vol. 1, 5.2.6). Its environment and state in memory are in x87-environment.ts. */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Value } from '../../ir/value.ts';
import { status } from '../float80.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { cpuState } from '../state.ts';
import { nothing } from './simd.ts';
import {
  emptied,
  enter,
  enterNoWait,
  type Fpu,
  physical,
  pop,
  stackIndex,
  updateStatus,
} from './x87-stack.ts';

const c32 = (value: number): Value => v.constant(32, value);
const none = c32(0);

/** The status word as it is stored, with TOP in bits 11 to 13. */
export const statusWord = (fpu: Fpu): Value => v.or(fpu.status, v.shiftLeft(fpu.top, 11));

/** Sets control and status; ES and B follow from both (SDM vol. 1, 8.1.3.3). */
export const setControlAndStatus = (b: Builder, control: Value, word: Value): void => {
  const kept = v.or(v.and(control, c32(0x1f3f)), c32(0x40));
  b.storeCpu(cpuState.fpuControl, kept);
  const exceptions = v.and(v.and(word, v.not(kept)), c32(0x3f));
  const summary = v.select(v.isZero(exceptions), none, c32(status.ES | status.B));
  const rest = v.and(word, c32(0xffff & ~(status.ES | status.B | 0x3800)));
  b.storeCpu(cpuState.fpuStatus, v.or(rest, summary));
};

/** The state of FNINIT; the registers keep their content. */
export const initialize = (b: Builder): void => {
  b.storeCpu(cpuState.fpuControl, c32(0x37f));
  b.storeCpu(cpuState.fpuStatus, none);
  b.storeCpu(cpuState.fpuTop, none);
  b.storeCpu(cpuState.fpuTags, none);
  b.storeCpu(cpuState.fpuInstruction, v.constant(64, 0));
  b.storeCpu(cpuState.fpuOperand, v.constant(64, 0));
  b.storeCpu(cpuState.fpuOpcode, none);
};

const fnstsw: Semantics = (b, [destination]) => {
  b.write(destination, v.resize(statusWord(enterNoWait(b)), 16));
};

const fnstcw: Semantics = (b, [destination]) => {
  b.write(destination, v.resize(enterNoWait(b).control, 16));
};

const fldcw: Semantics = (b, [source]) => {
  const fpu = enter(b);
  setControlAndStatus(b, v.resize(b.read(source), 32), fpu.status);
};

const fnclex: Semantics = (b) => {
  b.storeCpu(cpuState.fpuStatus, v.and(enterNoWait(b).status, c32(0x7f00)));
};

const wait: Semantics = (b) => {
  enter(b);
};

const ffree: Semantics = (b, [operand]) => {
  const fpu = enter(b);
  b.storeCpu(cpuState.fpuTags, emptied(fpu.tags, physical(fpu, stackIndex(operand))));
  updateStatus(b, fpu, none);
};

/** FFREE, then a pop; not in the manual, but in all CPUs and in old compilers' code. */
const ffreep: Semantics = (b, [operand]) => {
  const fpu = enter(b);
  pop(b, fpu, 1, emptied(fpu.tags, physical(fpu, stackIndex(operand))), v.zero);
  updateStatus(b, fpu, none);
};

/** Moves TOP; tags and registers stay. */
const rotate =
  (by: number): Semantics =>
  (b) => {
    const fpu = enter(b);
    b.storeCpu(cpuState.fpuTop, physical(fpu, by));
    updateStatus(b, fpu, none);
  };

export const x87Control = {
  FNSTSW: fnstsw,
  FNSTCW: fnstcw,
  FLDCW: fldcw,
  FNINIT: (b) => initialize(b),
  FNCLEX: fnclex,
  WAIT: wait,
  FNOP: wait,
  // Of the 8087 and the 80287; NOPs since (SDM vol. 1, 22.18).
  FNDISI: nothing,
  FNENI: nothing,
  FNSETPM: nothing,
  FFREE: ffree,
  FFREEP: ffreep,
  FINCSTP: rotate(1),
  FDECSTP: rotate(7),
} as const satisfies InstructionTable;

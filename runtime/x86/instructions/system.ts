/**
 * What asks for a hypercall, what does nothing (SDM vol. 1, 5.1.13; hints that came with SSE stand there), bases of FS and
 * GS, and ARPL (5.20).
 */
import * as v from '../../ir/build.ts';
import { R11, RCX } from '../registers.ts';
import { type InstructionTable, type Semantics, vectors } from '../semantics.ts';
import { cpuState } from '../state.ts';
import { place, undefinedInstruction } from './operands.ts';
import { flagsImage } from './stack.ts';

const nothing: Semantics = () => undefined;

/** `leaveOperand` of SYSCALL, beyond the vectors of INT. */
const syscallOperand = 0x100;

/** RCX := the return address, R11 := RFLAGS; a 64-bit guest of Xen asks so. */
const syscall: Semantics = (b, operands, facts) => {
  if (facts.mode === 32) {
    undefinedInstruction(b, operands, facts);
    return;
  }
  const flags = flagsImage(b);
  b.setRegister(RCX, v.constant(64, facts.next));
  b.setRegister(R11, v.resize(flags, 64));
  b.end({ kind: 'leave', reason: 'hypercall', operand: syscallOperand, next: facts.next });
};

const readBase =
  (offset: number): Semantics =>
  (b, [destination]) =>
    b.write(destination, b.loadCpu(offset, destination.width));

const writeBase =
  (offset: number): Semantics =>
  (b, [source]) => {
    const base = v.resize(b.read(source), 64);
    const extended = v.shiftRightSigned(v.shiftLeft(base, 16), 16);
    b.raiseIf(v.notEqual(base, extended), vectors.GP, 0); // not canonical
    b.storeCpu(offset, base);
  };

/** RPL of DEST := the larger of both; ZF tells whether it changed. */
const arpl: Semantics = (b, [destination, source]) => {
  const { value, write } = place(b, { ...destination, width: 16 });
  const level = v.and(b.read({ ...source, width: 16 }), v.constant(16, 3));
  const lower = v.lessUnsigned(v.and(value, v.constant(16, 3)), level);
  const raised = v.or(v.and(value, v.constant(16, 0xfffc)), level);
  write(v.select(lower, raised, value));
  b.setSomeFlags({ ZF: lower });
};

/** NOPs wherever the feature that gave them a meaning is missing: 0F 0D and 0F 18 to 0F 1F (SDM vol. 2, table A-3; NOP). */
export const reservedHints = {
  CLDEMOTE: nothing,
  ENDBR32: nothing,
  ENDBR64: nothing,
  PREFETCHIT0: nothing,
  PREFETCHIT1: nothing,
  PREFETCHWT1: nothing,
  RDSSPD: nothing,
  RDSSPQ: nothing,
  RESERVEDNOP: nothing,
} as const satisfies InstructionTable;

export const system = {
  ARPL: arpl,
  NOP: nothing,
  PREFETCH: nothing,
  PREFETCHW: nothing,
  RDFSBASE: readBase(cpuState.fsBase),
  RDGSBASE: readBase(cpuState.gsBase),
  SYSCALL: syscall,
  UD0: undefinedInstruction,
  UD1: undefinedInstruction,
  UD2: undefinedInstruction,
  /** The host call of Mini-OS's trampolines. */
  VMCALL: (b, _, { next }) => b.end({ kind: 'leave', reason: 'hostCall', operand: 0, next }),
  WRFSBASE: writeBase(cpuState.fsBase),
  WRGSBASE: writeBase(cpuState.gsBase),
  ...reservedHints,
} as const satisfies InstructionTable;

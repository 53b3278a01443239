/** What asks the host, and what does nothing (SDM vol. 1, 5.1.13; hints that came with SSE stand there). */
import * as v from '../../ir/build.ts';
import { R11, RCX } from '../registers.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { undefinedInstruction } from './operands.ts';
import { flagsImage } from './stack.ts';

const nothing: Semantics = () => undefined;

/** `leaveOperand` of SYSCALL, beyond the vectors of INT. */
export const syscallOperand = 0x100;

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

export const system = {
  ENDBR32: nothing,
  ENDBR64: nothing,
  NOP: nothing,
  PREFETCHW: nothing,
  RDSSPD: nothing, // without shadow stacks a NOP
  RDSSPQ: nothing,
  SYSCALL: syscall,
  UD0: undefinedInstruction,
  UD1: undefinedInstruction,
  UD2: undefinedInstruction,
  /** The host call of Mini-OS's trampolines. */
  VMCALL: (b, _, { next }) => b.end({ kind: 'leave', reason: 'hostCall', operand: 0, next }),
} as const satisfies InstructionTable;

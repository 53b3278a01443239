/** Where a vCPU's registers live while no recompiled function holds them: one block of machine memory, by offset. */
import { XMM0 } from './registers.ts';

/** Offset of a general register (8 bytes each) or an XMM register (16). */
export const registerOffset = (register: number): number =>
  register < XMM0 ? register * 8 : 0x80 + (register - XMM0) * 16;

// biome-ignore format: a table
export const cpuState = {
  /** General registers, 16 of 8 bytes. */ general: 0x000,
  /** XMM registers, 16 of 16 bytes. */ xmm: 0x080,
  /** Physical x87 registers R0 to R7, 16 bytes each: 64-bit significand, then sign and exponent in 16 bits. */ fpu: 0x180,
  /** x87 control word, 32-bit slot. */ fpuControl: 0x200,
  /** x87 status word without TOP. */ fpuStatus: 0x204,
  /** TOP, 0 to 7. */ fpuTop: 0x208,
  /** Bit i is 1 where R(i) holds something (the abridged tag word of FXSAVE). */ fpuTags: 0x20c,
  /** Last x87 instruction and operand. */ fpuInstruction: 0x210, fpuOperand: 0x218, fpuOpcode: 0x220,
  mxcsr: 0x224,
  /** EFLAGS but for the arithmetic flags and DF. */ otherFlags: 0x228,
  /** DF, one byte: 0 or 1. */ direction: 0x22c,
  /** CR0.TS, likewise. */ taskSwitched: 0x22d,
  /** Lazy arithmetic flags: the number of a recipe, then its inputs. */ flagRecipe: 0x230, flagInput0: 0x238, flagInput1: 0x240, flagInput2: 0x248,
  rip: 0x250,
  fsBase: 0x258, gsBase: 0x260,
  /** Why code left (see recompiler/leave-reasons.ts), and what it says of it. */ leaveReason: 0x268, leaveOperand: 0x26c, leaveAddress: 0x270, leaveErrorCode: 0x278,
  /** Polls until the guest must give way. */ polls: 0x280,
  /** Bytes of host stack that recompiled functions may still use. */ stackBudget: 0x284,
  /** Length of the linear run less the span of an access, by log2 of the span: 1, 2, 4, 8, 16 bytes; a run is longer than any span. */ runLimits: 0x288,
  /** Where a recompiled function goes back to, or `left` (recompiler/layout.ts). */ returnedTo: 0x2b0,
  /** Which entry of a resumable function is entered; 0 but on the way there. */ selector: 0x2b8,
  /** Scratch that subroutines and the host pass values through. */ scratch: 0x2c0,
  /** Selectors, as PUSH and MOV read them: es cs ss ds fs gs, 2 bytes each. */ selectors: 0x300,
  /** Length of the linear run less 8, 16, 24 … 256 bytes. */ runSpans: 0x310,
} as const;

/** Bytes of the block; it is 16-byte aligned. */
export const cpuStateSize = 0x410;

/** An instruction's operands as semantics see them; the decoder makes them. */
import type { Width } from './ops.ts';

export interface RegisterOperand {
  readonly kind: 'register';
  readonly register: number;
  readonly width: Width;
  /** 8 for AH, CH, DH and BH. */
  readonly offset: number;
}

export interface MemoryOperand {
  readonly kind: 'memory';
  readonly width: Width;
  /** Offset in the state block of the segment's base, where it may be other than 0. */
  readonly segmentBase: number | undefined;
  readonly base: number | undefined;
  readonly index: number | undefined;
  readonly scale: number;
  /** Of RIP-relative operands the absolute address. */
  readonly displacement: bigint;
  readonly addressWidth: 16 | 32 | 64;
  /** Bits that the instruction's data type spans where it has no Width: 80-bit floats, FXSAVE images. */
  readonly bytes: number;
}

export interface ImmediateOperand {
  readonly kind: 'immediate';
  readonly value: bigint;
  readonly width: Width;
}

/** ST(i), segment and other registers, which rows read through the state block. */
export interface SpecialOperand {
  readonly kind: 'special';
  readonly file: 'st' | 'mm' | 'segment' | 'control' | 'debug';
  readonly index: number;
  readonly width: Width;
}

export type Operand = RegisterOperand | MemoryOperand | ImmediateOperand | SpecialOperand;

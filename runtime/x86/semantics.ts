/** What a row of the instruction tables is: the meaning of a mnemonic, written against the IR builder. */
import * as v from '../ir/build.ts';
import type { Builder } from '../ir/builder.ts';
import type { Operand, RegisterOperand } from '../ir/operand.ts';
import type { Width } from '../ir/ops.ts';
import type { Value } from '../ir/value.ts';
import type { Mode } from './registers.ts';

/** What a row may ask about its instruction beside the operands. */
export interface InstructionFacts {
  readonly address: bigint;
  /** Address of the next instruction. */
  readonly next: bigint;
  readonly mode: Mode;
  /** Target of a near branch, else undefined. */
  readonly target: bigint | undefined;
  readonly repeat: 'rep' | 'repne' | undefined;
  /** Width of the data of instructions without operands that tell: PUSHF, LEAVE, IRET, CBW … */
  readonly operandWidth: 16 | 32 | 64;
  /** Width of RCX, RSI and RDI in LOOP, JRCXZ and string instructions. */
  readonly addressWidth: 16 | 32 | 64;
  /** iced-x86's name of the exact form (`Adc_rm32_r32`). */
  readonly code: string;
}

export type Semantics = (b: Builder, operands: Operands, facts: InstructionFacts) => void;

/** The operands that the instruction has; the decoder guarantees their number, so rows destructure. */
export type Operands = readonly [Operand, Operand, Operand, Operand];

/** Mnemonic in capitals, as iced-x86 spells it → meaning. iced-x86 has told operands and widths apart. */
export type InstructionTable = Readonly<Record<string, Semantics>>;

/** SF, ZF and PF as nearly every instruction sets them. */
export const resultFlags = (result: Value): { SF: Value; ZF: Value; PF: Value } => ({
  SF: v.bit(result, result.width - 1),
  ZF: v.isZero(result),
  PF: v.parity(result),
});

/** Exception vectors (SDM vol. 3, table 6-1). */
export const vectors = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  XM: 19,
} as const;

/** An operand that names a general or vector register. */
export const register = (number: number, width: Width): RegisterOperand => ({
  kind: 'register',
  register: number,
  width,
  offset: 0,
});

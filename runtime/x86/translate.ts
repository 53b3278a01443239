/** One decoded instruction → IR, through its row in the instruction tables. */
import type { Builder } from '../ir/builder.ts';
import type { Operand } from '../ir/operand.ts';
import type { Instruction } from './decode.ts';
import { instructions } from './instructions/index.ts';
import { undefinedInstruction } from './instructions/operands.ts';
import { privileged } from './instructions/privileged.ts';
import { strings } from './instructions/string.ts';
import type { Semantics } from './semantics.ts';

/** The row's name: that of the exact form, where it has a row of its own (MOVSD is a string and an SSE2 instruction). */
export function rowName({ mnemonic, code }: Pick<Instruction, 'mnemonic' | 'code'>): string {
  const form = code.toUpperCase();
  return instructions.has(form) ? form : mnemonic;
}

const rowOf = (instruction: Instruction): Semantics | undefined =>
  instructions.get(rowName(instruction));

/** Whether the instruction means anything to us; what does not raises #UD when it is executed. */
export const hasSemantics = (instruction: Pick<Instruction, 'mnemonic' | 'code'>): boolean =>
  instructions.has(rowName(instruction));

/** Whether the instruction needs a block of its own: it may branch back to itself, or be over early. */
export const standsAlone = (instruction: Instruction): boolean =>
  instruction.mnemonic === 'INTO' ||
  (instruction.repeat !== undefined && rowName(instruction) in strings);

/** Whether it leaves for the host, which comes back behind it; so the next instruction begins a block. */
export const asksHost = ({ mnemonic, operands, flow }: Instruction): boolean => {
  if (flow !== 'next') return false;
  const [destination] = operands;
  const loadsSegment =
    mnemonic !== 'PUSH' && destination.kind === 'special' && destination.file === 'segment';
  return mnemonic in privileged || loadsSegment || operands.some(isSystemRegister);
};

const isSystemRegister = (operand: Operand): boolean =>
  operand.kind === 'special' && (operand.file === 'control' || operand.file === 'debug');

/** Writes the instruction; one without a row ends the block with #UD at its own address. */
export function translateInstruction(b: Builder, instruction: Instruction): void {
  b.instruction(instruction.address, instruction.length);
  const row = rowOf(instruction) ?? undefinedInstruction;
  row(b, instruction.operands, instruction);
}

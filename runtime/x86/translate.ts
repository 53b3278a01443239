/** One decoded instruction → IR, through its row in the instruction tables. */
import type { Builder } from '../ir/builder.ts';
import type { Operand, SpecialOperand } from '../ir/operand.ts';
import type { Instruction } from './decode.ts';
import { instructions } from './instructions/index.ts';
import { checkPending } from './instructions/mmx-registers.ts';
import { undefinedInstruction } from './instructions/operands.ts';
import { privileged } from './instructions/privileged.ts';
import { strings } from './instructions/string.ts';
import type { Semantics } from './semantics.ts';
import { checkTaskSwitched, heldOff } from './task-switched.ts';

/** The row's name: that of the exact form, where it has a row of its own (MOVSD is a string and an SSE2 instruction). */
export function rowName({ mnemonic, code }: Pick<Instruction, 'mnemonic' | 'code'>): string {
  if (!ambiguous.has(mnemonic)) return mnemonic;
  const form = code.toUpperCase();
  return instructions.has(form) ? form : mnemonic;
}

/** Mnemonics of which a form has a row of its own, whose name goes on with the form's operands. */
const ambiguous: ReadonlySet<string> = new Set(
  [...instructions.keys()].flatMap((name) =>
    name.includes('_') ? [name.split('_', 1)[0] ?? ''] : [],
  ),
);

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
  const [destination, source] = operands;
  const loadsSegment = mnemonic !== 'PUSH' && isSpecial(destination, 'segment');
  return mnemonic in privileged || loadsSegment || isSystem(destination) || isSystem(source);
};

const isSystem = (operand: Operand): boolean =>
  isSpecial(operand, 'control') || isSpecial(operand, 'debug');

/** Registers of MMX stand first or second. */
const usesMmx = ({ mnemonic, operands }: Instruction): boolean =>
  isSpecial(operands[0], 'mm') || isSpecial(operands[1], 'mm') || mnemonic === 'EMMS';

const isSpecial = (operand: Operand, file: SpecialOperand['file']): boolean =>
  operand.kind === 'special' && operand.file === file;

/** Writes the instruction; one without a row ends the block with #UD at its own address. */
export function translateInstruction(b: Builder, instruction: Instruction): void {
  b.instruction(instruction.address, instruction.length);
  const row = rowOf(instruction) ?? undefinedInstruction;
  if (b.checksTaskSwitched && heldOff.has(rowName(instruction))) checkTaskSwitched(b);
  if (usesMmx(instruction)) checkPending(b);
  row(b, instruction.operands, instruction);
}

/**
 * MOVS CMPS SCAS LODS STOS and their repetition (SDM vol. 1, 5.1.8 and 7.3.9). A repeated one does one element an
 * execution of its block and branches back to itself, so that it may fault or be interrupted between any two. Before that it
 * moves as many at once as it can: all but the last one at the most, so that what is left is the same instruction.
 */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Operand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import { RCX, RDI, RSI } from '../registers.ts';
import {
  type InstructionFacts,
  type InstructionTable,
  type Operands,
  register,
  type Semantics,
} from '../semantics.ts';
import { cpuState } from '../state.ts';
import { subRule } from './flag-rules.ts';

/** Moves index registers past an element of `width`, upwards or, where DF is 1, downwards. */
function advance(
  b: Builder,
  width: Width,
  { addressWidth }: InstructionFacts,
  ...indices: number[]
): void {
  const upwards = v.isZero(b.loadCpu(cpuState.direction, 8));
  const bytes = width / 8;
  const step = v.select(upwards, v.constant(addressWidth, bytes), v.constant(addressWidth, -bytes));
  for (const index of indices) {
    const operand = register(index, addressWidth);
    b.write(operand, v.add(b.read(operand), step));
  }
}

/** Those elements of a repeated MOVS or STOS that can be done at once; the registers say so. */
function bulk(
  b: Builder,
  [destination, source]: Operands,
  { addressWidth }: InstructionFacts,
): void {
  // A narrower address wraps before memory does.
  if (destination.kind !== 'memory' || addressWidth !== b.mode) return;
  const counter = register(RCX, addressWidth);
  const count = b.read(counter);
  const most = v.add(count, v.constant(addressWidth, -1));
  const downwards = b.loadCpu(cpuState.direction, 8);
  const isCopy = source.kind === 'memory';
  const done = b.bulk(
    isCopy ? 'bulkCopy' : 'bulkFill',
    destination.width,
    b.address(destination),
    isCopy ? b.address(source) : b.read(source),
    most,
    downwards,
  );
  const bytes = v.shiftLeft(done, Math.log2(destination.width / 8));
  const distance = v.select(v.isZero(downwards), bytes, v.neg(bytes));
  for (const index of isCopy ? [RSI, RDI] : [RDI]) {
    const operand = register(index, addressWidth);
    b.write(operand, v.add(b.read(operand), distance));
  }
  b.write(counter, v.sub(count, done));
}

const movs: Semantics = (b, [destination, source], facts) => {
  b.write(destination, b.read(source));
  advance(b, destination.width, facts, RSI, RDI);
};

const stos: Semantics = (b, [destination, source], facts) => {
  b.write(destination, b.read(source));
  advance(b, destination.width, facts, RDI);
};

const lods: Semantics = (b, [destination, source], facts) => {
  b.write(destination, b.read(source));
  advance(b, destination.width, facts, RSI);
};

const compare =
  (...indices: number[]): Semantics =>
  (b, [first, second], facts) => {
    const x = b.read(first);
    const y = b.read(second);
    advance(b, x.width, facts, ...indices);
    b.setFlags(subRule, x, y);
  };

const repeatable =
  (element: Semantics, { compares = false, atOnce = false }): Semantics =>
  (b, operands, facts) => {
    if (facts.repeat === undefined) {
      element(b, operands, facts);
      return;
    }
    const counter: Operand = register(RCX, facts.addressWidth);
    const count = b.read(counter);
    b.jumpIf(v.isZero(count), facts.next);
    if (atOnce) bulk(b, operands, facts);
    element(b, operands, facts);
    const left = v.add(b.read(counter), v.constant(count.width, -1));
    b.write(counter, left);
    const goesOn = v.not(v.isZero(left));
    const equal = b.condition('E');
    const matches = facts.repeat === 'rep' ? equal : v.not(equal);
    const condition = compares ? v.and(goesOn, matches) : goesOn;
    b.end({ kind: 'branch', condition, taken: facts.address, otherwise: facts.next });
  };

const cmpsRow = repeatable(compare(RSI, RDI), { compares: true });
const scasRow = repeatable(compare(RDI), { compares: true });
const movsRow = repeatable(movs, { atOnce: true });
const lodsRow = repeatable(lods, {});
const stosRow = repeatable(stos, { atOnce: true });

/** The two of 32 bits whose mnemonics SSE2 has as well go by the names of their forms. */
export const strings = {
  CMPSB: cmpsRow,
  CMPSD_M32_M32: cmpsRow,
  CMPSQ: cmpsRow,
  CMPSW: cmpsRow,
  LODSB: lodsRow,
  LODSD: lodsRow,
  LODSQ: lodsRow,
  LODSW: lodsRow,
  MOVSB: movsRow,
  MOVSD_M32_M32: movsRow,
  MOVSQ: movsRow,
  MOVSW: movsRow,
  SCASB: scasRow,
  SCASD: scasRow,
  SCASQ: scasRow,
  SCASW: scasRow,
  STOSB: stosRow,
  STOSD: stosRow,
  STOSQ: stosRow,
  STOSW: stosRow,
} as const satisfies InstructionTable;

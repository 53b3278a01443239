/** Moves, exchanges and conversions of general registers and memory (SDM vol. 1, 5.1.1 and 5.1.13). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { SpecialOperand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { cpuState } from '../state.ts';
import { type Test, conditions as when } from './conditions.ts';
import { accumulator, accumulatorHigh, addressWithOffset } from './operands.ts';
import { askHost } from './privileged.ts';

export const selector = (b: Builder, { index }: SpecialOperand): Value =>
  b.loadCpu(cpuState.selectors + 2 * index, 16);

/** DEST := SRC; segment registers are read here, whatever else is special is the host's. */
const mov: Semantics = (b, operands, facts) => {
  const [destination, source] = operands;
  if (destination.kind === 'special' || (source.kind === 'special' && source.file !== 'segment'))
    askHost(b, operands, facts);
  else if (source.kind === 'special')
    b.write(destination, v.resize(selector(b, source), destination.width));
  else b.write(destination, b.read(source));
};

/** DEST := SRC converted to DEST's width. */
const extend =
  (convert: (a: Value, width: Width) => Value): Semantics =>
  (b, [destination, source]) => {
    b.write(destination, convert(b.read(source), destination.width));
  };

/** DEST := condition ? SRC : DEST; the source is read and the register is written in either case. */
const cmov =
  (test: Test): Semantics =>
  (b, [destination, source]) => {
    const value = b.read(source);
    b.write(destination, v.select(test(b), value, b.read(destination)));
  };

/** DEST := effective address. */
const lea: Semantics = (b, [destination, source]) => {
  if (source.kind !== 'memory') throw new TypeError('LEA without a memory operand');
  b.write(destination, v.resize(b.effectiveAddress(source), destination.width));
};

/** The bytes of a 16-bit value are exchanged by shifts. */
const swapped = (value: Value): Value =>
  value.width === 16 ? v.or(v.shiftLeft(value, 8), v.shiftRight(value, 8)) : v.swapBytes(value);

/** The result of the 16-bit form is undefined; processors give 0. */
const bswap: Semantics = (b, [destination]) => {
  const value = b.read(destination);
  b.write(destination, value.width === 16 ? v.constant(16, 0) : v.swapBytes(value));
};

const movbe: Semantics = (b, [destination, source]) => {
  b.write(destination, swapped(b.read(source)));
};

/** Sign-extends the accumulator's lower half into the whole. */
const convertInPlace =
  (from: Width, to: Width): Semantics =>
  (b) =>
    b.write(accumulator(to), v.signExtend(b.read(accumulator(from)), to));

/** Fills DX, EDX or RDX with the accumulator's sign. */
const convertToDouble =
  (width: 16 | 32 | 64): Semantics =>
  (b) =>
    b.write(accumulatorHigh(width), v.shiftRightSigned(b.read(accumulator(width)), width - 1));

/** AL := the byte at RBX + AL. */
const xlatb: Semantics = (b, [table]) => {
  if (table.kind !== 'memory') throw new TypeError('XLATB without a memory operand');
  const index = v.resize(b.read(accumulator(8)), b.mode);
  const address = addressWithOffset(b, { ...table, index: undefined }, index);
  b.write(accumulator(8), b.load(address, 8));
};

export const dataTransfer = {
  BSWAP: bswap,
  CBW: convertInPlace(8, 16),
  CDQ: convertToDouble(32),
  CDQE: convertInPlace(32, 64),
  CMOVA: cmov(when.A),
  CMOVAE: cmov(when.AE),
  CMOVB: cmov(when.B),
  CMOVBE: cmov(when.BE),
  CMOVE: cmov(when.E),
  CMOVG: cmov(when.G),
  CMOVGE: cmov(when.GE),
  CMOVL: cmov(when.L),
  CMOVLE: cmov(when.LE),
  CMOVNE: cmov(when.NE),
  CMOVNO: cmov(when.NO),
  CMOVNP: cmov(when.NP),
  CMOVNS: cmov(when.NS),
  CMOVO: cmov(when.O),
  CMOVP: cmov(when.P),
  CMOVS: cmov(when.S),
  CQO: convertToDouble(64),
  CWD: convertToDouble(16),
  CWDE: convertInPlace(16, 32),
  LEA: lea,
  MOV: mov,
  MOVBE: movbe,
  MOVSX: extend(v.signExtend),
  MOVSXD: extend(v.signExtend),
  MOVZX: extend(v.resize),
  XLATB: xlatb,
} as const satisfies InstructionTable;

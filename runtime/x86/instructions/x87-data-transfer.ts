/** x87 data transfer (SDM vol. 1, 5.2.1). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { MemoryOperand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import { status } from '../float80.ts';
import {
  float32FromFloat80,
  float64FromFloat80,
  float80LoadFloat32,
  float80LoadFloat64,
  integer16FromFloat80,
  integer32FromFloat80,
  integer64FromFloat80,
} from '../float80-convert.ts';
import { decimalFromFloat80, float80FromDecimal } from '../float80-decimal.ts';
import type { InstructionFacts, InstructionTable, Semantics } from '../semantics.ts';
import { conditions, type Test } from './conditions.ts';
import { readExtended, readInteger, storeExtendedUnless, storeUnless } from './x87-memory.ts';
import {
  controlFor,
  enter,
  type Fpu,
  filled,
  flagsOf,
  indefiniteValue,
  isUnmasked,
  physical,
  pop,
  push,
  readSt,
  stackIndex,
  underflowFlags,
  updateStatus,
  updateStatusKeepingC1,
  writeSt,
} from './x87-stack.ts';

const fld: Semantics = (b, [source]) => {
  const fpu = enter(b);
  if (source.kind !== 'memory') {
    const index = stackIndex(source);
    const flags = underflowFlags(fpu, index);
    const value = v.select(v.bit(flags, 0), indefiniteValue, readSt(b, fpu, index));
    push(b, fpu, value, flags);
  } else if (source.bytes === 10) {
    push(b, fpu, readExtended(b, source));
  } else {
    const convert = source.width === 32 ? float80LoadFloat32 : float80LoadFloat64;
    const value = v.call(convert, b.read(source));
    push(b, fpu, value, flagsOf(value));
  }
};

const fild: Semantics = (b, [source]) => {
  const fpu = enter(b);
  push(b, fpu, readInteger(b, source as MemoryOperand));
};

const fbld: Semantics = (b, [source]) => {
  const fpu = enter(b);
  push(b, fpu, v.call(float80FromDecimal, readExtended(b, source as MemoryOperand)));
};

const fbstp: Semantics = (b, [destination], facts) => {
  const fpu = enter(b);
  const result = v.call(decimalFromFloat80, readSt(b, fpu, 0), controlFor(fpu, 0));
  const flags = flagsOf(result);
  const stays = isUnmasked(fpu, flags, status.IE);
  storeExtendedUnless(b, destination as MemoryOperand, result, { stays, facts });
  pop(b, fpu, 1, fpu.tags, stays);
  updateStatus(b, fpu, flags);
};

/** ST(0) as it is, to a register or to 80 bits of memory. */
const copy = (b: Builder, fpu: Fpu): { value: Value; flags: Value; stays: Value } => {
  const flags = underflowFlags(fpu, 0);
  const value = v.select(v.bit(flags, 0), indefiniteValue, readSt(b, fpu, 0));
  return { value, flags, stays: isUnmasked(fpu, flags, status.IE) };
};

const storeToRegister = (b: Builder, fpu: Fpu, index: number, pops: number): void => {
  const { value, flags, stays } = copy(b, fpu);
  writeSt(b, fpu, index, v.select(stays, readSt(b, fpu, index), value));
  pop(b, fpu, pops, filled(fpu.tags, physical(fpu, index)), stays);
  updateStatus(b, fpu, flags);
};

const storeExtended = (
  b: Builder,
  fpu: Fpu,
  operand: MemoryOperand,
  facts: InstructionFacts,
): void => {
  const { value, flags, stays } = copy(b, fpu);
  storeExtendedUnless(b, operand, value, { stays, facts });
  pop(b, fpu, 1, fpu.tags, stays);
  updateStatus(b, fpu, flags);
};

/** Converts ST(0) and stores it; exceptions that keep the memory keep the stack as well. */
const storeConverted = (
  b: Builder,
  fpu: Fpu,
  operand: MemoryOperand,
  facts: InstructionFacts,
  { convert, control, pops }: { convert: Subroutine; control: Value; pops: number },
): void => {
  const result = v.call(convert, readSt(b, fpu, 0), control);
  const flags = flagsOf(result);
  const stays = isUnmasked(fpu, flags, status.IE | status.OE | status.UE);
  const value = v.resize(v.slice(result, 0, 64), operand.width);
  storeUnless(b, operand, value, { stays, facts });
  if (pops > 0) pop(b, fpu, pops, fpu.tags, stays);
  updateStatus(b, fpu, flags);
};

const fst =
  (pops: number): Semantics =>
  (b, [destination], facts) => {
    const fpu = enter(b);
    if (destination.kind !== 'memory') {
      storeToRegister(b, fpu, stackIndex(destination), pops);
    } else if (destination.bytes === 10) {
      storeExtended(b, fpu, destination, facts);
    } else {
      const convert = destination.width === 32 ? float32FromFloat80 : float64FromFloat80;
      storeConverted(b, fpu, destination, facts, { convert, control: controlFor(fpu, 0), pops });
    }
  };

/** FSTP that minds no empty register: it then moves nothing. Not in the manual, but in all CPUs. */
const fstpnce: Semantics = (b, [destination]) => {
  const fpu = enter(b);
  const index = stackIndex(destination);
  const empty = v.bit(underflowFlags(fpu, 0), 0);
  writeSt(b, fpu, index, v.select(empty, readSt(b, fpu, index), readSt(b, fpu, 0)));
  pop(b, fpu, 1, v.select(empty, fpu.tags, filled(fpu.tags, physical(fpu, index))), v.zero);
  updateStatus(b, fpu, v.constant(32, 0));
};

const toInteger: Partial<Record<Width, Subroutine>> = {
  16: integer16FromFloat80,
  32: integer32FromFloat80,
  64: integer64FromFloat80,
};

/** Rounding control in the control word: toward zero. */
const truncating = v.constant(32, 0xc00);

const fist =
  (pops: number, truncates = false): Semantics =>
  (b, [operand], facts) => {
    const fpu = enter(b);
    const destination = operand as MemoryOperand;
    const convert = toInteger[destination.width];
    if (convert === undefined) throw new TypeError(`${facts.code} of ${destination.width} bits`);
    const given = controlFor(fpu, 0);
    const control = truncates ? v.or(given, truncating) : given;
    storeConverted(b, fpu, destination, facts, { convert, control, pops });
  };

const fxch: Semantics = (b, [first, second]) => {
  const fpu = enter(b);
  const i = stackIndex(first);
  const j = stackIndex(second);
  const x = readSt(b, fpu, i);
  const y = readSt(b, fpu, j);
  const flags = underflowFlags(fpu, i, j);
  const stays = isUnmasked(fpu, flags, status.IE);
  const orIndefinite = (value: Value, index: number): Value =>
    v.select(v.bit(underflowFlags(fpu, index), 0), indefiniteValue, value);
  writeSt(b, fpu, i, v.select(stays, x, orIndefinite(y, j)));
  writeSt(b, fpu, j, v.select(stays, y, orIndefinite(x, i)));
  const tags = filled(filled(fpu.tags, physical(fpu, i)), physical(fpu, j));
  pop(b, fpu, 0, tags, stays);
  updateStatus(b, fpu, flags);
};

/** Conditions are those of CMOVcc after an FCOMI; an empty register is invalid whether it is moved or not. */
const fcmov =
  (test: Test): Semantics =>
  (b, [first, second]) => {
    const fpu = enter(b);
    const i = stackIndex(first);
    const j = stackIndex(second);
    const old = readSt(b, fpu, i);
    const flags = underflowFlags(fpu, i, j);
    const stays = isUnmasked(fpu, flags, status.IE);
    const moved = v.select(test(b), readSt(b, fpu, j), old);
    const value = v.select(v.bit(flags, 0), indefiniteValue, moved);
    writeSt(b, fpu, i, v.select(stays, old, value));
    pop(b, fpu, 0, filled(fpu.tags, physical(fpu, i)), stays);
    updateStatusKeepingC1(b, fpu, flags);
  };

export const x87DataTransfer = {
  FLD: fld,
  FILD: fild,
  FST: fst(0),
  FSTP: fst(1),
  FSTPNCE: fstpnce,
  FIST: fist(0),
  FISTP: fist(1),
  FISTTP: fist(1, true),
  FBLD: fbld,
  FBSTP: fbstp,
  FXCH: fxch,
  FCMOVB: fcmov(conditions.B),
  FCMOVE: fcmov(conditions.E),
  FCMOVBE: fcmov(conditions.BE),
  FCMOVU: fcmov(conditions.P),
  FCMOVNB: fcmov(conditions.AE),
  FCMOVNE: fcmov(conditions.NE),
  FCMOVNBE: fcmov(conditions.A),
  FCMOVNU: fcmov(conditions.NP),
} as const satisfies InstructionTable;

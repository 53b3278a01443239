/** x87 comparison (SDM vol. 1, 5.2.3). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import { status } from '../float80.ts';
import { float80Compare, float80Examine, quietCompareBit } from '../float80-compare.ts';
import type { InstructionTable, Operands, Semantics } from '../semantics.ts';
import { readFloat, readInteger } from './x87-memory.ts';
import {
  controlFor,
  enter,
  type Fpu,
  isUnmasked,
  pop,
  preOperation,
  readSt,
  stackIndex,
  updateStatus,
  updateStatusKeepingC1,
} from './x87-stack.ts';

const conditionCodes = status.C0 | status.C1 | status.C2 | status.C3;

interface Form {
  /** A quiet NaN is no invalid operand. */
  readonly quiet?: boolean;
  readonly pops?: number;
  readonly integer?: boolean;
}

const quietly = v.constant(32, 1 << quietCompareBit);

/** ST(0) with the operand, which is ST(1) where the instruction names none: condition codes and exceptions. */
const compared = (b: Builder, fpu: Fpu, [first, second]: Operands, form: Form): Value => {
  const x = readSt(b, fpu, 0);
  const compare = (y: Value, control: Value): Value =>
    v.call(float80Compare, x, y, form.quiet === true ? v.or(control, quietly) : control);
  if (first.kind === 'memory')
    return compare(
      form.integer === true ? readInteger(b, first) : readFloat(b, first),
      controlFor(fpu, 0),
    );
  const index = second.kind === 'special' ? stackIndex(second) : 1;
  return compare(readSt(b, fpu, index), controlFor(fpu, 0, index));
};

const fcom =
  (form: Form = {}): Semantics =>
  (b, operands) => {
    const fpu = enter(b);
    const flags = compared(b, fpu, operands, form);
    const { pops = 0 } = form;
    if (pops > 0) pop(b, fpu, pops, fpu.tags, isUnmasked(fpu, flags, preOperation));
    updateStatus(b, fpu, flags, conditionCodes);
  };

/** EFLAGS of FCOMI, by the condition codes that FCOM would give. */
export const fcomiRule: FlagRule = {
  name: 'fcomi',
  flags: (codes: Value) => ({
    CF: v.bit(codes, 8),
    PF: v.bit(codes, 10),
    ZF: v.bit(codes, 14),
    AF: v.zero,
    SF: v.zero,
    OF: v.zero,
  }),
};

const fcomi =
  (form: Form = {}): Semantics =>
  (b, operands) => {
    const fpu = enter(b);
    const codes = compared(b, fpu, operands, form);
    const flags = v.and(codes, v.constant(32, 0x7f));
    const stays = isUnmasked(fpu, flags, preOperation);
    const { pops = 0 } = form;
    if (pops > 0) pop(b, fpu, pops, fpu.tags, stays);
    updateStatusKeepingC1(b, fpu, flags);
    b.setFlags(fcomiRule, codes); // also where the exception is not masked, as on AMD's CPUs
  };

const positiveZero = v.pack(v.constant(64, 0), v.constant(64, 0));

const ftst: Semantics = (b) => {
  const fpu = enter(b);
  const flags = v.call(float80Compare, readSt(b, fpu, 0), positiveZero, controlFor(fpu, 0));
  updateStatus(b, fpu, flags, conditionCodes);
};

const fxam: Semantics = (b) => {
  const fpu = enter(b);
  const codes = v.call(float80Examine, readSt(b, fpu, 0), controlFor(fpu, 0));
  updateStatus(b, fpu, codes, conditionCodes);
};

const quiet = true;

export const x87Comparison = {
  FCOM: fcom(),
  FCOMP: fcom({ pops: 1 }),
  FCOMPP: fcom({ pops: 2 }),
  FUCOM: fcom({ quiet }),
  FUCOMP: fcom({ quiet, pops: 1 }),
  FUCOMPP: fcom({ quiet, pops: 2 }),
  FICOM: fcom({ integer: true }),
  FICOMP: fcom({ integer: true, pops: 1 }),
  FCOMI: fcomi(),
  FUCOMI: fcomi({ quiet }),
  FCOMIP: fcomi({ pops: 1 }),
  FUCOMIP: fcomi({ quiet, pops: 1 }),
  FTST: ftst,
  FXAM: fxam,
} as const satisfies InstructionTable;

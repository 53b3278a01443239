/** x87 basic arithmetic (SDM vol. 1, 5.2.2). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import { status } from '../float80.ts';
import {
  float80Add,
  float80Divide,
  float80Multiply,
  float80Subtract,
} from '../float80-arithmetic.ts';
import { float80ToIntegral } from '../float80-convert.ts';
import { float80PartialRemainder, float80PartialRemainderNearest } from '../float80-remainder.ts';
import { float80SquareRoot } from '../float80-root.ts';
import { float80Exponent, float80Scale, float80Significand } from '../float80-scale.ts';
import type { InstructionTable, Operands, Semantics } from '../semantics.ts';
import { readFloat, readInteger } from './x87-memory.ts';
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
  preOperation,
  pushBeside,
  readSt,
  settle,
  stackIndex,
  underflowFlags,
  updateStatus,
  writeSt,
} from './x87-stack.ts';

interface Sources {
  /** ST index of the destination. */
  readonly index: number;
  readonly destination: Value;
  readonly source: Value;
  readonly control: Value;
}

const sources = (
  b: Builder,
  fpu: Fpu,
  [first, second]: Operands,
  readMemory: typeof readFloat,
): Sources => {
  if (first.kind === 'memory') {
    const source = readMemory(b, first);
    return {
      index: 0,
      destination: readSt(b, fpu, 0),
      source,
      control: controlFor(fpu, 0),
    };
  }
  const index = stackIndex(first);
  const from = stackIndex(second);
  const destination = readSt(b, fpu, index);
  return {
    index,
    destination,
    source: from === index ? destination : readSt(b, fpu, from),
    control: controlFor(fpu, index, from),
  };
};

interface Form {
  /** The source is the minuend or dividend. */
  readonly reversed?: boolean;
  readonly pops?: number;
  readonly integer?: boolean;
}

const arithmetic =
  (operation: Subroutine, { reversed = false, pops = 0, integer = false }: Form = {}): Semantics =>
  (b, operands) => {
    const fpu = enter(b);
    const memory = integer ? readInteger : readFloat;
    const { index, destination, source, control } = sources(b, fpu, operands, memory);
    const result = reversed
      ? v.call(operation, source, destination, control)
      : v.call(operation, destination, source, control);
    settle(b, fpu, index, result, destination, { pops });
  };

/** Of ST(0) alone, with the control word. */
const unary =
  (operation: Subroutine): Semantics =>
  (b) => {
    const fpu = enter(b);
    const x = readSt(b, fpu, 0);
    settle(b, fpu, 0, v.call(operation, x, controlFor(fpu, 0)), x);
  };

const fscale: Semantics = (b) => {
  const fpu = enter(b);
  const x = readSt(b, fpu, 0);
  settle(b, fpu, 0, v.call(float80Scale, x, readSt(b, fpu, 1), controlFor(fpu, 0, 1)), x);
};

/** C0, C3 and C1 tell the quotient; where there is none, C0 and C3 stay (so do AMD's CPUs; the manual does not say). */
const fprem =
  (operation: Subroutine): Semantics =>
  (b) => {
    const fpu = enter(b);
    const x = readSt(b, fpu, 0);
    const result = v.call(operation, x, readSt(b, fpu, 1), controlFor(fpu, 0, 1));
    const nan = v.constant(64, 0x7fff);
    const without = v.or(
      v.equal(v.and(v.slice(result, 64, 64), nan), nan),
      isUnmasked(fpu, flagsOf(result), preOperation),
    );
    const { C0, C1, C2, C3 } = status;
    const cleared = v.select(
      without,
      v.constant(32, ~(C1 | C2)),
      v.constant(32, ~(C0 | C1 | C2 | C3)),
    );
    const found = { ...fpu, status: v.and(fpu.status, cleared) };
    settle(b, found, 0, result, x);
  };

/** The exponent in place of ST(0), then the significand is pushed; a full stack makes both indefinite. */
const fxtract: Semantics = (b) => {
  const fpu = enter(b);
  const x = readSt(b, fpu, 0);
  const control = controlFor(fpu, 0);
  const exponent = v.call(float80Exponent, x, control);
  const significand = v.call(float80Significand, x, control);
  pushBeside(b, fpu, { old: x, replaced: exponent, pushed: significand });
};

/** FCHS and FABS: no value is invalid to them, only an empty register. */
const signChange =
  (change: (high: Value) => Value): Semantics =>
  (b) => {
    const fpu = enter(b);
    const x = readSt(b, fpu, 0);
    const flags = underflowFlags(fpu, 0);
    const changed = v.pack(v.slice(x, 0, 64), change(v.slice(x, 64, 64)));
    const value = v.select(v.bit(flags, 0), indefiniteValue, changed);
    const stays = isUnmasked(fpu, flags, status.IE);
    writeSt(b, fpu, 0, v.select(stays, x, value));
    pop(b, fpu, 0, filled(fpu.tags, physical(fpu, 0)), stays);
    updateStatus(b, fpu, flags);
  };

const reversed = true;
const integer = true;

export const x87Arithmetic = {
  FADD: arithmetic(float80Add),
  FADDP: arithmetic(float80Add, { pops: 1 }),
  FIADD: arithmetic(float80Add, { integer }),
  FSUB: arithmetic(float80Subtract),
  FSUBP: arithmetic(float80Subtract, { pops: 1 }),
  FISUB: arithmetic(float80Subtract, { integer }),
  FSUBR: arithmetic(float80Subtract, { reversed }),
  FSUBRP: arithmetic(float80Subtract, { reversed, pops: 1 }),
  FISUBR: arithmetic(float80Subtract, { reversed, integer }),
  FMUL: arithmetic(float80Multiply),
  FMULP: arithmetic(float80Multiply, { pops: 1 }),
  FIMUL: arithmetic(float80Multiply, { integer }),
  FDIV: arithmetic(float80Divide),
  FDIVP: arithmetic(float80Divide, { pops: 1 }),
  FIDIV: arithmetic(float80Divide, { integer }),
  FDIVR: arithmetic(float80Divide, { reversed }),
  FDIVRP: arithmetic(float80Divide, { reversed, pops: 1 }),
  FIDIVR: arithmetic(float80Divide, { reversed, integer }),
  FCHS: signChange((high) => v.xor(high, v.constant(64, 0x8000))),
  FABS: signChange((high) => v.and(high, v.constant(64, 0x7fff))),
  FSQRT: unary(float80SquareRoot),
  FRNDINT: unary(float80ToIntegral),
  FPREM: fprem(float80PartialRemainder),
  FPREM1: fprem(float80PartialRemainderNearest),
  FSCALE: fscale,
  FXTRACT: fxtract,
} as const satisfies InstructionTable;

/** x87 transcendental functions (SDM vol. 1, 5.2.4). */
import * as v from '../../ir/build.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import { status } from '../float80.ts';
import { float80Arctangent } from '../float80-arctangent.ts';
import { float80Exponential } from '../float80-exponential.ts';
import { float80Logarithm, float80LogarithmPlusOne } from '../float80-logarithm.ts';
import { float80Cosine, float80Sine, float80Tangent } from '../float80-trigonometric.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { controlFor, enter, pushBeside, readSt, settle } from './x87-stack.ts';

/** C2 tells that the operand is out of range. */
const conditions = status.C1 | status.C2;

/** Of ST(0), in its place. */
const unary =
  (operation: Subroutine, changed: number): Semantics =>
  (b) => {
    const fpu = enter(b);
    const x = readSt(b, fpu, 0);
    const result = v.call(operation, x, controlFor(fpu, 0));
    settle(b, fpu, 0, result, x, { conditions: changed });
  };

/** Of ST(0) and ST(1), in place of the latter, then a pop. */
const binary =
  (operation: Subroutine): Semantics =>
  (b) => {
    const fpu = enter(b);
    const y = readSt(b, fpu, 1);
    const result = v.call(operation, readSt(b, fpu, 0), y, controlFor(fpu, 0, 1));
    settle(b, fpu, 1, result, y, { pops: 1 });
  };

const one = v.pack(v.constant(64, 1n << 63n), v.constant(64, 0x3fff));

const isNan = (x: Value): Value => {
  const largest = v.constant(64, 0x7fff);
  return v.equal(v.and(v.slice(x, 64, 64), largest), largest);
};

/** The tangent, then 1 above it; a NaN is pushed as it is. */
const fptan: Semantics = (b) => {
  const fpu = enter(b);
  const x = readSt(b, fpu, 0);
  const tangent = v.call(float80Tangent, x, controlFor(fpu, 0));
  const pushed = v.select(isNan(tangent), tangent, one);
  pushBeside(b, fpu, { old: x, replaced: tangent, pushed }, conditions);
};

const fsincos: Semantics = (b) => {
  const fpu = enter(b);
  const x = readSt(b, fpu, 0);
  const control = controlFor(fpu, 0);
  const sine = v.call(float80Sine, x, control);
  const cosine = v.call(float80Cosine, x, control);
  pushBeside(b, fpu, { old: x, replaced: sine, pushed: cosine }, conditions);
};

export const x87Transcendental = {
  FSIN: unary(float80Sine, conditions),
  FCOS: unary(float80Cosine, conditions),
  FSINCOS: fsincos,
  FPTAN: fptan,
  FPATAN: binary(float80Arctangent),
  F2XM1: unary(float80Exponential, status.C1),
  FYL2X: binary(float80Logarithm),
  FYL2XP1: binary(float80LogarithmPlusOne),
} as const satisfies InstructionTable;

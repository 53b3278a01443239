/** SSE: packed and scalar floats of 32 bits, MXCSR, cacheability (SDM vol. 1, 5.5). */
import * as v from '../../ir/build.ts';
import { type InstructionTable, type Semantics, vectors } from '../semantics.ts';
import { cpuState } from '../state.ts';
import { interleave, packed, packedImmediate, shuffleLanes } from './simd.ts';
import { sseConversions } from './sse-convert.ts';
import {
  andNot,
  comparePacked,
  compareScalar,
  compareToFlags,
  packedFloat,
  packedRoot,
  scalarFloat,
  scalarRoot,
} from './sse-float.ts';
import { sseMoves } from './sse-move.ts';
import { sseReciprocals } from './sse-reciprocal.ts';

const shufps = packedImmediate((a, b, order) =>
  shuffleLanes(32, a, b, [order & 3, (order >> 2) & 3, 4 + ((order >> 4) & 3), 4 + (order >> 6)]),
);

/** Bits that MXCSR does not have: setting one is #GP(0). */
const reserved = 0xffff_0000;

const ldmxcsr: Semantics = (b, [source]) => {
  const value = b.read(source);
  const bad = v.and(value, v.constant(32, reserved));
  b.raiseIf(v.notEqual(bad, v.constant(32, 0)), vectors.GP, 0);
  b.storeCpu(cpuState.mxcsr, value);
};

const stmxcsr: Semantics = (b, [destination]) =>
  b.write(destination, b.loadCpu(cpuState.mxcsr, 32));

export const sse = {
  ...sseMoves,
  ...sseConversions,
  ...sseReciprocals,
  ADDPS: packedFloat('floatAdd', 32),
  ADDSS: scalarFloat('floatAdd', 32),
  SUBPS: packedFloat('floatSub', 32),
  SUBSS: scalarFloat('floatSub', 32),
  MULPS: packedFloat('floatMul', 32),
  MULSS: scalarFloat('floatMul', 32),
  DIVPS: packedFloat('floatDiv', 32),
  DIVSS: scalarFloat('floatDiv', 32),
  SQRTPS: packedRoot(32),
  SQRTSS: scalarRoot(32),
  MAXPS: packedFloat('floatMax', 32),
  MAXSS: scalarFloat('floatMax', 32),
  MINPS: packedFloat('floatMin', 32),
  MINSS: scalarFloat('floatMin', 32),
  CMPPS: comparePacked(32),
  CMPSS: compareScalar(32),
  COMISS: compareToFlags(32, false),
  UCOMISS: compareToFlags(32, true),
  ANDPS: packed(v.and),
  ANDNPS: packed(andNot),
  ORPS: packed(v.or),
  XORPS: packed(v.xor),
  SHUFPS: shufps,
  UNPCKHPS: packed(interleave(32, 'high')),
  UNPCKLPS: packed(interleave(32, 'low')),
  LDMXCSR: ldmxcsr,
  STMXCSR: stmxcsr,
} as const satisfies InstructionTable;

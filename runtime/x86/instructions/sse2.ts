/** SSE2: packed and scalar floats of 64 bits (SDM vol. 1, 5.6.1); its moves, conversions and integers stand in their own files. */
import * as v from '../../ir/build.ts';
import type { InstructionTable } from '../semantics.ts';
import { interleave, packed, packedImmediate, shuffleLanes } from './simd.ts';
import { sse2Conversions } from './sse-convert.ts';
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
import { sse2Moves } from './sse-move.ts';
import { sse2Integers } from './sse2-integer.ts';

export const sse2 = {
  ...sse2Moves,
  ...sse2Conversions,
  ...sse2Integers,
  ADDPD: packedFloat('floatAdd', 64),
  ADDSD: scalarFloat('floatAdd', 64),
  SUBPD: packedFloat('floatSub', 64),
  SUBSD: scalarFloat('floatSub', 64),
  MULPD: packedFloat('floatMul', 64),
  MULSD: scalarFloat('floatMul', 64),
  DIVPD: packedFloat('floatDiv', 64),
  DIVSD: scalarFloat('floatDiv', 64),
  SQRTPD: packedRoot(64),
  SQRTSD: scalarRoot(64),
  MAXPD: packedFloat('floatMax', 64),
  MAXSD: scalarFloat('floatMax', 64),
  MINPD: packedFloat('floatMin', 64),
  MINSD: scalarFloat('floatMin', 64),
  CMPPD: comparePacked(64),
  CMPSD: compareScalar(64),
  COMISD: compareToFlags(64, false),
  UCOMISD: compareToFlags(64, true),
  ANDPD: packed(v.and),
  ANDNPD: packed(andNot),
  ORPD: packed(v.or),
  XORPD: packed(v.xor),
  SHUFPD: packedImmediate((a, b, order) =>
    shuffleLanes(64, a, b, [order & 1, 2 + ((order >> 1) & 1)]),
  ),
  UNPCKHPD: packed(interleave(64, 'high')),
  UNPCKLPD: packed(interleave(64, 'low')),
} as const satisfies InstructionTable;

/** Conversions between floats and integers (SDM vol. 1, 5.5.1.6 and 5.6.1.6); those with MMX operands stand in mmx.ts. */
import * as v from '../../ir/build.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import {
  type FloatWidth,
  laneOf,
  lowPart,
  setLowPart,
  type Unary,
  vector,
  vectorOf,
} from './simd.ts';

export const toFloat =
  (width: FloatWidth): Unary =>
  (a) =>
    v.floatResize('floatConvert', a, width);
export const fromSigned =
  (width: FloatWidth): Unary =>
  (a) =>
    v.floatResize('floatFromSigned', a, width);
export const toSigned =
  (width: FloatWidth, op: 'floatToSigned' | 'floatTruncate'): Unary =>
  (a) =>
    v.floatResize(op, a, width);

/** The low `count` lanes of the source, one by one; the rest of the destination becomes 0. */
const lanes =
  (count: number, width: FloatWidth, convert: Unary): Semantics =>
  (b, [destination, source]) => {
    const whole = count * width === 64 ? v.resize(lowPart(b, source, 64), 128) : vector(b, source);
    const results = Array.from({ length: count }, (_, i) => convert(laneOf(whole, i, width)));
    b.write(destination, vectorOf(results));
  };

/** A general register or memory → the low lane. */
const integerToScalar =
  (width: FloatWidth): Semantics =>
  (b, [destination, source]) =>
    setLowPart(b, destination, fromSigned(width)(b.read(source)));

/** The low lane → a general register of 32 or 64 bits. */
const scalarToInteger =
  (width: FloatWidth, op: 'floatToSigned' | 'floatTruncate'): Semantics =>
  (b, [destination, source]) => {
    const low = lowPart(b, source, width);
    b.write(destination, toSigned(destination.width === 64 ? 64 : 32, op)(low));
  };

const scalarToScalar =
  (from: FloatWidth, to: FloatWidth): Semantics =>
  (b, [destination, source]) =>
    setLowPart(b, destination, toFloat(to)(lowPart(b, source, from)));

export const sseConversions = {
  CVTSI2SS: integerToScalar(32),
  CVTSS2SI: scalarToInteger(32, 'floatToSigned'),
  CVTTSS2SI: scalarToInteger(32, 'floatTruncate'),
} as const satisfies InstructionTable;

export const sse2Conversions = {
  CVTPS2PD: lanes(2, 32, toFloat(64)),
  CVTPD2PS: lanes(2, 64, toFloat(32)),
  CVTSS2SD: scalarToScalar(32, 64),
  CVTSD2SS: scalarToScalar(64, 32),
  CVTDQ2PS: lanes(4, 32, fromSigned(32)),
  CVTDQ2PD: lanes(2, 32, fromSigned(64)),
  CVTPS2DQ: lanes(4, 32, toSigned(32, 'floatToSigned')),
  CVTTPS2DQ: lanes(4, 32, toSigned(32, 'floatTruncate')),
  CVTPD2DQ: lanes(2, 64, toSigned(32, 'floatToSigned')),
  CVTTPD2DQ: lanes(2, 64, toSigned(32, 'floatTruncate')),
  CVTSI2SD: integerToScalar(64),
  CVTSD2SI: scalarToInteger(64, 'floatToSigned'),
  CVTTSD2SI: scalarToInteger(64, 'floatTruncate'),
} as const satisfies InstructionTable;

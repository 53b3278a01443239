/** Integers in vectors (SDM vol. 1, 5.6.3); the rows of MMX are the same where an operand is an MMX register (5.4). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Operand } from '../../ir/operand.ts';
import type { Op } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { enterMmx } from './mmx-registers.ts';
import {
  type Binary,
  immediate8,
  interleave,
  type LaneWidth,
  laneOf,
  packed,
  setVector,
  shuffleLanes,
  splat,
  upTo,
  vector,
  zeroVector,
} from './simd.ts';
import { andNot } from './sse-float.ts';

type LaneOp = Extract<Op, `lane${string}`>;

/** DEST := DEST op SRC, lane by lane. */
export const lanes = (op: LaneOp, width: LaneWidth): Semantics => packed(v.lane(op, width));

type Shift = 'laneShiftLeft' | 'laneShiftRight' | 'laneShiftRightSigned';

/** A count beyond the lane gives 0, or the sign in every bit. */
function shifted(op: Shift, width: LaneWidth, a: Value, count: number): Value {
  if (count < width) return v.lane(op, width)(a, v.constant(8, count));
  return op === 'laneShiftRightSigned'
    ? v.lane(op, width)(a, v.constant(8, width - 1))
    : zeroVector;
}

function shiftedBy(op: Shift, width: LaneWidth, a: Value, count: Value): Value {
  const last = v.constant(8, width - 1);
  const beyond = v.lessUnsigned(v.resize(last, 64), count);
  if (op === 'laneShiftRightSigned')
    return v.lane(op, width)(a, v.select(beyond, last, v.resize(count, 8)));
  return v.select(beyond, zeroVector, v.lane(op, width)(a, v.and(v.resize(count, 8), last)));
}

/** By an immediate, or by the low 64 bits of a vector. */
const shift =
  (op: Shift, width: LaneWidth): Semantics =>
  (b, [destination, source]) => {
    if (source.kind === 'immediate') {
      const x = vector(b, destination);
      setVector(b, destination, shifted(op, width, x, immediate8(source)));
      return;
    }
    const count = v.slice(vector(b, source), 0, 64);
    setVector(b, destination, shiftedBy(op, width, vector(b, destination), count));
  };

/** Whole bytes; 16 or more give 0. */
const shiftBytes =
  (left: boolean): Semantics =>
  (b, [destination, immediate]) => {
    const count = Math.min(immediate8(immediate), 16);
    const x = b.read(destination);
    const bytes = upTo(16).map((i) => i + (left ? 16 - count : count));
    b.write(destination, left ? v.shuffle(zeroVector, x, bytes) : v.shuffle(x, zeroVector, bytes));
  };

/** The lanes `order` names, two bits each, of the four from `from` on; the others stay. */
const reorder =
  (width: 16 | 32, from: number): Semantics =>
  (b, [destination, source, immediate]) => {
    const order = immediate8(immediate);
    const x = vector(b, source);
    const indices = upTo(128 / width).map((i) =>
      i >= from && i < from + 4 ? from + ((order >> (2 * (i - from))) & 3) : i,
    );
    setVector(b, destination, shuffleLanes(width, x, x, indices));
  };

const ones16 = splat(16, 1);

/** |a - b| of bytes. */
export const distance: Binary = (a, b) => {
  const less = v.lane('laneSubSaturateUnsigned', 8);
  return v.or(less(a, b), less(b, a));
};

/** Sums of eight distances of bytes, in each half. */
const sumOfDistances: Binary = (a, b) => {
  const bytes = distance(a, b);
  const words = v.lane('laneAdd', 16)(
    v.and(bytes, splat(16, 0xff)),
    v.lane('laneShiftRight', 16)(bytes, v.constant(8, 8)),
  );
  const sums = v.lane('laneDotSigned', 16)(words, ones16);
  return v.lane('laneAdd', 64)(
    v.and(sums, splat(64, 0xffff_ffff)),
    v.lane('laneShiftRight', 64)(sums, v.constant(8, 32)),
  );
};

const pinsrw: Semantics = (b, [destination, source, immediate]) => {
  const mmx = destination.kind === 'special';
  const index = immediate8(immediate) & (mmx ? 3 : 7);
  const part = v.resize(b.read(source), 16);
  setVector(b, destination, v.insert(vector(b, destination), index * 16, part));
};

const pextrw: Semantics = (b, [destination, source, immediate]) => {
  const index = immediate8(immediate) & (source.kind === 'special' ? 3 : 7);
  const part = laneOf(vector(b, source), index, 16);
  b.write(destination, v.resize(part, destination.width));
  if (source.kind === 'special') enterMmx(b);
};

const pmovmskb: Semantics = (b, [destination, source]) => {
  const bits = v.lane('laneBits', 8)(vector(b, source));
  b.write(destination, v.resize(bits, destination.width));
  if (source.kind === 'special') enterMmx(b);
};

/** Bytes whose mask has its top bit. The others are read and written as they are: that may fault where hardware would not. */
export function maskedStore(
  b: Builder,
  place: Operand,
  value: Value,
  mask: Value,
  width: 64 | 128,
): void {
  if (place.kind !== 'memory') throw new TypeError('a masked store goes to memory');
  const address = b.address(place);
  const chosen = v.lane('laneGreaterSigned', 8)(zeroVector, mask);
  const old = v.resize(b.load(address, width, true), 128);
  const merged = v.or(v.and(value, chosen), v.andNot(old, chosen));
  b.store(address, width === 128 ? merged : v.slice(merged, 0, 64));
}

const maskmovdqu: Semantics = (b, [place, source, mask]) =>
  maskedStore(b, place, b.read(source), b.read(mask), 128);

/** Both operands' lanes, narrowed; MMX takes the low half of each. */
const narrow =
  (op: 'laneNarrowSigned' | 'laneNarrowUnsigned', width: 16 | 32): Semantics =>
  (b, [destination, source]) => {
    const y = vector(b, source);
    const x = vector(b, destination);
    const result =
      destination.kind === 'special'
        ? v.lane(op, width)(v.pack(v.slice(x, 0, 64), v.slice(y, 0, 64)), zeroVector)
        : v.lane(op, width)(x, y);
    setVector(b, destination, result);
  };

/** The high halves of MMX operands lie in the low half of their 128 bits interleaved. */
const unpackHigh =
  (width: LaneWidth): Semantics =>
  (b, [destination, source]) => {
    const y = vector(b, source);
    const x = vector(b, destination);
    if (destination.kind !== 'special') {
      b.write(destination, interleave(width, 'high')(x, y));
      return;
    }
    const both = interleave(width, 'low')(x, y);
    setVector(b, destination, v.resize(v.slice(both, 64, 64), 128));
  };

const unpackLow = (width: LaneWidth): Semantics => packed(interleave(width, 'low'));

export const sse2Integers = {
  PADDB: lanes('laneAdd', 8),
  PADDW: lanes('laneAdd', 16),
  PADDD: lanes('laneAdd', 32),
  PADDQ: lanes('laneAdd', 64),
  PADDSB: lanes('laneAddSaturateSigned', 8),
  PADDSW: lanes('laneAddSaturateSigned', 16),
  PADDUSB: lanes('laneAddSaturateUnsigned', 8),
  PADDUSW: lanes('laneAddSaturateUnsigned', 16),
  PSUBB: lanes('laneSub', 8),
  PSUBW: lanes('laneSub', 16),
  PSUBD: lanes('laneSub', 32),
  PSUBQ: lanes('laneSub', 64),
  PSUBSB: lanes('laneSubSaturateSigned', 8),
  PSUBSW: lanes('laneSubSaturateSigned', 16),
  PSUBUSB: lanes('laneSubSaturateUnsigned', 8),
  PSUBUSW: lanes('laneSubSaturateUnsigned', 16),
  PMULLW: lanes('laneMul', 16),
  PMULHW: lanes('laneMulHighSigned', 16),
  PMULHUW: lanes('laneMulHighUnsigned', 16),
  PMULUDQ: lanes('laneMulEvenUnsigned', 32),
  PMADDWD: lanes('laneDotSigned', 16),
  PSADBW: packed(sumOfDistances),
  PAVGB: lanes('laneAverageUnsigned', 8),
  PAVGW: lanes('laneAverageUnsigned', 16),
  PMAXUB: lanes('laneMaxUnsigned', 8),
  PMAXSW: lanes('laneMaxSigned', 16),
  PMINUB: lanes('laneMinUnsigned', 8),
  PMINSW: lanes('laneMinSigned', 16),
  PCMPEQB: lanes('laneEqual', 8),
  PCMPEQW: lanes('laneEqual', 16),
  PCMPEQD: lanes('laneEqual', 32),
  PCMPGTB: lanes('laneGreaterSigned', 8),
  PCMPGTW: lanes('laneGreaterSigned', 16),
  PCMPGTD: lanes('laneGreaterSigned', 32),
  PAND: packed(v.and),
  PANDN: packed(andNot),
  POR: packed(v.or),
  PXOR: packed(v.xor),
  PSLLW: shift('laneShiftLeft', 16),
  PSLLD: shift('laneShiftLeft', 32),
  PSLLQ: shift('laneShiftLeft', 64),
  PSRLW: shift('laneShiftRight', 16),
  PSRLD: shift('laneShiftRight', 32),
  PSRLQ: shift('laneShiftRight', 64),
  PSRAW: shift('laneShiftRightSigned', 16),
  PSRAD: shift('laneShiftRightSigned', 32),
  PSLLDQ: shiftBytes(true),
  PSRLDQ: shiftBytes(false),
  PACKSSWB: narrow('laneNarrowSigned', 16),
  PACKSSDW: narrow('laneNarrowSigned', 32),
  PACKUSWB: narrow('laneNarrowUnsigned', 16),
  PUNPCKLBW: unpackLow(8),
  PUNPCKLWD: unpackLow(16),
  PUNPCKLDQ: unpackLow(32),
  PUNPCKLQDQ: unpackLow(64),
  PUNPCKHBW: unpackHigh(8),
  PUNPCKHWD: unpackHigh(16),
  PUNPCKHDQ: unpackHigh(32),
  PUNPCKHQDQ: unpackHigh(64),
  PSHUFD: reorder(32, 0),
  PSHUFLW: reorder(16, 0),
  PSHUFHW: reorder(16, 4),
  PSHUFW: reorder(16, 0),
  PINSRW: pinsrw,
  PEXTRW: pextrw,
  PMOVMSKB: pmovmskb,
  MASKMOVDQU: maskmovdqu,
} as const satisfies InstructionTable;

/** SSSE3: integers across lanes, signs, shuffles by bytes (SDM vol. 1, 5.8); also on MMX registers. */
import * as v from '../../ir/build.ts';
import type { Op } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import {
  type Binary,
  immediate8,
  packed,
  packedUnary,
  setVector,
  shuffleLanes,
  splat,
  upTo,
  vector,
  zeroVector,
} from './simd.ts';

type LaneOp = Extract<Op, `lane${string}`>;

/** Neighbouring lanes of DEST, then of SRC, in as many bytes as the registers have. */
const horizontal =
  (op: LaneOp, width: 16 | 32): Semantics =>
  (b, [destination, source]) => {
    const y = vector(b, source);
    const x = vector(b, destination);
    const mmx = destination.kind === 'special';
    const whole = mmx ? v.pack(v.slice(x, 0, 64), v.slice(y, 0, 64)) : x;
    const pairs = upTo(128 / width).map((i) => 2 * i);
    const even = shuffleLanes(width, whole, y, pairs);
    const odd = shuffleLanes(
      width,
      whole,
      y,
      pairs.map((i) => i + 1),
    );
    setVector(b, destination, v.lane(op, width)(even, odd));
  };

/** DEST negated, kept or zeroed as SRC is negative, positive or 0. */
const sign = (width: 8 | 16 | 32): Semantics =>
  packed((a, b) => {
    const negative = v.lane('laneGreaterSigned', width)(zeroVector, b);
    const isZero = v.lane('laneEqual', width)(b, zeroVector);
    return v.andNot(v.lane('laneSub', width)(v.xor(a, negative), negative), isZero);
  });

const words = (op: LaneOp): Binary => v.lane(op, 16);
const by =
  (op: 'laneShiftLeft' | 'laneShiftRight' | 'laneShiftRightSigned', count: number) =>
  (a: Value): Value =>
    words(op)(a, v.constant(8, count));

/** Unsigned bytes of DEST times signed ones of SRC, neighbours added with saturation. */
const multiplyAdd: Binary = (a, b) => {
  const even = words('laneMul')(
    v.and(a, splat(16, 0xff)),
    by('laneShiftRightSigned', 8)(by('laneShiftLeft', 8)(b)),
  );
  const odd = words('laneMul')(by('laneShiftRight', 8)(a), by('laneShiftRightSigned', 8)(b));
  return words('laneAddSaturateSigned')(even, odd);
};

/** Bits 15 to 30 of the product, rounded by bit 14. */
const multiplyRound: Binary = (a, b) => {
  const high = by('laneShiftLeft', 1)(words('laneMulHighSigned')(a, b));
  const low = words('laneMul')(a, b);
  const round = v.and(by('laneShiftRight', 14)(low), splat(16, 1));
  return words('laneAdd')(v.or(high, by('laneShiftRight', 15)(low)), round);
};

/** An index into an MMX register has three bits. */
const pshufb: Semantics = (b, [destination, source]) => {
  const y = vector(b, source);
  const indices = destination.kind === 'special' ? v.and(y, splat(8, 0x87)) : y;
  setVector(b, destination, v.swizzle(vector(b, destination), indices));
};

/** DEST:SRC shifted right by bytes. */
const palignr: Semantics = (b, [destination, source, immediate]) => {
  const count = immediate8(immediate);
  const y = vector(b, source);
  const x = vector(b, destination);
  const mmx = destination.kind === 'special';
  const low = mmx ? v.pack(v.slice(y, 0, 64), v.slice(x, 0, 64)) : y;
  const high = mmx ? zeroVector : x;
  const indices = upTo(16).map((i) => i + (count & 15));
  const result =
    count < 16
      ? v.shuffle(low, high, indices)
      : count < 32
        ? v.shuffle(high, zeroVector, indices)
        : zeroVector;
  setVector(b, destination, result);
};

export const ssse3 = {
  PHADDW: horizontal('laneAdd', 16),
  PHADDD: horizontal('laneAdd', 32),
  PHADDSW: horizontal('laneAddSaturateSigned', 16),
  PHSUBW: horizontal('laneSub', 16),
  PHSUBD: horizontal('laneSub', 32),
  PHSUBSW: horizontal('laneSubSaturateSigned', 16),
  PABSB: packedUnary(v.lane('laneAbs', 8)),
  PABSW: packedUnary(v.lane('laneAbs', 16)),
  PABSD: packedUnary(v.lane('laneAbs', 32)),
  PMADDUBSW: packed(multiplyAdd),
  PMULHRSW: packed(multiplyRound),
  PSHUFB: pshufb,
  PSIGNB: sign(8),
  PSIGNW: sign(16),
  PSIGND: sign(32),
  PALIGNR: palignr,
} as const satisfies InstructionTable;

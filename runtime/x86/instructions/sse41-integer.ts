/** SSE4.1: integers, blends, insertions and extractions (SDM vol. 1, 5.10.1, 5.10.2, 5.10.4 to 5.10.11). */
import * as v from '../../ir/build.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import { XMM0 } from '../registers.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import {
  type Binary,
  immediate8,
  type LaneWidth,
  laneOf,
  lanesOf,
  lowPart,
  packed,
  packedImmediate,
  shuffleLanes,
  upTo,
  vector,
  zeroVector,
} from './simd.ts';
import { distance, lanes } from './sse2-integer.ts';

/** Signed or not, `from` bits to `to`: as much of the source as fills the destination is read. */
const extend =
  (from: 8 | 16 | 32, to: 16 | 32 | 64, signed: boolean): Semantics =>
  (b, [destination, source]) => {
    const count = 128 / to;
    const bits = (count * from) as 16 | 32 | 64;
    const low = v.resize(lowPart(b, source, bits), 128);
    const indices = upTo(128 / from).map((i) =>
      i % (to / from) === (signed ? to / from - 1 : 0) ? Math.floor(i / (to / from)) : 128 / from,
    );
    const spread = shuffleLanes(from, low, zeroVector, indices);
    b.write(destination, signed ? signedLanes(spread, from, to) : spread);
  };

/** The source lies in the upper part of each lane. */
function signedLanes(a: Value, from: number, to: 16 | 32 | 64): Value {
  if (to !== 64) return v.lane('laneShiftRightSigned', to)(a, v.constant(8, to - from));
  const narrow = shuffleLanes(32, a, a, [1, 1, 3, 3]);
  const shifted =
    from === 32 ? narrow : v.lane('laneShiftRightSigned', 32)(narrow, v.constant(8, 32 - from));
  const signs = v.lane('laneGreaterSigned', 32)(zeroVector, shifted);
  return shuffleLanes(32, shifted, signs, [0, 4, 2, 6]);
}

/** Lanes of SRC where the immediate has a bit. */
export const blend = (width: LaneWidth): Semantics =>
  packedImmediate((a, b, chosen) => {
    const count = 128 / width;
    return shuffleLanes(
      width,
      a,
      b,
      upTo(count).map((i) => ((chosen >> i) & 1 ? i + count : i)),
    );
  });

/** Lanes of SRC where XMM0's have their top bit. */
export const blendVariable =
  (width: 8 | 32 | 64): Semantics =>
  (b, [destination, source]) => {
    const y = vector(b, source);
    const chosen = v.lane('laneGreaterSigned', width)(zeroVector, b.register(XMM0));
    b.write(destination, v.or(v.and(y, chosen), v.andNot(b.read(destination), chosen)));
  };

const insertLane =
  (width: 8 | 32 | 64): Semantics =>
  (b, [destination, source, immediate]) => {
    const index = immediate8(immediate) % (128 / width);
    const part = v.resize(b.read(source), width);
    b.write(destination, v.insert(b.read(destination), index * width, part));
  };

/** To memory as wide as the lane, to a register zero-extended. */
export const extractLane =
  (width: LaneWidth): Semantics =>
  (b, [destination, source, immediate]) => {
    const part = laneOf(b.read(source), immediate8(immediate) % (128 / width), width);
    b.write(destination, v.resize(part, destination.width));
  };

/** Sums of four distances of bytes: a block of SRC against eight overlapping ones of DEST. */
const mpsadbw = packedImmediate((a, b, control) => {
  const from = control & 4;
  const block = 4 * (control & 3);
  const at = (offset: number): Value => {
    const left = upTo(16).map((i) => Math.min(from + (i >> 1) + offset, 15));
    const right = upTo(16).map(() => block + offset);
    const distances = distance(v.shuffle(a, a, left), v.shuffle(b, b, right));
    return v.lane('laneShiftRight', 16)(distances, v.constant(8, 8));
  };
  const add = v.lane('laneAdd', 16);
  return add(add(at(0), at(1)), add(at(2), at(3)));
});

/** The least word, and the first place where it stands. */
const phminposuw: Semantics = (b, [destination, source]) => {
  const words = lanesOf(vector(b, source), 16).map((word) => v.resize(word, 32));
  const ranked = words.map((word, i) => v.or(v.shiftLeft(word, 3), v.constant(32, i)));
  const least = ranked.reduce((a, b) => v.select(v.lessUnsigned(b, a), b, a));
  const index = v.shiftLeft(v.and(least, v.constant(32, 7)), 16);
  b.write(destination, v.resize(v.or(v.shiftRight(least, 3), index), 128));
};

export const testFlags: FlagRule = {
  name: 'PTEST',
  flags: (ZF, CF) => ({ ZF, CF, PF: v.zero, AF: v.zero, SF: v.zero, OF: v.zero }),
};

const isZero = (a: Value): Value => v.isZero(v.or(v.slice(a, 0, 64), v.slice(a, 64, 64)));

const ptest: Semantics = (b, [left, right]) => {
  const y = vector(b, right);
  const x = b.read(left);
  b.setFlags(testFlags, isZero(v.and(x, y)), isZero(v.andNot(y, x)));
};

const movntdqa: Semantics = (b, [destination, source]) => b.write(destination, vector(b, source));

/** Signed lanes of 32 bits as unsigned ones of 16. */
const packusdw: Binary = v.lane('laneNarrowUnsigned', 32);

export const sse41Integers = {
  PMULLD: lanes('laneMul', 32),
  PMULDQ: lanes('laneMulEvenSigned', 32),
  PMINSB: lanes('laneMinSigned', 8),
  PMINSD: lanes('laneMinSigned', 32),
  PMINUW: lanes('laneMinUnsigned', 16),
  PMINUD: lanes('laneMinUnsigned', 32),
  PMAXSB: lanes('laneMaxSigned', 8),
  PMAXSD: lanes('laneMaxSigned', 32),
  PMAXUW: lanes('laneMaxUnsigned', 16),
  PMAXUD: lanes('laneMaxUnsigned', 32),
  PCMPEQQ: lanes('laneEqual', 64),
  PACKUSDW: packed(packusdw),
  PBLENDW: blend(16),
  PBLENDVB: blendVariable(8),
  PINSRB: insertLane(8),
  PINSRD: insertLane(32),
  PINSRQ: insertLane(64),
  PEXTRB: extractLane(8),
  PEXTRD: extractLane(32),
  PEXTRQ: extractLane(64),
  PMOVSXBW: extend(8, 16, true),
  PMOVSXBD: extend(8, 32, true),
  PMOVSXBQ: extend(8, 64, true),
  PMOVSXWD: extend(16, 32, true),
  PMOVSXWQ: extend(16, 64, true),
  PMOVSXDQ: extend(32, 64, true),
  PMOVZXBW: extend(8, 16, false),
  PMOVZXBD: extend(8, 32, false),
  PMOVZXBQ: extend(8, 64, false),
  PMOVZXWD: extend(16, 32, false),
  PMOVZXWQ: extend(16, 64, false),
  PMOVZXDQ: extend(32, 64, false),
  MPSADBW: mpsadbw,
  PHMINPOSUW: phminposuw,
  PTEST: ptest,
  MOVNTDQA: movntdqa,
} as const satisfies InstructionTable;

/** Ops on the lanes of 128-bit values, in BigInt. */
import { at, type Rule, type VectorOp } from './evaluate-rule.ts';

/** Lanes of `width` bits, the lowest first. */
export const split = (value: bigint, width: number, bits = 128): bigint[] =>
  Array.from({ length: bits / width }, (_, i) => BigInt.asUintN(width, value >> BigInt(i * width)));

export const join = (lanes: readonly bigint[], width: number): bigint =>
  lanes.reduce((whole, lane, i) => whole | (BigInt.asUintN(width, lane) << BigInt(i * width)), 0n);

const signed = (value: bigint, width: number): bigint => BigInt.asIntN(width, value);

const clamp = (value: bigint, low: bigint, high: bigint): bigint =>
  value < low ? low : value > high ? high : value;

const saturateSigned = (value: bigint, width: number): bigint =>
  clamp(value, -(1n << BigInt(width - 1)), (1n << BigInt(width - 1)) - 1n);

const saturateUnsigned = (value: bigint, width: number): bigint =>
  clamp(value, 0n, (1n << BigInt(width)) - 1n);

type Lane = (a: bigint, b: bigint, width: number) => bigint;

/** The same for every lane; the detail is its width. */
const unsignedLanes =
  (compute: Lane): Rule =>
  ({ detail }, [a = 0n, b = 0n]) => {
    const width = detail as number;
    const right = split(b, width);
    return join(
      split(a, width).map((lane, i) => compute(lane, at(right, i), width)),
      width,
    );
  };

const signedLanes = (compute: Lane): Rule =>
  unsignedLanes((a, b, width) => compute(signed(a, width), signed(b, width), width));

const shiftLanes =
  (compute: Lane): Rule =>
  ({ op, detail }, [a = 0n, count = 0n]) => {
    const width = detail as number;
    if (count >= BigInt(width))
      throw new TypeError(`${op} of lanes of ${width} bits by ${count}: semantics bound the count`);
    return join(
      split(a, width).map((lane) => compute(lane, count, width)),
      width,
    );
  };

const narrow =
  (saturate: (value: bigint, width: number) => bigint): Rule =>
  ({ detail }, [a = 0n, b = 0n]) => {
    const width = detail as number;
    const lanes = [...split(a, width), ...split(b, width)];
    return join(
      lanes.map((lane) => saturate(signed(lane, width), width / 2)),
      width / 2,
    );
  };

/** Products of the even lanes of 32 bits. */
const mulEven =
  (read: (lane: bigint) => bigint): Rule =>
  (_, [a = 0n, b = 0n]) => {
    const right = split(b, 64);
    return join(
      split(a, 64).map((lane, i) => read(lane & 0xffffffffn) * read(at(right, i) & 0xffffffffn)),
      64,
    );
  };

const dotSigned: Rule = (_, [a = 0n, b = 0n]) => {
  const right = split(b, 16);
  const products = split(a, 16).map((lane, i) => signed(lane, 16) * signed(at(right, i), 16));
  return join(
    [0, 2, 4, 6].map((i) => at(products, i) + at(products, i + 1)),
    32,
  );
};

function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

const allOnes = (holds: boolean): bigint => (holds ? -1n : 0n);

export const vectorRules: Readonly<Record<VectorOp, Rule>> = {
  laneAdd: unsignedLanes((a, b) => a + b),
  laneSub: unsignedLanes((a, b) => a - b),
  laneMul: unsignedLanes((a, b) => a * b),
  laneAddSaturateSigned: signedLanes((a, b, width) => saturateSigned(a + b, width)),
  laneAddSaturateUnsigned: unsignedLanes((a, b, width) => saturateUnsigned(a + b, width)),
  laneSubSaturateSigned: signedLanes((a, b, width) => saturateSigned(a - b, width)),
  laneSubSaturateUnsigned: unsignedLanes((a, b, width) => saturateUnsigned(a - b, width)),
  laneMinSigned: signedLanes(lesser),
  laneMinUnsigned: unsignedLanes(lesser),
  laneMaxSigned: signedLanes((a, b) => -lesser(-a, -b)),
  laneMaxUnsigned: unsignedLanes((a, b) => -lesser(-a, -b)),
  laneEqual: unsignedLanes((a, b) => allOnes(a === b)),
  laneGreaterSigned: signedLanes((a, b) => allOnes(a > b)),
  laneAverageUnsigned: unsignedLanes((a, b) => (a + b + 1n) >> 1n),
  laneAbs: signedLanes((a) => (a < 0n ? -a : a)),
  laneMulHighSigned: signedLanes((a, b, width) => (a * b) >> BigInt(width)),
  laneMulHighUnsigned: unsignedLanes((a, b, width) => (a * b) >> BigInt(width)),
  laneMulEvenUnsigned: mulEven((lane) => lane),
  laneMulEvenSigned: mulEven((lane) => signed(lane, 32)),
  laneDotSigned: dotSigned,
  laneShiftLeft: shiftLanes((lane, count) => lane << count),
  laneShiftRight: shiftLanes((lane, count) => lane >> count),
  laneShiftRightSigned: shiftLanes((lane, count, width) => signed(lane, width) >> count),
  laneNarrowSigned: narrow(saturateSigned),
  laneNarrowUnsigned: narrow(saturateUnsigned),
  laneBits: ({ detail }, [a = 0n]) => {
    const width = detail as number;
    return join(
      split(a, width).map((lane) => lane >> BigInt(width - 1)),
      1,
    );
  },
  shuffle: ({ detail }, [a = 0n, b = 0n]) => {
    const bytes = [...split(a, 8), ...split(b, 8)];
    return join(
      (detail as readonly number[]).map((index) => at(bytes, index)),
      8,
    );
  },
  swizzle: (_, [a = 0n, b = 0n]) => {
    const bytes = split(a, 8);
    return join(
      split(b, 8).map((index) => (index & 0x80n ? 0n : at(bytes, Number(index & 15n)))),
      8,
    );
  },
};

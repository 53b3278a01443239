/**
 * RCPPS, RCPSS, RSQRTPS, RSQRTSS (SDM vol. 1, 5.5.1.2): right to about 23 bits, where the manual asks for a relative error
 * below 1.5 × 2^-12 and CPUs differ. They round as no mode says and raise nothing, so they are made of integers.
 */
import * as v from '../../ir/build.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import {
  laneOf,
  lowPart,
  setLowPart,
  setVector,
  type Unary,
  upTo,
  vector,
  vectorOf,
} from './simd.ts';

const c32 = (value: number): Value => v.constant(32, value);
const c64 = (value: bigint): Value => v.constant(64, value);

interface Parts {
  readonly sign: Value;
  readonly exponent: Value;
  /** With its integer bit. */
  readonly significand: Value;
  readonly isNan: Value;
  readonly isInfinity: Value;
  /** Denormals are zeros here. */
  readonly isZero: Value;
}

function partsOf(x: Value): Parts {
  const magnitude = v.and(x, c32(0x7fff_ffff));
  return {
    sign: v.and(x, c32(0x8000_0000)),
    exponent: v.shiftRight(magnitude, 23),
    significand: v.or(v.and(x, c32(0x7f_ffff)), c32(0x80_0000)),
    isNan: v.lessUnsigned(c32(0x7f80_0000), magnitude),
    isInfinity: v.equal(magnitude, c32(0x7f80_0000)),
    isZero: v.lessUnsigned(magnitude, c32(0x80_0000)),
  };
}

const quieted = (x: Value): Value => v.or(x, c32(0x40_0000));
const infinity = (sign: Value): Value => v.or(sign, c32(0x7f80_0000));

/** 2^47 / significand has 24 bits, or is 2^24 and so carries into the exponent. Tiny results are flushed to zero. */
const reciprocal: Subroutine = {
  name: 'reciprocal',
  parameters: [32],
  result: 32,
  body: ([x = c32(0)]) => {
    const { sign, exponent, significand, isNan, isInfinity, isZero } = partsOf(x);
    const quotient = v.resize(v.divUnsigned(c64(1n << 47n), v.resize(significand, 64)), 32);
    const magnitude = v.add(v.shiftLeft(v.sub(c32(252), exponent), 23), quotient);
    const tiny = v.or(isInfinity, v.lessSigned(magnitude, c32(0x80_0000)));
    const finite = v.select(tiny, sign, v.or(sign, magnitude));
    return v.select(isNan, quieted(x), v.select(isZero, infinity(sign), finite));
  },
};

/** One step of Newton's iteration for y = 1 / √m, both with 30 bits of fraction: y (3 - m y²) / 2. */
function refine(y: Value, m: Value): Value {
  const square = v.shiftRight(v.mul(y, y), 30);
  const product = v.shiftRight(v.mul(m, square), 30);
  return v.shiftRight(v.mul(y, v.sub(c64(3n << 30n), product)), 31);
}

/** m, in [1, 4), has the exponent's parity; a straight line begins the iteration 11 % off at most. */
function inverseRoot(significand: Value, isOdd: Value): Value {
  const m = v.resize(v.select(isOdd, v.shiftLeft(significand, 7), v.shiftLeft(significand, 8)), 64);
  const slope = v.shiftRight(v.mul(m, c64(143n)), 10);
  const first = v.sub(c64(1106n << 20n), slope);
  return refine(refine(refine(first, m), m), m);
}

const reciprocalRoot: Subroutine = {
  name: 'reciprocalRoot',
  parameters: [32],
  result: 32,
  body: ([x = c32(0)]) => {
    const { sign, exponent, significand, isNan, isInfinity, isZero } = partsOf(x);
    const root = inverseRoot(significand, v.bit(exponent, 0));
    const half = v.shiftRight(v.add(exponent, c32(1)), 1);
    const field = v.shiftLeft(v.sub(c32(189), half), 23);
    const magnitude = v.add(field, v.resize(v.shiftRight(root, 6), 32));
    const negative = v.notEqual(sign, c32(0));
    const finite = v.select(isInfinity, c32(0), magnitude);
    const valid = v.select(negative, c32(0xffc0_0000), finite);
    return v.select(isNan, quieted(x), v.select(isZero, infinity(sign), valid));
  },
};

const packed =
  (compute: Unary): Semantics =>
  (b, [destination, source]) => {
    const x = vector(b, source);
    setVector(b, destination, vectorOf(upTo(4).map((i) => compute(laneOf(x, i, 32)))));
  };

const scalar =
  (compute: Unary): Semantics =>
  (b, [destination, source]) =>
    setLowPart(b, destination, compute(lowPart(b, source, 32)));

export const sseReciprocals = {
  RCPPS: packed((x) => v.call(reciprocal, x)),
  RCPSS: scalar((x) => v.call(reciprocal, x)),
  RSQRTPS: packed((x) => v.call(reciprocalRoot, x)),
  RSQRTSS: scalar((x) => v.call(reciprocalRoot, x)),
} as const satisfies InstructionTable;

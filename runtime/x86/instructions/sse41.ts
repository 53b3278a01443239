/** SSE4.1: dot products, rounding, blends and insertions of floats (SDM vol. 1, 5.10.3, 5.10.4, 5.10.8). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Operand } from '../../ir/operand.ts';
import type { Value } from '../../ir/value.ts';
import { type InstructionTable, type Semantics, vectors } from '../semantics.ts';
import { cpuState } from '../state.ts';
import {
  type FloatWidth,
  immediate8,
  laneOf,
  lowPart,
  setLowPart,
  setVector,
  shuffleLanes,
  splat,
  upTo,
  vector,
  vectorOf,
  zeroVector,
} from './simd.ts';
import { blend, blendVariable, extractLane, sse41Integers } from './sse41-integer.ts';

/**
 * Products of the lanes that the high bits choose, their sum in those that the low bits choose. An exception of a product
 * ends it before anything is added, so the products are a statement of their own.
 */
const dotProduct =
  (width: FloatWidth): Semantics =>
  (b, [destination, source, immediate]) => {
    const count = 128 / width;
    const control = immediate8(immediate);
    const zero = v.constant(width, 0);
    const add = v.float('floatAdd', width);
    const y = vector(b, source);
    const x = vector(b, destination);
    const products = upTo(count).map((i) =>
      (control >> (4 + i)) & 1
        ? v.float('floatMul', width)(laneOf(x, i, width), laneOf(y, i, width))
        : zero,
    );
    b.storeCpu(cpuState.scratch, vectorOf(products));
    const [p0 = zero, p1 = zero, p2 = zero, p3 = zero] = products;
    const sum = count === 2 ? add(p0, p1) : add(add(p0, p1), add(p2, p3));
    const [none, all] = [count, 0];
    setVector(
      b,
      destination,
      shuffleLanes(
        width,
        v.insert(zeroVector, 0, sum),
        zeroVector,
        upTo(count).map((i) => ((control >> i) & 1 ? all : none)),
      ),
    );
  };

/** Bits of MXCSR. */
const mxcsr = { IE: 0x1, PE: 0x20, DAZ: 0x40, masks: 7, rounding: 13 } as const;

const ops = ['floatNearest', 'floatFloor', 'floatCeil', 'floatTrunc'] as const;

/** By the immediate's low two bits or, where bit 2 says so, by MXCSR. */
function roundedBy(control: number, state: Value, width: FloatWidth, x: Value): Value {
  const modes = ops.map((op) => v.float(op, width)(x));
  const [nearest = x, down = x, up = x, zero = x] = modes;
  if (!(control & 4)) return modes[control & 3] ?? x;
  const rounding = v.and(v.shiftRight(state, mxcsr.rounding), v.constant(32, 3));
  const is = (mode: number): Value => v.equal(rounding, v.constant(32, mode));
  return v.select(is(0), nearest, v.select(is(1), down, v.select(is(2), up, zero)));
}

const constants = {
  32: { infinity: 0x7f80_0000n, quiet: 0x7fc0_0000n, normal: 0x0080_0000n },
  64: {
    infinity: 0x7ff0_0000_0000_0000n,
    quiet: 0x7ff8_0000_0000_0000n,
    normal: 0x0010_0000_0000_0000n,
  },
} as const;

/** IE and PE as bits of MXCSR: a signaling NaN; a lane that changed, if #P is not suppressed (bit 3). */
function roundingFlags(
  control: number,
  state: Value,
  width: FloatWidth,
  x: Value,
  rounded: Value,
): Value {
  const { infinity, quiet, normal } = constants[width];
  const more = v.lane('laneGreaterSigned', width);
  const magnitude = v.and(x, splat(width, v.mask(width) >> 1n));
  const nan = more(magnitude, splat(width, infinity));
  const signaling = v.and(nan, more(splat(width, quiet), magnitude));
  const flag = (lanes: Value, bit: number): Value => {
    const some = v.notEqual(v.lane('laneBits', width)(lanes), v.constant(32, 0));
    return v.select(some, v.constant(32, bit), v.constant(32, 0));
  };
  const invalid = flag(signaling, mxcsr.IE);
  if (control & 8) return invalid;
  const daz = v.notEqual(v.and(state, v.constant(32, mxcsr.DAZ)), v.constant(32, 0));
  const flushed = v.select(daz, more(splat(width, normal), magnitude), zeroVector);
  const same = v.or(v.lane('laneEqual', width)(x, rounded), v.or(nan, flushed));
  return v.or(invalid, flag(v.not(same), mxcsr.PE));
}

/** Keeps the flags, and takes the exceptions that are not masked; an invalid operand comes before an inexact result. */
function raise(b: Builder, state: Value, flags: Value): void {
  const unmasked = v.and(flags, v.not(v.shiftRight(state, mxcsr.masks)));
  const invalid = v.and(unmasked, v.constant(32, mxcsr.IE));
  const seen = v.select(v.isZero(invalid), flags, v.and(flags, v.constant(32, mxcsr.IE)));
  b.storeCpu(cpuState.mxcsr, v.or(state, seen));
  b.raiseIf(v.notEqual(unmasked, v.constant(32, 0)), vectors.XM);
}

/** `x` has its number in every lane that matters, 0 in the others. */
function roundVector(b: Builder, width: FloatWidth, x: Value, immediate: Operand): Value {
  const control = immediate8(immediate);
  const state = b.loadCpu(cpuState.mxcsr, 32);
  const rounded = roundedBy(control, state, width, x);
  raise(b, state, roundingFlags(control, state, width, x, rounded));
  return rounded;
}

const roundPacked =
  (width: FloatWidth): Semantics =>
  (b, [destination, source, immediate]) =>
    b.write(destination, roundVector(b, width, vector(b, source), immediate));

const roundScalar =
  (width: FloatWidth): Semantics =>
  (b, [destination, source, immediate]) => {
    const x = v.resize(lowPart(b, source, width), 128);
    setLowPart(b, destination, v.slice(roundVector(b, width, x, immediate), 0, width));
  };

/** One lane of SRC into one of DEST, then zeros where the low bits say so. */
const insertps: Semantics = (b, [destination, source, immediate]) => {
  const control = immediate8(immediate);
  const part = source.kind === 'memory' ? b.read(source) : laneOf(b.read(source), control >> 6, 32);
  const whole = v.insert(b.read(destination), ((control >> 4) & 3) * 32, part);
  const result = upTo(4).reduce(
    (value, i) => ((control >> i) & 1 ? v.insert(value, i * 32, v.constant(32, 0)) : value),
    whole,
  );
  b.write(destination, result);
};

export const sse41 = {
  ...sse41Integers,
  DPPS: dotProduct(32),
  DPPD: dotProduct(64),
  BLENDPS: blend(32),
  BLENDPD: blend(64),
  BLENDVPS: blendVariable(32),
  BLENDVPD: blendVariable(64),
  ROUNDPS: roundPacked(32),
  ROUNDPD: roundPacked(64),
  ROUNDSS: roundScalar(32),
  ROUNDSD: roundScalar(64),
  INSERTPS: insertps,
  EXTRACTPS: extractLane(32),
} as const satisfies InstructionTable;

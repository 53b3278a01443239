/** What rows of the SSE tables are made of: reading and writing vectors and their low parts, lanes by index (SDM vol. 1, 10.4). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { MemoryOperand, Operand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { Value } from '../../ir/value.ts';
import { type Semantics, vectors } from '../semantics.ts';
import { readMmx, writeMmx } from './mmx-registers.ts';

export type Unary = (a: Value) => Value;
export type Binary = (a: Value, b: Value) => Value;
/** Widths of the numbers in a vector. */
export type FloatWidth = 32 | 64;
export type LaneWidth = 8 | 16 | 32 | 64;

export const zeroVector = v.constant(128, 0);
export const onesVector = v.constant(128, v.mask(128));

/** The address of an operand that must be 16-byte aligned; else #GP(0). */
export function alignedAddress(b: Builder, operand: MemoryOperand): Value {
  const address = b.address(operand);
  const low = v.and(address, v.constant(address.width, 15));
  b.raiseIf(v.notEqual(low, v.constant(low.width, 0)), vectors.GP, 0);
  return address;
}

/**
 * A source as 128 bits. Memory of that size is aligned, as SSE wants it of everything but the unaligned moves; MMX
 * operands are zero-extended, so that one row means both.
 */
export function vector(b: Builder, operand: Operand): Value {
  if (operand.kind === 'special') return v.resize(readMmx(b, operand), 128);
  if (operand.kind !== 'memory') return b.read(operand);
  return operand.width === 128
    ? b.load(alignedAddress(b, operand), 128)
    : v.resize(b.read(operand), 128);
}

/** Of an MMX register the lower half. */
export function setVector(b: Builder, destination: Operand, value: Value): void {
  if (destination.kind === 'special') writeMmx(b, destination, v.slice(value, 0, 64));
  else b.write(destination, value);
}

/** The low `width` bits; of memory, no more than these are read. */
export const lowPart = (b: Builder, operand: Operand, width: Width): Value =>
  operand.kind === 'memory'
    ? b.load(b.address(operand), width)
    : v.slice(b.read(operand), 0, width);

/** Writes the low bits of a vector register and keeps the others. */
export const setLowPart = (b: Builder, destination: Operand, part: Value): void =>
  b.write(destination, v.insert(b.read(destination), 0, part));

/** DEST := f(DEST, SRC), all lanes. */
export const packed =
  (compute: Binary): Semantics =>
  (b, [destination, source]) => {
    const y = vector(b, source);
    setVector(b, destination, compute(vector(b, destination), y));
  };

/** DEST := f(SRC), all lanes. */
export const packedUnary =
  (compute: Unary): Semantics =>
  (b, [destination, source]) =>
    setVector(b, destination, compute(vector(b, source)));

/** The low lane of DEST := f(the low lanes of DEST and SRC). */
export const scalar =
  (width: FloatWidth, compute: Binary): Semantics =>
  (b, [destination, source]) => {
    const y = lowPart(b, source, width);
    setLowPart(b, destination, compute(v.slice(b.read(destination), 0, width), y));
  };

export const scalarUnary =
  (width: FloatWidth, compute: Unary): Semantics =>
  (b, [destination, source]) =>
    setLowPart(b, destination, compute(lowPart(b, source, width)));

/** DEST := f(DEST, SRC, imm8), all lanes. */
export const packedImmediate =
  (compute: (a: Value, b: Value, immediate: number) => Value): Semantics =>
  (b, [destination, source, immediate]) => {
    const y = vector(b, source);
    setVector(b, destination, compute(vector(b, destination), y, immediate8(immediate)));
  };

export function immediate8(operand: Operand): number {
  if (operand.kind !== 'immediate') throw new TypeError(`imm8 is of kind ${operand.kind}`);
  return Number(operand.value & 0xffn);
}

/** No effect that a program can see. */
export const nothing: Semantics = () => undefined;

// Lanes.

export const laneOf = (a: Value, index: number, width: LaneWidth): Value =>
  v.slice(a, index * width, width);

export const lanesOf = (a: Value, width: LaneWidth): Value[] =>
  Array.from({ length: 128 / width }, (_, i) => laneOf(a, i, width));

/** A vector of the lanes given, the lowest first; lanes that are missing are 0. */
export function vectorOf(lanes: readonly Value[]): Value {
  const [low, high] = lanes;
  if (low?.width === 64 && high !== undefined) return v.pack(low, high);
  return lanes.reduce((whole, lane, i) => v.insert(whole, i * lane.width, lane), zeroVector);
}

/** Lanes of a and b, numbered through: those of b follow. */
export const shuffleLanes = (
  width: LaneWidth,
  a: Value,
  b: Value,
  indices: readonly number[],
): Value => {
  const bytes = width / 8;
  return v.shuffle(
    a,
    b,
    indices.flatMap((index) => Array.from({ length: bytes }, (_, i) => index * bytes + i)),
  );
};

/** The same number in every lane. */
export const splat = (width: LaneWidth, number: number | bigint): Value => {
  let whole = 0n;
  const lane = BigInt.asUintN(width, BigInt(number));
  for (let at = 0; at < 128; at += width) whole |= lane << BigInt(at);
  return v.constant(128, whole);
};

/** 0, 1, 2 … */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Low or high halves of the lanes of both, in turns (UNPCKLPS, PUNPCKHBW …). */
export const interleave =
  (width: LaneWidth, half: 'low' | 'high'): Binary =>
  (a, b) => {
    const count = 128 / width;
    const from = half === 'low' ? 0 : count / 2;
    return shuffleLanes(
      width,
      a,
      b,
      upTo(count).map((i) => from + (i >> 1) + (i & 1) * count),
    );
  };

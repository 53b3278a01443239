/** Integer ops of up to 128 bits in BigInt: arithmetic modulo 2^w, shifts, comparisons, resizing. */
import { at, type IntegerOp, type Rule } from './evaluate-rule.ts';
import { bitLength } from './float.ts';
import type { Value } from './value.ts';

const signed = (value: bigint, width: number): bigint => BigInt.asIntN(width, value);

/** Width of an argument. */
const widthOf = (node: Value, index = 0): number => at(node.args, index).width;

const compare =
  (holds: (a: bigint, b: bigint) => boolean): Rule =>
  (_, args) =>
    BigInt(holds(at(args, 0), at(args, 1)));

const compareSigned =
  (holds: (a: bigint, b: bigint) => boolean): Rule =>
  (node, args) => {
    const width = widthOf(node);
    return BigInt(holds(signed(at(args, 0), width), signed(at(args, 1), width)));
  };

/** Counts beyond what Wasm would take as they are mean that semantics forgot to mask. */
const shift =
  (compute: (value: bigint, count: bigint, width: number) => bigint): Rule =>
  (node, args) => {
    const count = at(args, 1);
    if (count >= (node.width === 64 ? 64n : 32n))
      throw new TypeError(`${node.op} of ${node.width} bits by ${count}: semantics mask the count`);
    return compute(at(args, 0), count, node.width);
  };

const rotate = (left: boolean): Rule =>
  shift((value, count, width) => {
    if (width !== 32 && width !== 64) throw new TypeError(`a rotate of ${width} bits`);
    const by = left ? count : (BigInt(width) - count) % BigInt(width);
    return (value << by) | (value >> (BigInt(width) - by));
  });

const divide =
  (width: (node: Value) => number, compute: (args: readonly bigint[], w: number) => bigint): Rule =>
  (node, args) => {
    if (args.at(-1) === 0n) throw new TypeError(`${node.op} by 0: semantics raise #DE before`);
    return compute(args, width(node));
  };

const wide = (args: readonly bigint[]): bigint => (at(args, 0) << 64n) | at(args, 1);
const ownWidth = (node: Value): number => node.width;

function countOnes(value: bigint): bigint {
  let ones = 0n;
  for (let rest = value; rest !== 0n; rest &= rest - 1n) ones++;
  return ones;
}

function swapBytes(value: bigint, width: number): bigint {
  let swapped = 0n;
  for (let at = 0; at < width; at += 8) swapped = (swapped << 8n) | ((value >> BigInt(at)) & 0xffn);
  return swapped;
}

export const integerRules: Readonly<Record<IntegerOp, Rule>> = {
  add: (_, args) => at(args, 0) + at(args, 1),
  sub: (_, args) => at(args, 0) - at(args, 1),
  mul: (_, args) => at(args, 0) * at(args, 1),
  and: (_, args) => at(args, 0) & at(args, 1),
  or: (_, args) => at(args, 0) | at(args, 1),
  xor: (_, args) => at(args, 0) ^ at(args, 1),
  not: (_, args) => ~at(args, 0),
  andNot: (_, args) => at(args, 0) & ~at(args, 1),
  mulHighUnsigned: ({ width }, args) => (at(args, 0) * at(args, 1)) >> BigInt(width),
  mulHighSigned: ({ width }, args) =>
    (signed(at(args, 0), width) * signed(at(args, 1), width)) >> BigInt(width),
  divUnsigned: divide(ownWidth, ([a = 0n, b = 0n]) => a / b),
  remUnsigned: divide(ownWidth, ([a = 0n, b = 0n]) => a % b),
  divSigned: divide(ownWidth, ([a = 0n, b = 0n], w) => signed(a, w) / signed(b, w)),
  remSigned: divide(ownWidth, ([a = 0n, b = 0n], w) => signed(a, w) % signed(b, w)),
  divWideUnsigned: divide(ownWidth, (args) => wide(args) / at(args, 2)),
  divWideSigned: divide(ownWidth, (args) => signed(wide(args), 128) / signed(at(args, 2), 64)),
  shiftLeft: shift((value, count) => value << count),
  shiftRight: shift((value, count) => value >> count),
  shiftRightSigned: shift((value, count, width) => signed(value, width) >> count),
  rotateLeft: rotate(true),
  rotateRight: rotate(false),
  countLeadingZeros: ({ width }, args) => BigInt(width - bitLength(at(args, 0))),
  countTrailingZeros: ({ width }, args) => {
    const value = at(args, 0);
    return BigInt(value === 0n ? width : bitLength(value & -value) - 1);
  },
  countOnes: (_, args) => countOnes(at(args, 0)),
  swapBytes: ({ width }, args) => swapBytes(at(args, 0), width),
  equal: compare((a, b) => a === b),
  notEqual: compare((a, b) => a !== b),
  lessUnsigned: compare((a, b) => a < b),
  lessSigned: compareSigned((a, b) => a < b),
  lessEqualUnsigned: compare((a, b) => a <= b),
  lessEqualSigned: compareSigned((a, b) => a <= b),
  parity: (_, args) => 1n - (countOnes(at(args, 0) & 0xffn) & 1n),
  select: (_, args) => (at(args, 0) === 1n ? at(args, 1) : at(args, 2)),
  zeroExtend: (_, args) => at(args, 0),
  signExtend: (node, args) => signed(at(args, 0), widthOf(node)),
  truncate: (_, args) => at(args, 0),
  pack: (_, args) => at(args, 0) | (at(args, 1) << 64n),
  slice: ({ detail }, args) => at(args, 0) >> BigInt(detail as number),
  insert: (node, args) => {
    const offset = BigInt(node.detail as number);
    const hole = ((1n << BigInt(widthOf(node, 1))) - 1n) << offset;
    return (at(args, 0) & ~hole) | (at(args, 1) << offset);
  },
};

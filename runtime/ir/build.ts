/** Constructors of pure values, with the folding that keeps naive semantics short. What semantics are written in. */
import type { Flag, Op, Width } from './ops.ts';
import type { Detail, Subroutine, Value } from './value.ts';

const noArgs: readonly Value[] = [];

export const node = (op: Op, width: Width, args: readonly Value[], detail?: Detail): Value => ({
  op,
  width,
  args,
  detail,
  walk: undefined,
  writing: undefined,
});

// biome-ignore format: a table
const masks: Readonly<Record<Width, bigint>> = {
  1: 1n, 8: 0xffn, 16: 0xffffn, 32: 0xffff_ffffn, 64: 0xffff_ffff_ffff_ffffn, 128: (1n << 128n) - 1n,
};

export const mask = (width: Width): bigint => masks[width];

export const constant = (width: Width, value: bigint | number): Value =>
  node('constant', width, noArgs, BigInt.asUintN(width, BigInt(value)));

/** Shift counts, built once. */
const counts: readonly Value[] = Array.from({ length: 64 }, (_, count) => constant(8, count));

export const zero = constant(1, 0);
export const one = constant(1, 1);
export const undefinedFlag = node('undefined', 1, noArgs);
export const input = (index: number, width: Width): Value => node('input', width, noArgs, index);
export const registerValue = (register: number, width: Width): Value =>
  node('register', width, noArgs, register);
export const flagValue = (flag: Flag): Value => node('flag', 1, noArgs, flag);

/** The number, where the value is a constant. */
export const constantOf = (value: Value): bigint | undefined =>
  typeof value.detail === 'bigint' && value.op === 'constant' ? value.detail : undefined;

const isConstant = (value: Value, number: bigint): boolean => constantOf(value) === number;

const binary = (op: Op) => (a: Value, b: Value) => node(op, a.width, [a, b]);
const unary = (op: Op) => (a: Value) => node(op, a.width, [a]);
const compare = (op: Op) => (a: Value, b: Value) => node(op, 1, [a, b]);
const fold =
  (op: Op, compute: (a: bigint, b: bigint) => bigint, neutral: bigint | undefined) =>
  (a: Value, b: Value): Value => {
    const x = constantOf(a);
    const y = constantOf(b);
    if (x !== undefined && y !== undefined) return constant(a.width, compute(x, y));
    return y !== undefined && y === neutral ? a : node(op, a.width, [a, b]);
  };

const orOf = fold('or', (a, b) => a | b, 0n);

export const add = fold('add', (a, b) => a + b, 0n);
export const sub = fold('sub', (a, b) => a - b, 0n);
export const or = (a: Value, b: Value): Value => (isConstant(a, 0n) ? b : orOf(a, b));
const xorOf = fold('xor', (a, b) => a ^ b, 0n);
/** Of a register with itself 0, which is how it is set to 0. */
export const xor = (a: Value, b: Value): Value =>
  a === b || (a.op === 'register' && b.op === 'register' && a.detail === b.detail)
    ? constant(a.width, 0)
    : xorOf(a, b);
export const mul = fold('mul', (a, b) => a * b, 1n);
/** Of an extended value only those bits are asked that it can have. */
export const and = (a: Value, b: Value): Value => {
  const by = constantOf(b);
  if (by === undefined) return node('and', a.width, [a, b]);
  const can = mask((a.op === 'zeroExtend' ? a.args[0] : undefined)?.width ?? a.width);
  const asked = by & can;
  return asked === can ? a : asked === 0n ? constant(a.width, 0) : node('and', a.width, [a, b]);
};
export const not = unary('not');
export const neg = (a: Value): Value => sub(constant(a.width, 0), a);
export const mulHighUnsigned = binary('mulHighUnsigned');
export const mulHighSigned = binary('mulHighSigned');
export const divUnsigned = binary('divUnsigned');
export const remUnsigned = binary('remUnsigned');
export const divSigned = binary('divSigned');
export const remSigned = binary('remSigned');
export const divWideUnsigned = (high: Value, low: Value, divisor: Value): Value =>
  node('divWideUnsigned', 64, [high, low, divisor]);
export const divWideSigned = (high: Value, low: Value, divisor: Value): Value =>
  node('divWideSigned', 64, [high, low, divisor]);

const shift =
  (op: Op) =>
  (a: Value, count: Value | number): Value => {
    const by = typeof count === 'number' ? (counts[count] ?? constant(8, count)) : resize(count, 8);
    return isConstant(by, 0n) ? a : node(op, a.width, [a, by]);
  };
export const shiftLeft = shift('shiftLeft');
export const shiftRight = shift('shiftRight');
export const shiftRightSigned = shift('shiftRightSigned');
export const rotateLeft = shift('rotateLeft');
export const rotateRight = shift('rotateRight');

export const countLeadingZeros = unary('countLeadingZeros');
export const countTrailingZeros = unary('countTrailingZeros');
export const countOnes = unary('countOnes');
export const swapBytes = unary('swapBytes');

export const equal = (a: Value, b: Value): Value =>
  a.width === 1 && isConstant(b, 0n)
    ? not(a)
    : a.width === 1 && isConstant(b, 1n)
      ? a
      : node('equal', 1, [a, b]);
export const notEqual = (a: Value, b: Value): Value =>
  a.width === 1 && isConstant(b, 0n) ? a : node('notEqual', 1, [a, b]);
export const lessUnsigned = compare('lessUnsigned');
export const lessSigned = compare('lessSigned');
export const lessEqualUnsigned = compare('lessEqualUnsigned');
export const lessEqualSigned = compare('lessEqualSigned');
export const parity = (a: Value): Value => node('parity', 1, [a]);
export const isZero = (a: Value): Value => equal(a, constant(a.width, 0));

export const select = (condition: Value, ifOne: Value, ifZero: Value): Value =>
  isConstant(condition, 1n)
    ? ifOne
    : isConstant(condition, 0n)
      ? ifZero
      : node('select', ifOne.width, [condition, ifOne, ifZero]);

/** The value that an extension or a cut was made of, where another width can be had from it directly. */
const source = (a: Value, width: Width): Value | undefined => {
  const [inner] = a.args;
  if (inner === undefined) return undefined;
  const direct =
    a.op === 'zeroExtend' ||
    (a.op === 'signExtend' && width <= inner.width) ||
    (a.op === 'truncate' && width <= a.width);
  return direct ? inner : undefined;
};

/** Of a whole of which the lower part was replaced: the part, where no more is asked. */
const lowPart = ({ op, args: [kept, part] }: Value, width: Width): Value | undefined => {
  if (op !== 'or' || kept?.op !== 'and' || kept.args[1] === undefined) return undefined;
  const keeps = constantOf(kept.args[1]);
  return keeps !== undefined && (keeps & mask(width)) === 0n ? part : undefined;
};

/** Zero-extended or cut to `width`. */
export const resize = (a: Value, width: Width): Value => {
  if (a.width === width) return a;
  const known = constantOf(a);
  if (known !== undefined) return constant(width, known);
  const inner = source(a, width) ?? lowPart(a, width);
  if (inner !== undefined) return resize(inner, width);
  return node(a.width < width ? 'zeroExtend' : 'truncate', width, [a]);
};
export const signExtend = (a: Value, width: Width): Value => {
  if (a.width >= width) return resize(a, width);
  const known = constantOf(a);
  if (known !== undefined) return constant(width, BigInt.asIntN(a.width, known));
  if (a.op === 'zeroExtend') return resize(a, width);
  return node('signExtend', width, [a]);
};

/** One bit of a value: index 0 is the lowest. */
export const bit = (a: Value, index: number): Value =>
  resize(shiftRight(a.width === 1 ? resize(a, 8) : a, index), 1);

export const pack = (low: Value, high: Value): Value => node('pack', 128, [low, high]);
/** What an insertion put there, or left there, is known without the whole. */
export const slice = (a: Value, offset: number, width: Width): Value => {
  if (a.op === 'pack' && width === 64) return a.args[offset === 0 ? 0 : 1] ?? a;
  const [whole, part] = a.args;
  if (a.op !== 'insert' || whole === undefined || part === undefined)
    return node('slice', width, [a], offset);
  const from = a.detail as number;
  if (from === offset && part.width === width) return part;
  const apart = offset + width <= from || from + part.width <= offset;
  return apart ? slice(whole, offset, width) : node('slice', width, [a], offset);
};
export const insert = (whole: Value, offset: number, part: Value): Value => {
  const covered =
    whole.op === 'insert' && whole.detail === offset && whole.args[1]?.width === part.width;
  return node('insert', 128, [covered ? (whole.args[0] ?? whole) : whole, part], offset);
};
export const andNot = binary('andNot');

export const lane =
  (op: Extract<Op, `lane${string}`>, laneWidth: number) =>
  (a: Value, b?: Value): Value =>
    node(op, op === 'laneBits' ? 32 : 128, b === undefined ? [a] : [a, b], laneWidth);
/** Bytes of `a` and, from 16 on, of `b`. Halves that are known by themselves need no shuffle. */
export const shuffle = (a: Value, b: Value, indices: readonly number[]): Value => {
  const low = halfAt(a, b, indices.slice(0, 8));
  const high = halfAt(a, b, indices.slice(8));
  return isKnown(low) && isKnown(high) ? pack(low, high) : node('shuffle', 128, [a, b], indices);
};

/**
 * Eight bytes that are a half of one of the two. What a slice of an extended value is would be known always, but then a double
 * that MOVSD loads is an integer to who asks for its half (OCaml's nbody 2.40 → 2.55 times native, in a single run).
 */
function halfAt(a: Value, b: Value, bytes: readonly number[]): Value | undefined {
  const [first = 0] = bytes;
  if (first % 8 !== 0 || bytes.some((byte, i) => byte !== first + i)) return undefined;
  const [whole, offset] = [first < 16 ? a : b, (first & 8) * 8];
  const [low] = whole.args;
  if (whole.op !== 'zeroExtend' || low?.width !== 64) return slice(whole, offset, 64);
  return offset === 0 ? low : constant(64, 0n);
}

const isKnown = (half: Value | undefined): half is Value =>
  half !== undefined && half.op !== 'slice';
export const swizzle = binary('swizzle');

/** Float ops with one result a lane; `laneWidth` is 32 or 64, the value's width that or 128. */
export const float =
  (op: Extract<Op, `float${string}`>, laneWidth: 32 | 64) =>
  (a: Value, b?: Value): Value =>
    node(op, a.width, b === undefined ? [a] : [a, b], laneWidth);
export const floatCompare = (
  op: Extract<Op, 'floatEqual' | 'floatUnordered' | `floatLess${'' | 'Equal'}${'' | 'Quiet'}`>,
  a: Value,
  b: Value,
): Value => node(op, 1, [a, b], a.width);
export const floatResize = (
  op: 'floatConvert' | 'floatFromSigned' | 'floatToSigned' | 'floatTruncate',
  a: Value,
  width: 32 | 64,
): Value => node(op, width, [a]);

export const call = (subroutine: Subroutine, ...args: Value[]): Value =>
  node('call', subroutine.result, args, subroutine);

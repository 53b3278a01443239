/** AES-NI and PCLMULQDQ (SDM vol. 1, 5.12 and 12.13; FIPS 197). Tables are looked up by nibbles, in registers. */
import * as v from '../../ir/build.ts';
import type { Subroutine, Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import {
  immediate8,
  laneOf,
  packed,
  packedUnary,
  splat,
  upTo,
  vector,
  zeroVector,
} from './simd.ts';

// Bytes as polynomials over GF(2), modulo x^8 + x^4 + x^3 + x + 1 (FIPS 197, 4.2).

const timesX = (a: number): number => ((a << 1) ^ (a & 0x80 ? 0x11b : 0)) & 0xff;

/** Powers of x + 1, which are all but 0 (FIPS 197, 4.2). */
const powers = upTo(254).reduce(
  (all) => [...all, timesX(all.at(-1) ?? 0) ^ (all.at(-1) ?? 0)],
  [1],
);
const exponents = new Map(powers.map((power, exponent) => [power, exponent]));

/** 1 / a, where a is not 0. */
const inverse = (a: number): number => powers[(255 - (exponents.get(a) ?? 0)) % 255] ?? 0;

const rotated = (a: number, by: number): number => ((a << by) | (a >> (8 - by))) & 0xff;

/** The S-box: the inverse, then an affine map (FIPS 197, 5.1.1). */
const substitution = upTo(256)
  .map((a) => (a === 0 ? 0 : inverse(a)))
  .map((a) => a ^ rotated(a, 1) ^ rotated(a, 2) ^ rotated(a, 3) ^ rotated(a, 4) ^ 0x63);
const inverseSubstitution = upTo(256).map((a) => substitution.indexOf(a));

const bytes = (table: readonly number[]): Value =>
  v.constant(
    128,
    table.reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n),
  );

const addSaturated = v.lane('laneAddSaturateUnsigned', 8);
const addBytes = v.lane('laneAdd', 8);
const greater = v.lane('laneGreaterSigned', 8);

/** table[byte] for each byte: of sixteen rows of it, the one whose number is the byte's upper half; the others give 0. */
const lookUp = (a: Value, table: readonly number[]): Value =>
  upTo(16).reduce((found, row) => {
    const index = addSaturated(v.xor(a, splat(8, row * 16)), splat(8, 0x70));
    return v.or(found, v.swizzle(bytes(table.slice(row * 16, row * 16 + 16)), index));
  }, zeroVector);

/** The state is four columns of four bytes; row r moves by r columns. */
const shiftRows = (a: Value, columns: 1 | 3): Value =>
  v.shuffle(
    a,
    a,
    upTo(16).map((i) => (i + 4 * columns * (i % 4)) % 16),
  );

/** Every column turned by some rows. */
const turned = (a: Value, rows: number): Value =>
  v.shuffle(
    a,
    a,
    upTo(16).map((i) => (i & 12) + ((i + rows) & 3)),
  );

const twice = (a: Value): Value =>
  v.xor(addBytes(a, a), v.and(greater(zeroVector, a), splat(8, 0x1b)));

/** 2 a0 + 3 a1 + a2 + a3 in every place (FIPS 197, 5.1.3). */
const mixColumns = (a: Value): Value => {
  const next = turned(a, 1);
  const others = v.xor(next, v.xor(turned(a, 2), turned(a, 3)));
  return v.xor(twice(v.xor(a, next)), others);
};

/** Its inverse is MixColumns of 5 a0 + 4 a2. */
const unmixColumns = (a: Value): Value =>
  mixColumns(v.xor(a, twice(twice(v.xor(a, turned(a, 2))))));

const round = (name: string, body: (a: Value) => Value): Subroutine => ({
  name,
  parameters: [128],
  result: 128,
  body: ([a = zeroVector]) => body(a),
});

const encryptLast = round('aesEncryptLast', (a) => lookUp(shiftRows(a, 1), substitution));
const encrypt = round('aesEncrypt', (a) => mixColumns(lookUp(shiftRows(a, 1), substitution)));
const decryptLast = round('aesDecryptLast', (a) => lookUp(shiftRows(a, 3), inverseSubstitution));
const decrypt = round('aesDecrypt', (a) =>
  unmixColumns(lookUp(shiftRows(a, 3), inverseSubstitution)),
);
const substitute = round('aesSubstitute', (a) => lookUp(a, substitution));

/** DEST := the round of DEST, plus the round key. */
const withKey = (subroutine: Subroutine): Semantics =>
  packed((state, key) => v.xor(v.call(subroutine, state), key));

/** SubWord of doublewords 1 and 3, each beside itself turned by a byte and plus the round's constant. */
const generateKey: Semantics = (b, [destination, source, constant]) => {
  const words = v.call(substitute, vector(b, source));
  const placed = v.shuffle(words, words, [4, 5, 6, 7, 5, 6, 7, 4, 12, 13, 14, 15, 13, 14, 15, 12]);
  const roundConstant = BigInt(immediate8(constant));
  b.write(
    destination,
    v.xor(placed, v.constant(128, (roundConstant << 32n) | (roundConstant << 96n))),
  );
};

// PCLMULQDQ: products without carries.

/** Every fourth bit: sums of the products of such numbers reach no neighbour within 64 bits. */
const spread = (i: number): Value => v.constant(64, 0x1111_1111_1111_1111n << BigInt(i));

/** The lower 64 bits of the product. */
const lowProduct = (a: Value, b: Value): Value => {
  const x = upTo(4).map((i) => v.and(a, spread(i)));
  const y = upTo(4).map((i) => v.and(b, spread(i)));
  const nothing = v.constant(64, 0);
  return upTo(4).reduce((all, place) => {
    const parts = upTo(4).map((i) => v.mul(x[i] ?? nothing, y[(place - i) & 3] ?? nothing));
    const sum = parts.reduce((total, part) => v.xor(total, part));
    return v.or(all, v.and(sum, spread(place)));
  }, nothing);
};

/** Which of two neighbours of 4, 2 and 1 bits is the lower. */
const lowerHalves = [
  [4, 0x0f0f_0f0f_0f0f_0f0fn],
  [2, 0x3333_3333_3333_3333n],
  [1, 0x5555_5555_5555_5555n],
] as const;

/** The bits in reverse. */
const reversed = (a: Value): Value =>
  lowerHalves.reduce((value, [by, lower]) => {
    const mask = v.constant(64, lower);
    const up = v.shiftLeft(v.and(value, mask), by);
    return v.or(up, v.and(v.shiftRight(value, by), mask));
  }, v.swapBytes(a));

/** The upper half is the lower half of the reversed factors, reversed. */
const carryless: Subroutine = {
  name: 'carrylessProduct',
  parameters: [64, 64],
  result: 128,
  body: ([a = v.constant(64, 0), b = v.constant(64, 0)]) => {
    const high = reversed(lowProduct(reversed(a), reversed(b)));
    return v.pack(lowProduct(a, b), v.shiftRight(high, 1));
  },
};

/** Bits 0 and 4 of the immediate choose the halves. */
const pclmulqdq: Semantics = (b, [destination, source, choice]) => {
  const halves = immediate8(choice);
  const y = laneOf(vector(b, source), (halves >> 4) & 1, 64);
  const x = laneOf(b.read(destination), halves & 1, 64);
  b.write(destination, v.call(carryless, x, y));
};

export const aes = {
  AESDEC: withKey(decrypt),
  AESDECLAST: withKey(decryptLast),
  AESENC: withKey(encrypt),
  AESENCLAST: withKey(encryptLast),
  AESIMC: packedUnary(unmixColumns),
  AESKEYGENASSIST: generateKey,
  PCLMULQDQ: pclmulqdq,
} as const satisfies InstructionTable;

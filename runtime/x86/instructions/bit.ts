/** BT BTC BTR BTS BSF BSR SETcc and, beside them, LZCNT TZCNT POPCNT CRC32 (SDM vol. 1, 5.1.5, 5.1.6, 5.1.16). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { MemoryOperand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { FlagRule, Subroutine, Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { type Test, conditions as when } from './conditions.ts';
import { addressWithOffset, type Place, place } from './operands.ts';

/** CF is bit 0 of `shifted`; ZF stays. */
export const bitTestRule: FlagRule = {
  name: 'bt',
  flags: (shifted: Value, zero: Value) => ({
    CF: v.bit(shifted, 0),
    ZF: zero,
    OF: v.undefinedFlag,
    SF: v.undefinedFlag,
    AF: v.undefinedFlag,
    PF: v.undefinedFlag,
  }),
  conditions: { B: (shifted: Value) => v.bit(shifted, 0), E: (_: Value, zero: Value) => zero },
};

/** A bit string in memory reaches as far as its signed offset; the word with the bit is accessed. */
function bitString(b: Builder, operand: MemoryOperand, offset: Value, forWrite: boolean): Place {
  const { width } = operand;
  const word = v.shiftRightSigned(v.signExtend(offset, b.mode), Math.log2(width));
  const address = addressWithOffset(b, operand, v.shiftLeft(word, Math.log2(width / 8)));
  return { value: b.load(address, width, forWrite), write: (value) => b.store(address, value) };
}

/** CF := the bit; DEST := DEST with the bit changed. */
const bitTest =
  (change?: (word: Value, bit: Value) => Value): Semantics =>
  (b, [destination, source]) => {
    const offset = b.read(source);
    const { value, write } =
      destination.kind === 'memory' && source.kind === 'register'
        ? bitString(b, destination, offset, change !== undefined)
        : place(b, destination, change !== undefined);
    const index = indexWithin(offset, value.width);
    if (change) write(change(value, v.shiftLeft(v.constant(value.width, 1), index)));
    b.setFlags(bitTestRule, v.shiftRight(value, index), b.flag('ZF'));
  };

/** The offset modulo the width, as a shift count. */
function indexWithin(offset: Value, width: Width): Value {
  const known = v.constantOf(offset);
  if (known !== undefined) return v.constant(8, known & BigInt(width - 1));
  return v.and(v.resize(offset, 8), v.constant(8, width - 1));
}

export const scanRule: FlagRule = {
  name: 'bsf',
  flags: (source: Value) => ({
    ZF: v.isZero(source),
    CF: v.undefinedFlag,
    OF: v.undefinedFlag,
    SF: v.undefinedFlag,
    AF: v.undefinedFlag,
    PF: v.undefinedFlag,
  }),
  conditions: { E: (source: Value) => v.isZero(source) },
};

/** The counting ops exist in 32 and 64 bits. */
const wide = (value: Value): Value => (value.width === 16 ? v.resize(value, 32) : value);

/** DEST stays where the source is 0, as all processors do it; the whole register does. */
const scan =
  (find: (source: Value) => Value): Semantics =>
  (b, [destination, source]) => {
    const value = b.read(source);
    const found = v.resize(find(wide(value)), value.width);
    if (destination.kind !== 'register') throw new TypeError('a bit scan into memory');
    const before = b.register(destination.register);
    b.write(destination, found);
    const after = b.register(destination.register);
    b.setRegister(destination.register, v.select(v.isZero(value), before, after));
    b.setFlags(scanRule, value);
  };

const highestBit = (value: Value): Value =>
  v.sub(v.constant(value.width, value.width - 1), v.countLeadingZeros(value));

export const countRule: FlagRule = {
  name: 'lzcnt',
  flags: (source: Value, result: Value) => ({
    CF: v.isZero(source),
    ZF: v.isZero(result),
    OF: v.undefinedFlag,
    SF: v.undefinedFlag,
    AF: v.undefinedFlag,
    PF: v.undefinedFlag,
  }),
};

/** DEST := the number of zeros beyond the last one. */
const countZeros =
  (count: (source: Value) => Value): Semantics =>
  (b, [destination, source]) => {
    const value = b.read(source);
    const result = count(value);
    b.write(destination, result);
    b.setFlags(countRule, value, result);
  };

const leadingZeros = (value: Value): Value => {
  const zeros = v.countLeadingZeros(wide(value));
  return v.resize(v.sub(zeros, v.constant(zeros.width, zeros.width - value.width)), value.width);
};

/** A bit above the 16-bit forms' word ends the count. */
const trailingZeros = (value: Value): Value =>
  value.width === 16
    ? v.resize(v.countTrailingZeros(v.or(wide(value), v.constant(32, 1 << 16))), 16)
    : v.countTrailingZeros(value);

export const popcntRule: FlagRule = {
  name: 'popcnt',
  flags: (source: Value) => ({
    ZF: v.isZero(source),
    CF: v.zero,
    OF: v.zero,
    SF: v.zero,
    AF: v.zero,
    PF: v.zero,
  }),
};

const popcnt: Semantics = (b, [destination, source]) => {
  const value = b.read(source);
  b.write(destination, v.resize(v.countOnes(wide(value)), value.width));
  b.setFlags(popcntRule, value);
};

const set =
  (test: Test): Semantics =>
  (b, [destination]) =>
    b.write(destination, v.resize(test(b), 8));

/** The polynomial 0x11EDC6F41, bits reflected, over one byte. */
const crc32Byte: Subroutine = {
  name: 'crc32Byte',
  parameters: [32, 8],
  result: 32,
  body: ([crc = v.zero, byte = v.zero]) => {
    let rest = v.xor(crc, v.resize(byte, 32));
    for (let i = 0; i < 8; i++) {
      const polynomial = v.and(v.neg(v.and(rest, v.constant(32, 1))), v.constant(32, 0x82f63b78));
      rest = v.xor(v.shiftRight(rest, 1), polynomial);
    }
    return rest;
  },
};

const crc32: Semantics = (b, [destination, source]) => {
  const data = b.read(source);
  let crc = v.resize(b.read(destination), 32);
  for (let at = 0; at < data.width; at += 8)
    crc = v.call(crc32Byte, crc, v.resize(v.shiftRight(data, at), 8));
  b.write(destination, v.resize(crc, destination.width));
};

export const bits = {
  BSF: scan(v.countTrailingZeros),
  BSR: scan(highestBit),
  BT: bitTest(),
  BTC: bitTest(v.xor),
  BTR: bitTest((word, bit) => v.and(word, v.not(bit))),
  BTS: bitTest(v.or),
  CRC32: crc32,
  LZCNT: countZeros(leadingZeros),
  POPCNT: popcnt,
  SETA: set(when.A),
  SETAE: set(when.AE),
  SETB: set(when.B),
  SETBE: set(when.BE),
  SETE: set(when.E),
  SETG: set(when.G),
  SETGE: set(when.GE),
  SETL: set(when.L),
  SETLE: set(when.LE),
  SETNE: set(when.NE),
  SETNO: set(when.NO),
  SETNP: set(when.NP),
  SETNS: set(when.NS),
  SETO: set(when.O),
  SETP: set(when.P),
  SETS: set(when.S),
  TZCNT: countZeros(trailingZeros),
} as const satisfies InstructionTable;

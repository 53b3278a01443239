/** SSE4.2: comparing strings in vectors (SDM vol. 1, 5.11 and vol. 2, 4.1); CRC32 stands with the integer instructions. */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import { RAX, RCX, RDX, XMM0 } from '../registers.ts';
import { type InstructionTable, register, type Semantics } from '../semantics.ts';
import {
  type Binary,
  immediate8,
  onesVector,
  shuffleLanes,
  upTo,
  vectorOf,
  zeroVector,
} from './simd.ts';
import { lanes } from './sse2-integer.ts';

/** The immediate, taken apart (SDM vol. 2, 4.1.1 to 4.1.6). */
interface Control {
  readonly width: 8 | 16;
  readonly signed: boolean;
  readonly aggregation: number;
  readonly negate: boolean;
  /** Only valid elements of the second operand are negated. */
  readonly masked: boolean;
  /** The last index, or a mask of whole elements. */
  readonly high: boolean;
}

const controlOf = (bits: number): Control => ({
  width: bits & 1 ? 16 : 8,
  signed: (bits & 2) !== 0,
  aggregation: (bits >> 2) & 3,
  negate: (bits & 0x10) !== 0,
  masked: (bits & 0x20) !== 0,
  high: (bits & 0x40) !== 0,
});

/** A string: its elements, and all ones in the lanes that belong to it. */
interface Text {
  readonly elements: Value;
  readonly valid: Value;
  readonly length: Value;
}

const c32 = (value: number): Value => v.constant(32, value);

function textOf(elements: Value, length: Value, width: 8 | 16): Text {
  const first = v.insert(zeroVector, 0, v.resize(length, width));
  const everywhere = shuffleLanes(width, first, first, Array(128 / width).fill(0));
  const numbers = vectorOf(upTo(128 / width).map((i) => v.constant(width, i)));
  return { elements, length, valid: v.lane('laneGreaterSigned', width)(everywhere, numbers) };
}

/** Up to the first element that is 0. */
function implicit(elements: Value, width: 8 | 16): Text {
  const zeros = v.lane('laneBits', width)(v.lane('laneEqual', width)(elements, zeroVector));
  const length = v.countTrailingZeros(v.or(zeros, c32(1 << (128 / width))));
  return textOf(elements, length, width);
}

/** As long as the register says, whatever its sign, and no longer than a vector. */
function explicit(elements: Value, register: Value, width: 8 | 16): Text {
  const zero = v.constant(register.width, 0);
  const count = v.constant(register.width, 128 / width);
  const size = v.select(v.lessSigned(register, zero), v.neg(register), register);
  const length = v.resize(v.select(v.lessUnsigned(size, count), size, count), 32);
  return textOf(elements, length, width);
}

/** One element, in every lane. */
const spread = (a: Value, index: number, width: 8 | 16): Value =>
  shuffleLanes(width, a, a, Array(128 / width).fill(index));

/** Element i + by in lane i; lanes beyond the end hold those of `beyond`. */
const moved = (a: Value, by: number, width: 8 | 16, beyond: Value): Value =>
  shuffleLanes(
    width,
    a,
    beyond,
    upTo(128 / width).map((i) => i + by),
  );

const all = (values: readonly Value[], join: Binary): Value => values.reduce(join);

/** IntRes1, as lanes: what the second operand's elements have to do with the first's. */
const aggregations: readonly ((first: Text, second: Text, control: Control) => Value)[] = [
  function equalAny(first, second, { width }) {
    const hits = upTo(128 / width).map((i) =>
      v.and(
        v.lane('laneEqual', width)(second.elements, spread(first.elements, i, width)),
        spread(first.valid, i, width),
      ),
    );
    return v.and(all(hits, v.or), second.valid);
  },
  function ranges(first, second, { width, signed }) {
    const [least, most] = signed
      ? (['laneMinSigned', 'laneMaxSigned'] as const)
      : (['laneMinUnsigned', 'laneMaxUnsigned'] as const);
    const x = second.elements;
    const hits = upTo(64 / width).map((i) => {
      const low = v.lane(most, width)(x, spread(first.elements, 2 * i, width));
      const within = v.lane(least, width)(low, spread(first.elements, 2 * i + 1, width));
      const ordered = v.and(
        v.lane('laneEqual', width)(low, x),
        v.lane('laneEqual', width)(within, x),
      );
      return v.and(ordered, spread(first.valid, 2 * i + 1, width));
    });
    return v.and(all(hits, v.or), second.valid);
  },
  function equalEach(first, second, { width }) {
    const same = v.lane('laneEqual', width)(first.elements, second.elements);
    const both = v.and(v.and(same, first.valid), second.valid);
    return v.or(both, v.not(v.or(first.valid, second.valid)));
  },
  function equalOrdered(first, second, { width }) {
    const hits = upTo(128 / width).map((i) => {
      const element = spread(first.elements, i, width);
      const same = v.lane('laneEqual', width)(element, moved(second.elements, i, width, element));
      const valid = moved(second.valid, i, width, onesVector);
      return v.or(v.and(same, valid), v.not(spread(first.valid, i, width)));
    });
    return all(hits, v.and);
  },
];

/** IntRes2, as lanes. */
function compared(first: Text, second: Text, control: Control): Value {
  const aggregate = aggregations[control.aggregation];
  if (aggregate === undefined) throw new TypeError(`aggregation ${control.aggregation}`);
  const result = aggregate(first, second, control);
  if (!control.negate) return result;
  return v.xor(result, control.masked ? second.valid : onesVector);
}

export const stringFlags: FlagRule = {
  name: 'PCMPxSTRx',
  flags: (bits, secondEnds, firstEnds) => ({
    CF: v.notEqual(bits, c32(0)),
    ZF: secondEnds,
    SF: firstEnds,
    OF: v.bit(bits, 0),
    AF: v.zero,
    PF: v.zero,
  }),
};

/** ECX: the first or last place that holds, or the number of elements. */
function index(b: Builder, bits: Value, { width, high }: Control): void {
  const count = 128 / width;
  const last = v.sub(c32(31), v.countLeadingZeros(bits));
  const found = high
    ? v.select(v.isZero(bits), c32(count), last)
    : v.countTrailingZeros(v.or(bits, c32(1 << count)));
  b.write(register(RCX, 32), found);
}

/** XMM0: the lanes themselves, or a bit for each. */
const mask = (b: Builder, bits: Value, { high }: Control, whole: Value): void =>
  b.setRegister(XMM0, high ? whole : v.resize(bits, 128));

type Lengths = 'implicit' | 32 | 64;

const compare =
  (lengths: Lengths, write: typeof mask): Semantics =>
  (b, [left, right, immediate]) => {
    const control = controlOf(immediate8(immediate));
    const { width } = control;
    const text = (elements: Value, length: number): Text =>
      lengths === 'implicit'
        ? implicit(elements, width)
        : explicit(elements, b.read(register(length, lengths)), width);
    const second = text(b.read(right), RDX);
    const first = text(b.read(left), RAX);
    const whole = compared(first, second, control);
    const bits = v.lane('laneBits', width)(whole);
    const ends = ({ length }: Text): Value => v.lessUnsigned(length, c32(128 / width));
    write(b, bits, control, whole);
    b.setFlags(stringFlags, bits, ends(second), ends(first));
  };

export const sse42 = {
  PCMPGTQ: lanes('laneGreaterSigned', 64),
  PCMPESTRI: compare(32, index),
  PCMPESTRI64: compare(64, index),
  PCMPESTRM: compare(32, mask),
  PCMPESTRM64: compare(64, mask),
  PCMPISTRI: compare('implicit', index),
  PCMPISTRM: compare('implicit', mask),
} as const satisfies InstructionTable;

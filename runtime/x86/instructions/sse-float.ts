/** What SSE does with floats of 32 and SSE2 with floats of 64 bits (SDM vol. 1, 5.5.1 and 5.6.1); both tables are made here. */
import * as v from '../../ir/build.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import type { Semantics } from '../semantics.ts';
import {
  type Binary,
  type FloatWidth,
  immediate8,
  lowPart,
  packed,
  packedImmediate,
  packedUnary,
  scalar,
  scalarUnary,
  setLowPart,
} from './simd.ts';

type Arithmetic = 'floatAdd' | 'floatSub' | 'floatMul' | 'floatDiv' | 'floatMin' | 'floatMax';

export const packedFloat = (op: Arithmetic, width: FloatWidth): Semantics =>
  packed(v.float(op, width));
export const scalarFloat = (op: Arithmetic, width: FloatWidth): Semantics =>
  scalar(width, v.float(op, width));
export const packedRoot = (width: FloatWidth): Semantics =>
  packedUnary(v.float('floatSqrt', width));
export const scalarRoot = (width: FloatWidth): Semantics =>
  scalarUnary(width, v.float('floatSqrt', width));

/** CMPPS by the low three bits of its immediate: EQ, LT, LE, UNORD, and their negations. */
function compareMask(width: FloatWidth, a: Value, b: Value, predicate: number): Value {
  const ops = [
    'floatEqualMask',
    'floatLessMask',
    'floatLessEqualMask',
    'floatUnorderedMask',
  ] as const;
  const mask = v.float(ops[predicate & 3] ?? ops[0], width)(a, b);
  return predicate & 4 ? v.not(mask) : mask;
}

export const comparePacked = (width: FloatWidth): Semantics =>
  packedImmediate((a, b, immediate) => compareMask(width, a, b, immediate));

export const compareScalar =
  (width: FloatWidth): Semantics =>
  (b, [destination, source, predicate]) => {
    const y = lowPart(b, source, width);
    const x = v.slice(b.read(destination), 0, width);
    setLowPart(b, destination, compareMask(width, x, y, immediate8(predicate)));
  };

/** Comparing here rather than in the rule raises the exceptions of the comparison where it happens, and once. */
export const floatOrder: FlagRule = {
  name: 'floatOrder',
  flags: (above, aboveOrEqual, unordered) => ({
    ZF: v.or(unordered, v.and(aboveOrEqual, v.not(above))),
    PF: unordered,
    CF: v.not(aboveOrEqual),
    OF: v.zero,
    SF: v.zero,
    AF: v.zero,
  }),
  conditions: {
    B: (_, aboveOrEqual) => v.not(aboveOrEqual),
    BE: (above) => v.not(above as Value),
    E: (above, aboveOrEqual, unordered) => equalOrUnordered(above, aboveOrEqual, unordered),
    P: (_, __, unordered) => unordered as Value,
  },
};

/** By one comparison of the operands, where they are at hand. */
function equalOrUnordered(above: Value, aboveOrEqual: Value, unordered: Value): Value {
  const [y, x] = above.args;
  return x === undefined || y === undefined
    ? v.or(unordered, v.and(aboveOrEqual, v.not(above)))
    : v.or(unordered, v.floatCompare('floatEqual', x, y));
}

/** COMISS; UCOMISS raises #I for signaling NaNs only. */
export const compareToFlags =
  (width: FloatWidth, quiet: boolean): Semantics =>
  (b, [left, right]) => {
    const y = lowPart(b, right, width);
    const x = lowPart(b, left, width);
    b.setFlags(
      floatOrder,
      v.floatCompare(quiet ? 'floatLessQuiet' : 'floatLess', y, x),
      v.floatCompare(quiet ? 'floatLessEqualQuiet' : 'floatLessEqual', y, x),
      v.floatCompare('floatUnordered', x, y),
    );
  };

/** ANDNPS: the destination's bits are the negated ones. */
export const andNot: Binary = (a, b) => v.andNot(b, a);

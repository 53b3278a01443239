/**
 * Float ops as SSE computes them under MXCSR (SDM vol. 1, 10.2.3, 11.5 and appendix E): NaNs, DAZ, FTZ, rounding,
 * and the exception flags of every lane.
 */
import { at, type FloatOp, type Rule } from './evaluate-rule.ts';
import { join, split } from './evaluate-vector.ts';
import {
  addExact,
  binary32,
  binary64,
  compareExact,
  defaultNan,
  divide,
  exceptions,
  type Finite,
  type Format,
  infinity,
  mulExact,
  pack,
  quietNan,
  type Rounding,
  round,
  roundAt,
  roundings,
  squareRoot,
  type Unpacked,
  unpack,
  zero,
} from './float.ts';

const { invalid, denormal, divideByZero, precision } = exceptions;

/** MXCSR, taken apart. */
interface Control {
  readonly rounding: Rounding;
  readonly denormalsAreZeros: boolean;
  readonly flushToZero: boolean;
  readonly unmasked: number;
}

const controlOf = (mxcsr: number): Control => ({
  rounding: at(roundings, (mxcsr >> 13) & 3),
  denormalsAreZeros: (mxcsr & 0x40) !== 0,
  flushToZero: (mxcsr & 0x8000) !== 0,
  unmasked: ~(mxcsr >> 7) & 0x3f,
});

/** One lane's result; `before` are flags found in the operands, `after` those of the result. */
interface Result {
  readonly bits: bigint;
  readonly before: number;
  readonly after: number;
}

const plain = (bits: bigint): Result => ({ bits, before: 0, after: 0 });
const faulty = (bits: bigint, before: number): Result => ({ bits, before, after: 0 });

const formatOf = (width: number): Format => (width === 32 ? binary32 : binary64);

type Compute = (format: Format, operands: readonly Operand[], control: Control) => Result;

/** An operand, its bits after DAZ. */
interface Operand {
  readonly bits: bigint;
  readonly value: Unpacked;
}

function operand(format: Format, bits: bigint, { denormalsAreZeros }: Control): Operand {
  const value = unpack(format, bits);
  if (value.kind !== 'subnormal' || !denormalsAreZeros) return { bits, value };
  const flushed = zero(format, value.sign);
  return { bits: flushed, value: unpack(format, flushed) };
}

/** The same in every lane; the detail is its width. */
const lanes =
  (compute: Compute): Rule =>
  (node, args, { float }) => {
    const width = node.detail as number;
    const argWidth = at(node.args, 0).width;
    const format = formatOf(width);
    const control = controlOf(float.mxcsr);
    const columns = args.map((arg) => split(arg, width, argWidth));
    const results = at(columns, 0).map((_, i) =>
      compute(
        format,
        columns.map((column) => operand(format, at(column, i), control)),
        control,
      ),
    );
    for (const { before, after } of results) float.note(before, after);
    return join(
      results.map(({ bits }) => bits),
      width,
    );
  };

const isNan = ({ value }: Operand): boolean => value.kind === 'quiet' || value.kind === 'signaling';
const signals = ({ value }: Operand): boolean => value.kind === 'signaling';
const denormalFlag = (operands: readonly Operand[]): number =>
  operands.some(({ value }) => value.kind === 'subnormal') ? denormal : 0;

/** The first NaN, quieted (SDM vol. 1, table 4-7). */
function nanResult(format: Format, operands: readonly Operand[]): Result | undefined {
  for (const { value } of operands)
    if (value.kind === 'quiet' || value.kind === 'signaling') {
      const bits = quietNan(format, value.sign, value.fraction);
      return faulty(bits, operands.some(signals) ? invalid : 0);
    }
  return undefined;
}

const invalidResult = (format: Format): Result => faulty(defaultNan(format), invalid);

function rounded(format: Format, value: Finite, control: Control, before: number): Result {
  const result = round(format, value, control);
  return { bits: pack(format, result), before, after: result.flags };
}

type Arithmetic = (format: Format, a: Unpacked, b: Unpacked, control: Control) => Result;

/** NaNs first, then what the operation says; the denormal flag comes with everything that was not invalid. */
const arithmetic =
  (compute: Arithmetic): Compute =>
  (format, operands, control) => {
    const nan = nanResult(format, operands);
    if (nan !== undefined) return nan;
    const a = at(operands, 0).value;
    const b = operands[1]?.value ?? a;
    const result = compute(format, a, b, control);
    if (result.before & (invalid | divideByZero)) return result;
    return { ...result, before: result.before | denormalFlag(operands) };
  };

const finite = (value: Unpacked): value is Extract<Unpacked, Finite> => 'significand' in value;

const negated = (value: Unpacked): Unpacked => ({ ...value, sign: !value.sign });

const add: Arithmetic = (format, a, b, control) => {
  if (!finite(a)) {
    if (!finite(b) && a.sign !== b.sign) return invalidResult(format);
    return plain(infinity(format, a.sign));
  }
  if (!finite(b)) return plain(infinity(format, b.sign));
  const sum = addExact(a, b);
  if (sum.significand !== 0n) return rounded(format, sum, control, 0);
  const bothZero = a.significand === 0n && b.significand === 0n;
  const sign = bothZero && a.sign === b.sign ? a.sign : control.rounding === 'down';
  return plain(zero(format, sign));
};

const mul: Arithmetic = (format, a, b, control) => {
  const sign = a.sign !== b.sign;
  if (finite(a) && finite(b)) {
    return rounded(format, mulExact(a, b), control, 0);
  }
  if (a.kind === 'zero' || b.kind === 'zero') return invalidResult(format);
  return plain(infinity(format, sign));
};

const div: Arithmetic = (format, a, b, control) => {
  const sign = a.sign !== b.sign;
  if (!finite(a)) return finite(b) ? plain(infinity(format, sign)) : invalidResult(format);
  if (!finite(b)) return plain(zero(format, sign));
  if (b.kind !== 'zero') return rounded(format, divide(a, b, format.precision), control, 0);
  if (a.kind === 'zero') return invalidResult(format);
  return faulty(infinity(format, sign), divideByZero);
};

const sqrt: Arithmetic = (format, a, _, control) => {
  if (a.kind === 'zero') return plain(zero(format, a.sign));
  if (a.sign) return invalidResult(format);
  if (!finite(a)) return plain(infinity(format, false));
  return rounded(format, squareRoot(a, format.precision), control, 0);
};

type Order = 'less' | 'equal' | 'greater' | 'unordered';

function order(a: Operand, b: Operand): Order {
  if (isNan(a) || isNan(b)) return 'unordered';
  const sign = compareExact(comparable(a.value), comparable(b.value));
  return sign < 0 ? 'less' : sign > 0 ? 'greater' : 'equal';
}

/** Infinity as a number beyond all others. */
const comparable = (value: Unpacked): Finite =>
  finite(value) ? value : { sign: value.sign, significand: 1n, exponent: 20_000 };

/** `signaling` comparisons raise #I for quiet NaNs, too. */
const compare =
  (holds: readonly Order[], signaling: boolean, result: bigint): Compute =>
  (_, operands) => {
    const [a, b] = [at(operands, 0), at(operands, 1)];
    const found = order(a, b);
    const nan = signaling ? found === 'unordered' : operands.some(signals);
    const flags = nan ? invalid : found === 'unordered' ? 0 : denormalFlag(operands);
    return faulty(holds.includes(found) ? result : 0n, flags);
  };

const maskOf = (holds: readonly Order[], signaling: boolean): Rule =>
  lanes(compare(holds, signaling, -1n));

const test = (holds: readonly Order[], signaling: boolean): Rule =>
  lanes(compare(holds, signaling, 1n));

/** The second operand unless the first is truly beyond it (SDM vol. 2, MINPS). */
const choose =
  (wanted: Order): Compute =>
  (_, operands) => {
    const [a, b] = [at(operands, 0), at(operands, 1)];
    const found = order(a, b);
    const flags = found === 'unordered' ? invalid : denormalFlag(operands);
    return faulty(found === wanted ? a.bits : b.bits, flags);
  };

/** A conversion: one value in, one out, of the widths of argument and node. */
const conversion =
  (compute: (bits: bigint, from: number, to: number, control: Control) => Result): Rule =>
  (node, args, { float }) => {
    const control = controlOf(float.mxcsr);
    const result = compute(at(args, 0), at(node.args, 0).width, node.width, control);
    float.note(result.before, result.after);
    return result.bits;
  };

const convert = conversion((bits, from, to, control) => {
  const target = formatOf(to);
  const source = operand(formatOf(from), bits, control);
  const { value } = source;
  if (value.kind === 'quiet' || value.kind === 'signaling') {
    const shift = BigInt(Math.abs(from === 64 ? 29 : -29));
    const fraction = from === 64 ? value.fraction >> shift : value.fraction << shift;
    return faulty(quietNan(target, value.sign, fraction), signals(source) ? invalid : 0);
  }
  if (!finite(value)) return plain(infinity(target, value.sign));
  return rounded(target, value, control, denormalFlag([source]));
});

const fromSigned = conversion((bits, from, to, control) => {
  const integer = BigInt.asIntN(from, bits);
  const sign = integer < 0n;
  const value = { sign, significand: sign ? -integer : integer, exponent: 0 };
  return rounded(formatOf(to), value, control, 0);
});

/** The integer indefinite and #I where the value is out of range; no other flag then. */
const toSigned = (rounding: Rounding | undefined): Rule =>
  conversion((bits, from, to, control) => {
    const { value } = operand(formatOf(from), bits, control);
    const indefinite = faulty(1n << BigInt(to - 1), invalid);
    if (!finite(value)) return indefinite;
    const { significand, inexact } = roundAt(value, 0, rounding ?? control.rounding);
    const integer = value.sign ? -significand : significand;
    if (BigInt.asIntN(to, integer) !== integer) return indefinite;
    return {
      bits: BigInt.asUintN(to, integer),
      before: 0,
      after: inexact ? precision : 0,
    };
  });

/** To an integral value, without any exception: ROUNDPS says what it raises. */
const roundToIntegral =
  (rounding: Rounding): Compute =>
  (format, operands, control) => {
    const nan = nanResult(format, operands);
    if (nan !== undefined) return plain(nan.bits);
    const { bits, value } = at(operands, 0);
    if (!finite(value) || value.exponent >= 0) return plain(bits);
    const { significand } = roundAt(value, 0, rounding);
    const whole = round(format, { sign: value.sign, significand, exponent: 0 }, control);
    return plain(pack(format, whole));
  };

export const floatRules: Readonly<Record<FloatOp, Rule>> = {
  floatAdd: lanes(arithmetic(add)),
  floatSub: lanes(arithmetic((format, a, b, control) => add(format, a, negated(b), control))),
  floatMul: lanes(arithmetic(mul)),
  floatDiv: lanes(arithmetic(div)),
  floatSqrt: lanes(arithmetic(sqrt)),
  floatMin: lanes(choose('less')),
  floatMax: lanes(choose('greater')),
  floatEqualMask: maskOf(['equal'], false),
  floatLessMask: maskOf(['less'], true),
  floatLessEqualMask: maskOf(['less', 'equal'], true),
  floatUnorderedMask: maskOf(['unordered'], false),
  floatEqual: test(['equal'], false),
  floatUnordered: test(['unordered'], false),
  floatLess: test(['less'], true),
  floatLessEqual: test(['less', 'equal'], true),
  floatLessQuiet: test(['less'], false),
  floatLessEqualQuiet: test(['less', 'equal'], false),
  floatNearest: lanes(roundToIntegral('nearest')),
  floatFloor: lanes(roundToIntegral('down')),
  floatCeil: lanes(roundToIntegral('up')),
  floatTrunc: lanes(roundToIntegral('zero')),
  floatConvert: convert,
  floatFromSigned: fromSigned,
  floatToSigned: toSigned(undefined),
  floatTruncate: toSigned('zero'),
};

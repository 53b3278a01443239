/** MUL IMUL DIV IDIV (SDM vol. 1, 5.1.2). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Operand } from '../../ir/operand.ts';
import type { Width } from '../../ir/ops.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import { type InstructionTable, type Semantics, vectors } from '../semantics.ts';
import { sign, undefinedRule } from './flag-rules.ts';
import { accumulator, accumulatorHigh } from './operands.ts';

const twice = (width: Width): Width => (width * 2) as Width;

/** CF and OF tell whether the product needed more than its lower half. */
const productFlags = (overflow: Value): ReturnType<FlagRule['flags']> => ({
  CF: overflow,
  OF: overflow,
  SF: v.undefinedFlag,
  ZF: v.undefinedFlag,
  AF: v.undefinedFlag,
  PF: v.undefinedFlag,
});

export const mulRule: FlagRule = {
  name: 'mul',
  flags: (high: Value) => productFlags(v.not(v.isZero(high))),
};

export const imulRule: FlagRule = {
  name: 'imul',
  flags: (x: Value, y: Value) => {
    if (x.width === 64) {
      const low = v.mul(x, y);
      return productFlags(v.notEqual(v.mulHighSigned(x, y), v.shiftRightSigned(low, 63)));
    }
    const product = v.mul(v.signExtend(x, twice(x.width)), v.signExtend(y, twice(x.width)));
    return productFlags(
      v.notEqual(product, v.signExtend(v.resize(product, x.width), product.width)),
    );
  },
};

type Extend = (a: Value, width: Width) => Value;

/** Low and high half of a product. */
function product(x: Value, y: Value, extend: Extend): [low: Value, high: Value] {
  if (x.width === 64) {
    const high = extend === v.signExtend ? v.mulHighSigned : v.mulHighUnsigned;
    return [v.mul(x, y), high(x, y)];
  }
  const wide = v.mul(extend(x, twice(x.width)), extend(y, twice(x.width)));
  return [v.resize(wide, x.width), v.resize(v.shiftRight(wide, x.width), x.width)];
}

/** Double-width accumulator := accumulator * SRC. */
const widening =
  (extend: Extend): Semantics =>
  (b, [source]) => {
    const x = b.read(accumulator(source.width));
    const y = b.read(source);
    const [low, high] = product(x, y, extend);
    b.write(accumulator(source.width), low);
    b.write(accumulatorHigh(source.width), high);
    if (extend === v.signExtend) b.setFlags(imulRule, x, y);
    else b.setFlags(mulRule, high);
  };

/** DEST := DEST * SRC, or DEST := SRC1 * SRC2, cut to DEST. */
function truncating(b: Builder, destination: Operand, first: Operand, second: Operand): void {
  const x = b.read(first);
  const y = b.read(second);
  b.write(destination, v.mul(x, y));
  b.setFlags(imulRule, x, y);
}

/** One, two or three operands, as the form's name counts them. */
const imul: Semantics = (b, operands, facts) => {
  const [destination, first, second] = operands;
  const count = facts.code.split('_').length - 1;
  if (count === 1) widening(v.signExtend)(b, operands, facts);
  else if (count === 2) truncating(b, destination, destination, first);
  else truncating(b, destination, first, second);
};

/** The quotient and the remainder, narrow; #DE is raised. */
type Divide = (b: Builder, high: Value, low: Value, divisor: Value) => [Value, Value];

const dividing =
  (divide: Divide): Semantics =>
  (b, [source]) => {
    const divisor = b.read(source);
    const high = b.read(accumulatorHigh(source.width));
    const low = b.read(accumulator(source.width));
    const [quotient, remainder] = divide(b, high, low, divisor);
    b.write(accumulator(source.width), quotient);
    b.write(accumulatorHigh(source.width), remainder);
    b.setFlags(undefinedRule);
  };

/** high:low. */
const dividend = (high: Value, low: Value): Value => {
  const width = twice(low.width);
  return v.or(v.shiftLeft(v.resize(high, width), low.width), v.resize(low, width));
};

const unsigned: Divide = (b, high, low, divisor) => {
  const { width } = divisor;
  b.raiseIf(v.lessEqualUnsigned(divisor, high), vectors.DE); // a divisor of 0, too
  if (v.constantOf(high) === 0n && width >= 32)
    return [v.divUnsigned(low, divisor), v.remUnsigned(low, divisor)];
  if (width === 64) {
    const quotient = v.divWideUnsigned(high, low, divisor);
    return [quotient, v.sub(low, v.mul(quotient, divisor))];
  }
  const whole = v.resize(dividend(high, low), width === 32 ? 64 : 32);
  const by = v.resize(divisor, whole.width);
  return [v.resize(v.divUnsigned(whole, by), width), v.resize(v.remUnsigned(whole, by), width)];
};

/** Two reads of one register's part are two values alike. */
const alike = (a: Value | undefined, b: Value): boolean =>
  a === b || (a?.op === 'truncate' && b.op === 'truncate' && a.args[0] === b.args[0]);

/** Whether high is nothing but low's sign, as CDQ and CQO leave it. */
const isSignOf = (high: Value, low: Value): boolean =>
  high.op === 'shiftRightSigned' &&
  alike(high.args[0], low) &&
  high.args[1] !== undefined &&
  v.constantOf(high.args[1]) === BigInt(low.width - 1);

/** Of the most negative dividend by -1 the quotient does not fit. */
const raiseOnOverflow = (b: Builder, whole: Value, divisor: Value): void =>
  b.raiseIf(
    v.and(
      v.equal(divisor, v.constant(divisor.width, -1)),
      v.equal(whole, v.constant(whole.width, 1n << BigInt(whole.width - 1))),
    ),
    vectors.DE,
  );

const signed: Divide = (b, high, low, divisor) => {
  const { width } = divisor;
  if (width >= 32 && isSignOf(high, low)) {
    b.raiseIf(v.isZero(divisor), vectors.DE);
    raiseOnOverflow(b, low, divisor);
    return [v.divSigned(low, divisor), v.remSigned(low, divisor)];
  }
  if (width === 64) return signedWide(b, high, low, divisor);
  b.raiseIf(v.isZero(divisor), vectors.DE);
  const whole = v.signExtend(dividend(high, low), width === 8 ? 32 : 64);
  const by = v.signExtend(divisor, whole.width);
  if (width === 32) raiseOnOverflow(b, whole, by);
  const quotient = v.divSigned(whole, by);
  const narrow = v.resize(quotient, width);
  b.raiseIf(v.notEqual(v.signExtend(narrow, quotient.width), quotient), vectors.DE);
  return [narrow, v.resize(v.remSigned(whole, by), width)];
};

/** 128 bits by 64, through the magnitudes: the quotient fits below 2^63, or up to it where it is negative. */
function signedWide(b: Builder, high: Value, low: Value, divisor: Value): [Value, Value] {
  const dividendSign = sign(high);
  const magnitudeLow = v.select(dividendSign, v.neg(low), low);
  const borrow = v.resize(v.not(v.isZero(low)), 64);
  const magnitudeHigh = v.select(dividendSign, v.sub(v.neg(high), borrow), high);
  const magnitude = v.select(sign(divisor), v.neg(divisor), divisor);
  b.raiseIf(v.lessEqualUnsigned(magnitude, magnitudeHigh), vectors.DE); // a divisor of 0, too
  const negative = v.xor(dividendSign, sign(divisor));
  const unsignedQuotient = v.divWideUnsigned(magnitudeHigh, magnitudeLow, magnitude);
  const limit = v.add(v.constant(64, (1n << 63n) - 1n), v.resize(negative, 64));
  b.raiseIf(v.lessUnsigned(limit, unsignedQuotient), vectors.DE);
  const quotient = v.select(negative, v.neg(unsignedQuotient), unsignedQuotient);
  return [quotient, v.sub(low, v.mul(quotient, divisor))];
}

export const multiplyDivide = {
  DIV: dividing(unsigned),
  IDIV: dividing(signed),
  IMUL: imul,
  MUL: widening(v.resize),
} as const satisfies InstructionTable;

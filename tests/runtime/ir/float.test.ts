/** IEEE 754 in BigInt against the doubles of JavaScript, and, where these cannot go, against values worked out by hand. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  addExact,
  binary32,
  binary64,
  bitLength,
  divide,
  exceptions,
  extended80,
  type Finite,
  type Format,
  mulExact,
  normalised,
  pack,
  type RoundingControl,
  round,
  squareRoot,
  unpack,
} from '../../../runtime/ir/float.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';

const test = suite('runtime/ir/float');
const ROUNDS = 2000;
const nearest: RoundingControl = { rounding: 'nearest' };

const view = new DataView(new ArrayBuffer(8));
function bitsOf(number: number): bigint {
  view.setFloat64(0, number);
  return view.getBigUint64(0);
}
function numberOf(bits: bigint): number {
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}
function bits32Of(number: number): bigint {
  view.setFloat32(0, number);
  return BigInt(view.getUint32(0));
}

function finite(bits: bigint): Finite {
  const value = unpack(binary64, bits);
  if (!('significand' in value)) throw new TypeError(`0x${bits.toString(16)} is not finite`);
  return value;
}

/** Finite, of all magnitudes, often near another one, sometimes subnormal. */
function someBits(source: Random): bigint {
  const exponents = [0, 1, 1022, 1023, 1024, 1000 + source.below(60), source.below(2047)];
  const exponent = BigInt(exponents[source.below(exponents.length)] ?? 0);
  const fraction = BigInt.asUintN(52, source.bigint64());
  return (BigInt(source.below(2)) << 63n) | (exponent << 52n) | fraction;
}

const rounded = (format: Format, value: Finite, control = nearest): bigint =>
  pack(format, round(format, value, control));

const operations: readonly (readonly [
  string,
  (a: Finite, b: Finite) => Finite,
  (a: number, b: number) => number,
])[] = [
  ['sum', addExact, (a, b) => a + b],
  ['product', mulExact, (a, b) => a * b],
  ['quotient', (a, b) => divide(a, b, 53), (a, b) => a / b],
];

for (const [name, exact, native] of operations)
  test(`a ${name} of doubles is rounded as JavaScript rounds it`, () => {
    const seed = freshSeed();
    const source = random(seed);
    for (let i = 0; i < ROUNDS; i++) {
      const [a, b] = [someBits(source), someBits(source) | 1n];
      const expected = native(numberOf(a), numberOf(b));
      const value = exact(finite(a), finite(b));

      if (value.significand !== 0n)
        assert.is(rounded(binary64, value), bitsOf(expected), `seed ${seed}, round ${i}`);
    }
  });

test('a root is rounded as JavaScript rounds it', () => {
  const seed = freshSeed();
  const source = random(seed);
  for (let i = 0; i < ROUNDS; i++) {
    const a = BigInt.asUintN(63, someBits(source));

    const root = squareRoot(finite(a), 53);

    if (a !== 0n)
      assert.is(
        rounded(binary64, root),
        bitsOf(Math.sqrt(numberOf(a))),
        `seed ${seed}, round ${i}`,
      );
  }
});

test('a double becomes a single as Math.fround makes it', () => {
  const seed = freshSeed();
  const source = random(seed);
  for (let i = 0; i < ROUNDS; i++) {
    const exponent = BigInt(860 + source.below(300));
    const a = (exponent << 52n) | BigInt.asUintN(52, source.bigint64());

    assert.is(
      rounded(binary32, finite(a)),
      bits32Of(numberOf(a)),
      `seed ${seed}, round ${i}: ${a.toString(16)}`,
    );
  }
});

test('packing what was unpacked gives the same bits', () => {
  const seed = freshSeed();
  const source = random(seed);
  for (let i = 0; i < ROUNDS; i++) {
    const a = someBits(source);

    assert.is(rounded(binary64, finite(a)), a, `seed ${seed}, round ${i}`);
  }
});

/** 1 and a bit of 2^-60. */
const aboveOne: Finite = { sign: false, significand: (1n << 60n) | 1n, exponent: -60 };

test('directed rounding moves a value to its side', () => {
  const one = bitsOf(1);

  const bits = (control: RoundingControl['rounding'], sign: boolean): bigint =>
    rounded(binary64, { ...aboveOne, sign }, { rounding: control });

  assert.is(bits('up', false), one + 1n);
  assert.is(bits('down', false), one);
  assert.is(bits('zero', false), one);
  assert.is(bits('down', true), bitsOf(-1) + 1n);
  assert.is(bits('up', true), bitsOf(-1));
});

test('too large a value overflows to infinity or to the greatest number', () => {
  const huge: Finite = { sign: false, significand: 1n, exponent: 1024 };

  const up = round(binary64, huge, { rounding: 'up' });
  const down = round(binary64, huge, { rounding: 'down' });

  assert.is(up.flags, exceptions.overflow | exceptions.precision);
  assert.is(pack(binary64, up), bitsOf(Number.POSITIVE_INFINITY));
  assert.is(pack(binary64, down), bitsOf(Number.MAX_VALUE));
});

test('a subnormal value is an underflow only where it is inexact', () => {
  const least: Finite = { sign: false, significand: 1n, exponent: -1074 };
  const between: Finite = { sign: false, significand: 3n, exponent: -1075 };

  assert.is(round(binary64, least, nearest).flags, 0);
  assert.is(round(binary64, between, nearest).flags, exceptions.underflow | exceptions.precision);
  assert.is(rounded(binary64, between), 2n);
});

test('what rounds up to the least normal number is not tiny, as x86 looks after rounding', () => {
  const almost: Finite = { sign: false, significand: (1n << 55n) - 1n, exponent: -1022 - 55 };

  const result = round(binary64, almost, nearest);

  assert.is(pack(binary64, result), 1n << 52n);
  assert.is(result.flags, exceptions.precision);
});

test('flush to zero keeps the sign and says underflow', () => {
  const tiny: Finite = { sign: true, significand: 1n, exponent: -1074 };

  const result = round(binary64, tiny, { rounding: 'nearest', flushToZero: true });

  assert.is(pack(binary64, result), 1n << 63n);
  assert.is(result.flags, exceptions.underflow | exceptions.precision);
});

test('a third in the x87 format has 64 bits, the last one rounded up', () => {
  const one: Finite = { sign: false, significand: 1n, exponent: 0 };
  const three: Finite = { sign: false, significand: 3n, exponent: 0 };

  const result = round(extended80, divide(one, three, 64), nearest);
  const { significand, exponent } = normalised(extended80, result);

  assert.is(significand, 0xaaaaaaaaaaaaaaabn);
  assert.is(exponent, -65);
  assert.is(result.roundedUp, true);
});

test('the length of a number is that of its binary digits', () => {
  for (const value of [0n, 1n, 2n, 255n, 256n, (1n << 64n) - 1n, 1n << 64n])
    assert.is(bitLength(value), value === 0n ? 0 : value.toString(2).length);
});

test.run();

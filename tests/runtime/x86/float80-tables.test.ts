/** The tables of the x87's transcendental functions, computed anew by series of rational numbers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  arctangents,
  logarithms,
  logOfE,
  naturalLogOf2,
  pi,
  powersOfTwo,
} from '../../../runtime/x86/float80-tables.ts';

const test = suite('runtime/x86/float80-tables');

/** Fixed point with 200 bits behind it. */
const BITS = 200n;
const one = 1n << BITS;

const times = (a: bigint, b: bigint): bigint => (a * b) >> BITS;

/** u - u³/3 + u⁵/5 …, or with all signs positive: the inverse tangent, circular and hyperbolic. */
function inverseTangent(u: bigint, sign: 1n | -1n): bigint {
  const square = times(u, u) * sign;
  let sum = 0n;
  for (let power = u, k = 1n; power !== 0n && k < 2000n; k += 2n) {
    sum += power / k;
    power = times(power, square);
  }
  return sum;
}

const ratio = (a: bigint, b: bigint): bigint => (a * one) / b;
const logarithm = (a: bigint, b: bigint): bigint => 2n * inverseTangent(ratio(a - b, a + b), 1n);
const ln2 = logarithm(2n, 1n);

function exponential(x: bigint): bigint {
  let sum = one;
  for (let term = one, k = 1n; term !== 0n; k++) {
    term = times(term, x) / k;
    if (term === -1n) break; // the shift rounds down for ever
    sum += term;
  }
  return sum;
}

const rounded = (x: bigint, bits: bigint): bigint =>
  (x + (1n << (BITS - bits - 1n))) >> (BITS - bits);

test('powers of two are 2^(-k/16)', () => {
  const expected = Array.from({ length: 16 }, (_, i) =>
    rounded(exponential((-ln2 * BigInt(i + 1)) / 16n), 128n),
  );

  assert.equal([...powersOfTwo], expected);
});

test('logarithms are log2(32/j), modulo 2^128', () => {
  const expected = Array.from({ length: 23 }, (_, i) => {
    const log = (logarithm(32n, BigInt(i + 23)) * one) / ln2;
    return BigInt.asUintN(128, rounded(log, 112n));
  });

  assert.equal([...logarithms], expected);
});

test('arctangents are atan(i/16)', () => {
  const expected = Array.from({ length: 16 }, (_, i) =>
    rounded(inverseTangent(ratio(BigInt(i), 16n), -1n), 128n),
  );

  assert.equal([...arctangents], expected);
});

test('the constants are ln 2, log2 e and π', () => {
  const byMachin =
    16n * inverseTangent(ratio(1n, 5n), -1n) - 4n * inverseTangent(ratio(1n, 239n), -1n);

  assert.is(naturalLogOf2, rounded(ln2, 128n));
  assert.is(logOfE, rounded((one * one) / ln2, 127n));
  assert.is(pi, rounded(byMachin, 126n));
});

test.run();

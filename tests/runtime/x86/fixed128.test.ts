/** Fixed-point arithmetic of 128 bits, through the reference evaluator, against BigInt. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from '../../../runtime/ir/build.ts';
import { Builder } from '../../../runtime/ir/builder.ts';
import { evaluateBlock } from '../../../runtime/ir/evaluate.ts';
import type { Value } from '../../../runtime/ir/value.ts';
import {
  addWide,
  divideByWord,
  divideWide,
  lookUp,
  polynomial,
  product,
  shiftWideLeft,
  shiftWideRight,
  subtractWide,
  timesWide,
  timesWord,
  type Wide,
  wideConstant,
} from '../../../runtime/x86/fixed128.ts';
import { XMM0 } from '../../../runtime/x86/registers.ts';
import { cpuState } from '../../../runtime/x86/state.ts';
import { RegionMemory, TestState } from '../../support/evaluation-state.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';
import { baseState } from '../../support/vectors/state.ts';

const test = suite('runtime/x86/fixed128');

const CASES = 100;
const all = (1n << 128n) - 1n;

function computed({ high, low }: Wide): bigint {
  const builder = new Builder(64, XMM0);
  builder.begin(0n);
  builder.storeCpu(cpuState.scratch, low);
  builder.storeCpu(cpuState.scratch + 8, high);
  const cpu = new TestState(64, baseState(64), new RegionMemory([]));
  evaluateBlock(builder.finish(0n), cpu);
  return cpu.loadCpu(cpuState.scratch, 16);
}

const word = (source: Random): bigint => {
  const full = BigInt.asUintN(64, source.bigint64());
  return source.below(4) === 0 ? full >> BigInt(source.below(64)) : full;
};
const pair = (source: Random): bigint => (word(source) << 64n) | word(source);
const c64 = (value: bigint | number): Value => v.constant(64, value);

/** Each case with fresh operands; a failure tells the seed. */
function forAll(check: (source: Random) => void): void {
  const seed = freshSeed();
  const source = random(seed);
  try {
    for (let i = 0; i < CASES; i++) check(source);
  } catch (cause) {
    throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
  }
}

test('sums and differences carry from the lower word', () => {
  forAll((source) => {
    const a = pair(source);
    const b = pair(source);

    assert.is(computed(addWide(wideConstant(a), wideConstant(b))), (a + b) & all);
    assert.is(computed(subtractWide(wideConstant(a), wideConstant(b))), (a - b) & all);
  });
});

test('shifts move bits between the words', () => {
  forAll((source) => {
    const a = pair(source);
    const count = 1 + source.below(63);

    assert.is(computed(shiftWideRight(wideConstant(a), count)), a >> BigInt(count));
    assert.is(computed(shiftWideLeft(wideConstant(a), c64(count))), (a << BigInt(count)) & all);
    assert.is(computed(shiftWideLeft(wideConstant(a), c64(0))), a);
  });
});

test('products are the upper bits, the last three units of 256 apart', () => {
  forAll((source) => {
    const a = pair(source);
    const b = pair(source);
    const x = word(source);

    assert.is(computed(product(c64(a >> 64n), c64(x))), (a >> 64n) * x);
    assert.is(computed(timesWord(wideConstant(a), c64(x))), (a * x) >> 64n);
    const missing = ((a * b) >> 128n) - computed(timesWide(wideConstant(a), wideConstant(b)));
    assert.ok(missing >= 0n && missing <= 3n);
  });
});

test('quotients are exact by a word, and by two right to 2^-66 and to 8 of their last units', () => {
  forAll((source) => {
    const b = pair(source) | (1n << 127n);
    const a = pair(source) % (b & ~((1n << 64n) - 1n));

    const byWord = computed(divideByWord(wideConstant(a), c64(b >> 64n)));
    const byPair = computed(divideWide(wideConstant(a), wideConstant(b)));

    assert.is(byWord, ((a << 64n) / (b >> 64n)) & all);
    const exact = (a << 128n) / b;
    const apart = byPair > exact ? byPair - exact : exact - byPair;
    // The correction is cut off twice, and then times 4.
    assert.ok(apart <= (exact >> 66n) + 8n);
  });
});

test('a table gives the entry of its index', () => {
  const entries = Array.from({ length: 23 }, (_, i) => (BigInt(i) << 100n) | BigInt(i * i));

  for (const [i, entry] of entries.entries()) assert.is(computed(lookUp(c64(i), entries)), entry);
});

test('a polynomial is that of a small positive or negative number', () => {
  const coefficients = Array.from({ length: 12 }, (_, k) => all / BigInt(k + 2));
  const drop = 5;
  forAll((source) => {
    const x = word(source);
    const negative = source.below(2) === 1;
    let expected = 0n;
    for (const coefficient of coefficients.toReversed())
      expected = coefficient + (((negative ? -x : x) * expected) >> BigInt(64 + drop));

    const actual = computed(polynomial(c64(x), drop, coefficients, negative ? v.one : v.zero));

    const apart = actual > expected ? actual - expected : expected - actual;
    assert.ok(apart < 1n << 60n, `${apart} of 2^128 apart`);
  });
});

test.run();

/** What constructors fold: naive semantics stay short only because of it, and values must not change. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from '../../../runtime/ir/build.ts';

const test = suite('runtime/ir/build');
const vector = v.registerValue(16, 128);
const double = v.registerValue(0, 64);

test('a slice of what was just inserted is the part itself', () => {
  const whole = v.insert(vector, 64, double);

  assert.is(v.slice(whole, 64, 64), double);
});

test('a slice beside an insertion comes from the vector below', () => {
  const whole = v.insert(vector, 64, double);

  assert.equal(v.slice(whole, 0, 64), v.slice(vector, 0, 64));
});

test('a slice that overlaps an insertion is not folded', () => {
  const whole = v.insert(vector, 0, double);

  assert.is(v.slice(whole, 32, 32).args[0], whole);
});

test('an insertion over one of the same place forgets it', () => {
  const other = v.registerValue(1, 64);

  const whole = v.insert(v.insert(vector, 0, double), 0, other);

  assert.equal(whole, v.insert(vector, 0, other));
});

test('the halves of a pack are its parts', () => {
  const other = v.registerValue(1, 64);

  const whole = v.pack(double, other);

  assert.is(v.slice(whole, 0, 64), double);
  assert.is(v.slice(whole, 64, 64), other);
});

test('constants are computed in the width they have', () => {
  assert.is(v.constantOf(v.add(v.constant(8, 200), v.constant(8, 100))), 44n);
  assert.is(v.constantOf(v.signExtend(v.constant(8, 0x80), 32)), 0xffffff80n);
  assert.is(v.constantOf(v.resize(v.constant(32, 0x1ff), 8)), 0xffn);
});

test('neutral operands leave the other', () => {
  assert.is(v.add(double, v.constant(64, 0)), double);
  assert.is(v.and(double, v.constant(64, -1n)), double);
  assert.is(v.constantOf(v.and(double, v.constant(64, 0))), 0n);
  assert.is(v.or(v.constant(64, 0), double), double);
});

test('of an extended value only those bits are asked that it can have', () => {
  const extended = v.resize(v.registerValue(0, 16), 64);
  assert.is(v.and(extended, v.constant(64, 0xffff)), extended);
  assert.is(v.constantOf(v.and(extended, v.constant(64, ~0xffffn))), 0n);
  assert.is(v.and(extended, v.constant(64, 0xff)).op, 'and');
});

test('the part that was put into a whole is found again, but no more than that', () => {
  const part = v.registerValue(1, 16);
  const keep = v.constant(64, ~0xffffn);
  const whole = v.or(v.and(double, keep), v.resize(part, 64));
  assert.is(v.resize(whole, 16), part);
  assert.is(v.resize(whole, 8).args[0], part);
  assert.is(v.resize(whole, 32).args[0], whole);
});

test.run();

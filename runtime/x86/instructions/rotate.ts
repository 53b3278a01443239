/** ROL ROR RCL RCR and BMI2's RORX (SDM vol. 1, 5.1.4). */
import * as v from '../../ir/build.ts';
import type { Width } from '../../ir/ops.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { sign } from './flag-rules.ts';
import { place } from './operands.ts';
import { afterOne, maskCount, maskedCount, setCountedFlags } from './shift.ts';

/** SF, ZF, AF and PF are those of `packed`, an image of EFLAGS: rotates keep them. */
const kept = (packed: Value) => ({
  PF: v.bit(packed, 2),
  AF: v.bit(packed, 4),
  ZF: v.bit(packed, 6),
  SF: v.bit(packed, 7),
});

export const rolRule: FlagRule = {
  name: 'rol',
  flags: (packed: Value, result: Value, count: Value) => ({
    ...kept(packed),
    CF: v.bit(result, 0),
    OF: afterOne(count, v.xor(sign(result), v.bit(result, 0))),
  }),
};

/** Its OF is the XOR of the two highest bits of the result, of RCR as well. */
const rightOverflow = (result: Value): Value =>
  v.xor(sign(result), v.bit(result, result.width - 2));

export const rorRule: FlagRule = {
  name: 'ror',
  flags: (packed: Value, result: Value, count: Value) => ({
    ...kept(packed),
    CF: sign(result),
    OF: afterOne(count, rightOverflow(result)),
  }),
};

/** `packed` has the new CF. */
export const rclRule: FlagRule = {
  name: 'rcl',
  flags: (packed: Value, result: Value, count: Value) => ({
    ...kept(packed),
    CF: v.bit(packed, 0),
    OF: afterOne(count, v.xor(sign(result), v.bit(packed, 0))),
  }),
};

export const rcrRule: FlagRule = {
  name: 'rcr',
  flags: (packed: Value, result: Value, count: Value) => ({
    ...kept(packed),
    CF: v.bit(packed, 0),
    OF: afterOne(count, rightOverflow(result)),
  }),
};

/** The count modulo the width, of the narrow forms. */
const within = (count: Value, width: Width): Value => {
  const known = v.constantOf(count);
  const most = BigInt(width - 1);
  return known === undefined ? v.and(count, v.constant(8, most)) : v.constant(8, known & most);
};

const left = (x: Value, count: Value): Value => {
  if (x.width >= 32) return v.rotateLeft(x, count);
  const by = within(count, x.width);
  return v.or(v.shiftLeft(x, by), v.shiftRight(x, v.sub(v.constant(8, x.width), by)));
};

const right = (x: Value, count: Value): Value => {
  if (x.width >= 32) return v.rotateRight(x, count);
  const by = within(count, x.width);
  return v.or(v.shiftRight(x, by), v.shiftLeft(x, v.sub(v.constant(8, x.width), by)));
};

const rotate =
  (compute: (x: Value, count: Value) => Value, rule: FlagRule): Semantics =>
  (b, [destination, by]) => {
    const { value: x, write } = place(b, destination);
    const count = maskedCount(b, by, x.width);
    const result = compute(x, count);
    write(result);
    if (v.constantOf(count) !== 0n) setCountedFlags(b, count, rule, b.packedFlags(), result, count);
  };

/** The rotated value and the new CF. */
type Rotated = [result: Value, carry: Value];

/** count modulo (width + 1); counts of the wide forms are less anyway. */
const modulo = (count: Value, width: Width): Value => {
  if (width >= 32) return count;
  const known = v.constantOf(count);
  if (known !== undefined) return v.constant(8, known % BigInt(width + 1));
  return v.resize(v.remUnsigned(v.resize(count, 32), v.constant(32, width + 1)), 8);
};

/** CF:x as one number of up to 33 bits, rotated left by less than its width. */
function throughCarry(x: Value, carry: Value, count: Value, isLeft: boolean): Rotated {
  const { width } = x;
  const whole = v.or(v.shiftLeft(v.resize(carry, 64), width), v.resize(x, 64));
  const by = modulo(count, width);
  const rest = v.sub(v.constant(8, width + 1), by);
  const rotated = isLeft
    ? v.or(v.shiftLeft(whole, by), v.shiftRight(whole, rest))
    : v.or(v.shiftRight(whole, by), v.shiftLeft(whole, rest));
  return [v.resize(rotated, width), v.bit(rotated, width)];
}

/** The same of 65 bits; of a count of 0 the shifts are masked, and nothing of them is used. */
function throughCarryWide(x: Value, carry: Value, count: Value, isLeft: boolean): Rotated {
  const [near, far] = isLeft ? [v.shiftLeft, v.shiftRight] : [v.shiftRight, v.shiftLeft];
  const before = maskCount(v.sub(count, v.constant(8, 1)), 64);
  const rest = maskCount(v.sub(v.constant(8, 64), count), 64);
  const carried = v.resize(carry, 64);
  const inserted = isLeft ? v.shiftLeft(carried, before) : v.shiftLeft(carried, rest);
  const result = v.or(v.or(near(x, count), inserted), far(far(x, 1), rest));
  const out = v.resize(v.shiftRight(x, isLeft ? rest : before), 1);
  const rotates = v.notEqual(count, v.constant(8, 0));
  return [v.select(rotates, result, x), v.select(rotates, out, carry)];
}

const rotateThroughCarry =
  (isLeft: boolean, rule: FlagRule): Semantics =>
  (b, [destination, by]) => {
    const { value: x, write } = place(b, destination);
    const count = maskedCount(b, by, x.width);
    const through = x.width === 64 ? throughCarryWide : throughCarry;
    const [result, carry] = through(x, b.flag('CF'), count, isLeft);
    write(result);
    if (v.constantOf(count) === 0n) return;
    const others = v.and(b.packedFlags(), v.constant(32, -2));
    setCountedFlags(b, count, rule, v.or(others, v.resize(carry, 32)), result, count);
  };

/** DEST := SRC rotated right; flags stay. */
const rorx: Semantics = (b, [destination, source, by]) => {
  const x = b.read(source);
  b.write(destination, v.rotateRight(x, maskedCount(b, by, x.width)));
};

export const rotates = {
  RCL: rotateThroughCarry(true, rclRule),
  RCR: rotateThroughCarry(false, rcrRule),
  ROL: rotate(left, rolRule),
  ROR: rotate(right, rorRule),
  RORX: rorx,
} as const satisfies InstructionTable;

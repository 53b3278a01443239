/** XCHG XADD CMPXCHG CMPXCHG8B CMPXCHG16B (SDM vol. 1, 5.1.1); one vCPU runs at a time, so LOCK adds nothing. */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { RegisterOperand } from '../../ir/operand.ts';
import type { Value } from '../../ir/value.ts';
import { RAX, RBX, RCX, RDX } from '../registers.ts';
import { type InstructionTable, register, type Semantics, vectors } from '../semantics.ts';
import { addRule, subRule } from './flag-rules.ts';
import { place } from './operands.ts';

/** The destination is written first, since only it may be in memory. */
const xchg: Semantics = (b, [destination, source]) => {
  const { value: x, write } = place(b, destination);
  const y = b.read(source);
  write(y);
  b.write(source, x);
};

/** SRC := DEST, DEST := the sum; the sum stays where both are one register. */
const xadd: Semantics = (b, [destination, source]) => {
  const { value: x, write } = place(b, destination);
  const sum = v.add(x, b.read(source));
  if (destination.kind === 'memory') {
    write(sum);
    b.write(source, x);
  } else {
    b.write(source, x);
    write(sum);
  }
  b.setFlags(addRule, x, sum);
};

/** Where `condition` is 1 the whole register becomes what the operand's write makes of it; else it stays. */
function writeIf(b: Builder, condition: Value, operand: RegisterOperand, value: Value): void {
  const before = b.register(operand.register);
  b.write(operand, value);
  b.setRegister(operand.register, v.select(condition, b.register(operand.register), before));
}

/** DEST := SRC where it equals the accumulator, else the accumulator := DEST; memory is written in either case. */
const cmpxchg: Semantics = (b, [destination, source]) => {
  const { value: old, write } = place(b, destination);
  const accumulator = register(RAX, old.width);
  const expected = b.read(accumulator);
  const equal = v.equal(expected, old);
  const value = b.read(source);
  if (destination.kind === 'register') writeIf(b, equal, destination, value);
  else write(v.select(equal, value, old));
  writeIf(b, v.not(equal), accumulator, old);
  b.setFlags(subRule, expected, old);
};

/** EDX:EAX against the memory; ECX:EBX goes into it. */
const cmpxchg8b: Semantics = (b, [destination]) => {
  const { value: old, write } = place(b, destination);
  const pair = (high: number, low: number): Value =>
    v.or(
      v.shiftLeft(v.resize(b.read(register(high, 32)), 64), 32),
      v.resize(b.read(register(low, 32)), 64),
    );
  const equal = v.equal(pair(RDX, RAX), old);
  write(v.select(equal, pair(RCX, RBX), old));
  writeIf(b, v.not(equal), register(RAX, 32), v.resize(old, 32));
  writeIf(b, v.not(equal), register(RDX, 32), v.resize(v.shiftRight(old, 32), 32));
  b.setSomeFlags({ ZF: equal });
};

/** RDX:RAX against the memory, which is aligned; RCX:RBX goes into it. */
const cmpxchg16b: Semantics = (b, [destination]) => {
  if (destination.kind !== 'memory') throw new TypeError('CMPXCHG16B without a memory operand');
  const address = b.address(destination);
  const misalignment = v.and(address, v.constant(64, 15));
  b.raiseIf(v.not(v.isZero(misalignment)), vectors.GP, 0);
  const old = b.load(address, 128, true);
  const [low, high] = [v.slice(old, 0, 64), v.slice(old, 64, 64)];
  const equal = v.and(v.equal(b.register(RAX), low), v.equal(b.register(RDX), high));
  const stored = (wanted: number, part: Value): Value => v.select(equal, b.register(wanted), part);
  b.store(address, v.pack(stored(RBX, low), stored(RCX, high)));
  b.setRegister(RAX, v.select(equal, b.register(RAX), low));
  b.setRegister(RDX, v.select(equal, b.register(RDX), high));
  b.setSomeFlags({ ZF: equal });
};

export const exchange = {
  CMPXCHG: cmpxchg,
  CMPXCHG16B: cmpxchg16b,
  CMPXCHG8B: cmpxchg8b,
  XADD: xadd,
  XCHG: xchg,
} as const satisfies InstructionTable;

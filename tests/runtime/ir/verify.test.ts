/** Blocks that are not well made are refused by name. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from '../../../runtime/ir/build.ts';
import { Builder } from '../../../runtime/ir/builder.ts';
import { verifyBlock } from '../../../runtime/ir/verify.ts';
import { XMM0 } from '../../../runtime/x86/registers.ts';

const test = suite('runtime/ir/verify');

function verify(write: (b: Builder) => void): void {
  const b = new Builder(64, XMM0);
  b.begin(0x1000n);
  write(b);
  verifyBlock(b.finish(0x1001n), 64);
}

test('a sum of equal widths passes', () => {
  verify((b) => b.setRegister(0, v.add(b.register(0), b.register(1))));
});

test('operands of different widths are refused', () => {
  const write = (b: Builder): void =>
    b.setRegister(0, v.add(b.register(0), v.resize(b.register(1), 32)));

  assert.throws(() => verify(write), /add of 64 bits with arguments of 64, 32/);
});

test('a register takes its whole width', () => {
  const write = (b: Builder): void => b.setRegister(0, v.resize(b.register(1), 32));

  assert.throws(() => verify(write), /truncate of 32 bits .* stands where 64 bits are wanted/);
});

test('a load is not used before its statement', () => {
  const write = (b: Builder): void => b.setRegister(0, v.node('load', 64, [b.register(1)]));

  assert.throws(() => verify(write), /load of 64 bits .* is used before its statement/);
});

test('a flag rule takes no vectors', () => {
  const rule = { name: 'wide', flags: () => ({ CF: v.zero }) };
  const write = (b: Builder): void => b.setFlags({ ...rule, flags: allZero }, b.register(XMM0));

  assert.throws(() => verify(write), /is too wide for flag rule wide/);
});

test('a slice lies within its vector, at a multiple of its width', () => {
  const write = (b: Builder): void => b.setRegister(0, v.node('slice', 64, [b.register(XMM0)], 32));

  assert.throws(() => verify(write), /has not the shape resize/);
});

const allZero = () => ({
  CF: v.zero,
  PF: v.zero,
  AF: v.zero,
  ZF: v.zero,
  SF: v.zero,
  OF: v.zero,
});

test.run();

/** What may stand in a guest's descriptor tables; answers were recorded (tests/guests/pv: traps, failsafe). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../../runtime/errors.ts';
import { checkedDescriptor } from '../../../../runtime/xen/mmu/descriptors.ts';

const test = suite('runtime/xen/mmu/descriptors');

const data = 0x00cf_f200_0000_ffffn;
const longCode = 0x00af_fa00_0000_ffffn;

const isRefused = (error: unknown): boolean =>
  error instanceof XenError && error.errno === 'EINVAL';

test('nothing is of a level that is Xen’s', () => {
  const level0 = 0x00cf_9200_0000_ffffn;

  assert.is(checkedDescriptor(level0, 64), data);
  assert.is(checkedDescriptor(level0, 32), 0x00cf_b200_0000_ffffn);
});

test('gates and task segments are refused, unless they are not present or of type 0', () => {
  for (const width of [64, 32] as const) {
    assert.throws(() => checkedDescriptor(0x0000_8900_0000_0067n, width), isRefused);
    assert.throws(() => checkedDescriptor(0x0000_ec00_0000_0000n, width), isRefused);
    assert.is(checkedDescriptor(0x0000_6c00_0000_0000n, width), 0x0000_6c00_0000_0000n);
    assert.is(checkedDescriptor(0x0000_e000_0000_0000n, width), 0x0000_e000_0000_0000n);
  }
});

test('a 32-bit guest has no 64-bit code', () => {
  assert.is(checkedDescriptor(longCode, 64), longCode);
  assert.throws(() => checkedDescriptor(longCode, 32), isRefused);
});

test('a 32-bit segment from 0 that reaches Xen reaches to the end', () => {
  const ending = (limit: bigint): bigint => (data & ~0xf_0000_0000_ffffn) | limit;

  assert.is(checkedDescriptor(ending(0xf_0000_0000_67ffn), 32), data);
  assert.is(checkedDescriptor(ending(0xf_0000_0000_5800n), 32), data);
  assert.is(checkedDescriptor(ending(0xf_0000_0000_57ffn), 32), ending(0xf_0000_0000_57ffn));
  assert.is(checkedDescriptor(ending(0xf_0000_0000_67ffn), 64), ending(0xf_0000_0000_67ffn));
  const based = ending(0xf_0000_0000_67ffn) | (0x1000n << 16n);
  assert.is(checkedDescriptor(based, 32), based);
});

test.run();

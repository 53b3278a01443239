import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { flatEnvironment } from '../../../runtime/cpu/flat-environment.ts';
import { decodeDescriptor, isCode, isWritable } from '../../../runtime/x86/descriptor.ts';

const test = suite('runtime/cpu/flat-environment');

const descriptors = (mode: 64 | 32) => {
  const environment = flatEnvironment(mode, () => 0n);
  return environment.selectors
    .filter((selector) => selector !== 0)
    .map((selector) => decodeDescriptor(environment.descriptor(selector) ?? 0n));
};

test('every selector at the start names flat code or data of level 3', () => {
  for (const mode of [64, 32] as const)
    for (const descriptor of descriptors(mode)) {
      assert.ok(descriptor.present && descriptor.privilege === 3);
      assert.is(descriptor.base, 0n);
      assert.is(descriptor.limit, 0xffff_ffffn);
      assert.ok(isCode(descriptor) || isWritable(descriptor));
      if (isCode(descriptor)) assert.is(descriptor.long, mode === 64);
    }
});

test('there is nothing else in its table', () => {
  const { descriptor } = flatEnvironment(64, () => 0n);

  for (const selector of [0x8, 0x10, 0x23, 0x3b, 0x1000])
    assert.is(descriptor(selector), undefined);
});

test('the time-stamp counter counts nanoseconds, and grows even where the clock does not', () => {
  let now = 1000n;
  const environment = flatEnvironment(64, () => now);

  assert.equal([environment.timestamp(), environment.timestamp()], [1000n, 1001n]);
  now = 5000n;
  assert.is(environment.timestamp(), 5000n);
});

test.run();

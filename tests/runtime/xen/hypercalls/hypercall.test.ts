import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../../runtime/errors.ts';
import { struct, u32, u64 } from '../../../../runtime/memory/layout.ts';
import { multiplexed, operation } from '../../../../runtime/xen/hypercalls/hypercall.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/hypercalls/hypercall');

const argument = struct('argument', { input: u32, output: u64 });
const ask = multiplexed('event_channel_op', {
  double: operation(6, argument, (_, view) => {
    view.output = BigInt(view.input * 2);
  }),
  fail: operation(7, argument, (_, view) => {
    view.output = 1n;
    throw new XenError('EPERM', 'no');
  }),
});

test('an operation finds its struct in a copy, and the guest what it wrote there', () => {
  for (const [width, at] of [
    [64, 8n],
    [32, 4n],
  ] as const) {
    const { domain, address } = testDomain(width);
    domain.guest.writeU32(address, 21);

    ask.call(domain, [6n, address]);

    assert.is(domain.guest.readU64(address + at), 42n);
  }
});

test('an operation that fails writes nothing back', () => {
  const { domain, address } = testDomain(64);

  assert.throws(
    () => ask.call(domain, [7n, address]),
    (error: unknown) => error instanceof XenError && error.errno === 'EPERM',
  );

  assert.is(domain.guest.readU64(address + 8n), 0n);
});

test('an operation that is not there is answered with ENOSYS, a bad pointer with EFAULT', () => {
  const { domain } = testDomain(64);
  const errno = (args: readonly bigint[]): string => {
    try {
      ask.call(domain, args);
    } catch (error) {
      if (error instanceof XenError) return error.errno;
    }
    return 'none';
  };

  assert.is(errno([99n, 0n]), 'ENOSYS');
  assert.is(errno([6n, 0x7000_0000_0000n]), 'EFAULT');
});

test.run();

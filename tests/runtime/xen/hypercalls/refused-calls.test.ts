import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { HypercallName } from '../../../../runtime/abi/xen.ts';
import { refusedHypercalls } from '../../../../runtime/xen/hypercalls/refused-calls.ts';
import { answer } from '../../../support/xen-answers.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/hypercalls/refused-calls');

const make = () => {
  const { domain, address } = testDomain(64);
  const handlers = refusedHypercalls((domid) => domid <= 1);
  const call = (name: HypercallName, ...args: readonly bigint[]) =>
    answer(() => handlers[name]?.call(domain, args));
  return { domain, address, call };
};

test("a toolstack's calls are refused, other versions of them first", () => {
  const { domain, address, call } = make();
  const versions = { domctl: 0x15, sysctl: 0x15, platform_op: 0x0300_0001 } as const;

  for (const [name, version] of Object.entries(versions) as [keyof typeof versions, number][]) {
    domain.guest.writeU32(address + 4n, version - 1);
    const other = call(name, address);
    domain.guest.writeU32(address + 4n, version);

    assert.is(other, 'EACCES');
    assert.is(call(name, address), 'EPERM');
    assert.is(call(name, 0x4000_0000n), 'EFAULT');
  }
});

test('what is of the machine is refused', () => {
  const { address, call } = make();

  assert.is(call('console_io', 0n, 4n, address), 'EPERM');
  assert.is(call('kexec_op', 0n), 'EPERM');
  assert.is(call('hypfs_op', 0n), 'EPERM');
  assert.is(call('xenpmu_op', 0n), 'EOPNOTSUPP');
});

test("devices are others' matter", () => {
  const { address, call } = make();

  assert.is(call('dm_op', 0n, 0n, address), 'ENODATA');
  assert.is(call('dm_op', 0n, address, address), 'E2BIG');
  assert.is(call('dm_op', 77n, 1n, address), 'ESRCH');
  assert.is(call('dm_op', 1n, 1n, address), 'EPERM');
});

test.run();

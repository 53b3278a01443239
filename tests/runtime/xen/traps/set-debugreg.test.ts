/** What a guest may have in its debug registers; what Xen answers was recorded (tests/guests/pv/debug-registers). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { XenError } from '../../../../runtime/errors.ts';
import { PvCpu } from '../../../../runtime/xen/pv-cpu.ts';
import { debugRegister, setDebugRegister } from '../../../../runtime/xen/traps/set-debugreg.ts';
import { FakeSystemCpu } from '../../../support/fake-system-cpu.ts';

const test = suite('runtime/xen/traps/set-debugreg');

const refused = (errno: string) => (error: unknown) =>
  error instanceof XenError && error.errno === errno;

test('DR4 and DR5 are DR6 and DR7, and there is none above', () => {
  assert.equal([0n, 3n, 4n, 5n, 6n, 7n].map(debugRegister), [0, 3, 6, 7, 6, 7]);
  assert.throws(() => debugRegister(8n), refused('ENODEV'));
});

test('an address of the guest is taken, one of Xen or of nobody is not', () => {
  const pv = new PvCpu(new FakeSystemCpu(64));

  setDebugRegister(pv, 0n, 0x7fff_ffff_fff8n);

  assert.is(pv.debug.get(0), 0x7fff_ffff_fff8n);
  for (const address of [0xffff_8000_0000_0000n, 0x8000_0000_0000n])
    assert.throws(() => setDebugRegister(pv, 0n, address), refused('EPERM'));
});

test('reserved bits are as they are, and GD and breakpoints of I/O are refused', () => {
  const pv = new PvCpu(new FakeSystemCpu(32));

  setDebugRegister(pv, 6n, 0xffff_ffffn);
  setDebugRegister(pv, 7n, 0x2_d800n);

  assert.is(pv.debug.get(6), 0xffff_efffn);
  assert.is(pv.debug.get(7), 0x2_0400n);
  assert.not(pv.debug.isArmed);
  for (const control of [0x2000n, 0x2_0001n])
    assert.throws(() => setDebugRegister(pv, 5n, control), refused('EPERM'));
  assert.throws(() => setDebugRegister(pv, 7n, 1n << 32n), refused('EINVAL'));
});

test('the instruction behind the call is none that goes on', () => {
  const pv = new PvCpu(new FakeSystemCpu(64));
  pv.cpu.eflags |= 0x1_0000n;

  setDebugRegister(pv, 7n, 1n);

  assert.ok(pv.debug.isArmed);
  assert.is(pv.cpu.eflags & 0x1_0000n, 0n);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { R11, RCX, RSP } from '../../../../runtime/x86/registers.ts';
import { GuestError } from '../../../../runtime/xen/guest-error.ts';
import { PvCpu } from '../../../../runtime/xen/pv-cpu.ts';
import { bounce } from '../../../../runtime/xen/traps/bounce.ts';
import { FakeSystemCpu } from '../../../support/fake-system-cpu.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/traps/bounce');

/** A kernel whose stack ends at `top`, about to be interrupted. */
function scene(width: 64 | 32) {
  const { domain, address } = testDomain(width);
  const cpu = new FakeSystemCpu(width);
  const pv = new PvCpu(cpu);
  const top = address + 0x2000n;
  cpu.rip = 0x1234n;
  cpu.eflags = 0x4_7247n; // AC NT IOPL 3 IF and some arithmetic flags
  cpu.setRegister(RSP, top);
  pv.setSelector('cs', width === 64 ? 0xe033 : 0xe019);
  pv.setSelector('ss', width === 64 ? 0xe02b : 0xe021);
  const { vcpu, guest } = domain;
  vcpu.isUpcallMasked = true;
  let toggled = 0;
  const toggleMode = (): void => {
    toggled++;
    pv.isKernel = !pv.isKernel;
  };
  const words = (): bigint[] => {
    const bytes = width / 8;
    const from = cpu.register(RSP);
    const count = Number((top - from) / BigInt(bytes));
    return Array.from({ length: count }, (_, i) => guest.readWord(from + BigInt(i * bytes), width));
  };
  return {
    domain,
    cpu,
    pv,
    top,
    vcpu,
    guest,
    words,
    parts: { pv, vcpu, guest, toggleMode },
    toggled: () => toggled,
  };
}

const handler = { cs: 0xe019, address: 0x5000n, masksEvents: true };

test('a 64-bit kernel finds rcx and r11 on a processor’s frame, and itself in ring 0', () => {
  const { cpu, pv, parts, vcpu, words, top } = scene(64);
  vcpu.isUpcallMasked = false;
  cpu.setRegister(RCX, 1n);
  cpu.setRegister(R11, 2n);
  cpu.setRegister(RSP, top - 8n); // the frame is aligned to 16 bytes

  bounce(parts, handler, { errorCode: 7, isFault: true });

  assert.equal(words().slice(0, 8), [1n, 2n, 7n, 0x1234n, 0xe030n, 0x5_4247n, top - 8n, 0xe02bn]);
  assert.is(cpu.register(RSP) % 16n, 0n);
  assert.is(cpu.rip, 0x5000n);
  assert.is(cpu.eflags, 0x3247n);
  assert.is(pv.selector('cs'), 0xe033);
  assert.is(vcpu.isUpcallMasked, true);
});

test('that events were masked stands above CS, and IF of the frame is clear then', () => {
  const { parts, vcpu, words } = scene(64);
  vcpu.isUpcallMasked = true;

  bounce(parts, { ...handler, masksEvents: false });

  const [, , , cs, flags] = words();
  assert.is(cs, 0x1_0000_e030n);
  assert.is(flags, 0x4_4047n);
});

test('a 64-bit program is interrupted onto its kernel’s stack', () => {
  const { cpu, pv, parts, top, words, toggled } = scene(64);
  pv.isKernel = false;
  pv.kernelStack = { ss: 0xe02b, sp: top };
  cpu.setRegister(RSP, 0x7000n);

  bounce(parts, handler, { errorCode: 6 });

  assert.is(toggled(), 1);
  assert.equal(words().slice(3), [0x1234n, 0x1_0000_e033n, 0x4_4047n, 0x7000n, 0xe02bn]);
});

test('a 32-bit kernel stays in ring 1 and keeps its stack pointer', () => {
  const { cpu, pv, parts, vcpu, words } = scene(32);
  vcpu.isUpcallMasked = false;

  bounce(parts, handler, { errorCode: 2 });

  assert.equal(words(), [2n, 0x1234n, 0xe019n, 0x4_4247n]);
  assert.is(pv.selector('cs'), 0xe019);
  assert.is(cpu.rip, 0x5000n);
});

test('a 32-bit program’s stack is on the frame', () => {
  const { cpu, pv, parts, top, words, toggled } = scene(32);
  pv.setSelector('cs', 0xe02b);
  pv.setSelector('ss', 0xe033);
  pv.kernelStack = { ss: 0xe021, sp: top };
  cpu.setRegister(RSP, 0x7000n);

  bounce(parts, { ...handler, masksEvents: false });

  assert.equal(words(), [0x1234n, 0x1_e02bn, 0x4_4047n, 0x7000n, 0xe033n]);
  assert.is(pv.selector('ss'), 0xe021);
  assert.is(toggled(), 1);
});

test('a guest without a handler, or without a stack, cannot go on', () => {
  const { cpu, parts } = scene(64);

  assert.throws(
    () => bounce(parts, { ...handler, address: 0n }),
    (error: unknown) => error instanceof GuestError,
  );
  assert.throws(
    () => bounce(scene(32).parts, { ...handler, cs: 3 }),
    (error: unknown) => error instanceof GuestError,
  );
  cpu.setRegister(RSP, 0x1000n);
  assert.throws(
    () => bounce(parts, handler),
    (error: unknown) => error instanceof GuestError && /cannot be written/.test(error.message),
  );
  cpu.setRegister(RSP, 0xffff_8000_0000_1000n);
  assert.throws(
    () => bounce(parts, handler),
    (error: unknown) => error instanceof GuestError && /Xen's own/.test(error.message),
  );
});

test.run();

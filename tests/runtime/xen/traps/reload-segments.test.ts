/** Selectors whose descriptors went away while others ran; frames are as recorded on Xen (tests/guests/pv/failsafe). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UnsupportedError } from '../../../../runtime/errors.ts';
import { R11, RCX, RSP } from '../../../../runtime/x86/registers.ts';
import { GuestError } from '../../../../runtime/xen/guest-error.ts';
import { PvCpu } from '../../../../runtime/xen/pv-cpu.ts';
import { reloadSegments } from '../../../../runtime/xen/traps/reload-segments.ts';
import { FakeSystemCpu } from '../../../support/fake-system-cpu.ts';
import { testDomain } from '../../../support/xen-domain.ts';

const test = suite('runtime/xen/traps/reload-segments');

const data = 0x00cf_f200_0000_ffffn;
const based = 0x12cf_f234_5678_ffffn;
const readableCode = 0x00cf_fa00_0000_ffffn;
const conforming = 0x00cf_9e00_0000_ffffn;
const presentBit = 1n << 47n;

/** A kernel with four descriptors behind the null one, all of them data. */
function scene(width: 64 | 32) {
  const { domain, address, frame } = testDomain(width);
  const cpu = new FakeSystemCpu(width);
  const pv = new PvCpu(cpu);
  const { vcpu, guest, frames } = domain;
  const table = address + 0x3000n;
  const describe = (entry: number, word: bigint): void =>
    guest.writeU64(table + BigInt(8 * entry), word);
  for (const entry of [1, 2, 3, 4]) describe(entry, data);
  pv.gdt = { frames: [frame + 3], entries: 512 };
  const top = address + 0x2000n;
  cpu.rip = 0x1234n;
  cpu.setRegister(RSP, top);
  cpu.setRegister(RCX, 1n);
  cpu.setRegister(R11, 2n);
  pv.setSelector('cs', width === 64 ? 0xe033 : 0xe019);
  pv.setSelector('ss', width === 64 ? 0xe02b : 0xe021);
  (['ds', 'es', 'fs', 'gs'] as const).forEach((name, i) => {
    pv.setSelector(name, 8 * (i + 1) + 3);
  });
  pv.callbacks.failsafe = { cs: 0xe019, address: 0x5000n, masksEvents: true };
  vcpu.isUpcallMasked = false;
  const words = (): bigint[] => {
    const bytes = width / 8;
    const from = cpu.register(RSP);
    const count = Number((top - from) / BigInt(bytes));
    return Array.from({ length: count }, (_, i) => guest.readWord(from + BigInt(i * bytes), width));
  };
  const selectors = () => (['ds', 'es', 'fs', 'gs'] as const).map((name) => pv.selector(name));
  const reload = () => reloadSegments({ pv, vcpu, guest, toggleMode: () => {} }, frames);
  return { cpu, pv, vcpu, top, describe, words, selectors, reload };
}

for (const width of [64, 32] as const) {
  test(`${width}: what can be loaded stays, and nobody is called`, () => {
    const { cpu, describe, selectors, reload } = scene(width);
    describe(1, readableCode);
    describe(2, conforming);

    reload();

    assert.equal(selectors(), [11, 19, 27, 35]);
    assert.is(cpu.rip, 0x1234n);
  });

  test(`${width}: Xen's own selectors are not looked for in the guest's table`, () => {
    const { cpu, pv, reload } = scene(width);
    pv.gdt = { frames: [], entries: 0 };
    for (const name of ['ds', 'es', 'fs', 'gs'] as const)
      pv.setSelector(name, width === 64 ? 0xe02b : 0xe021);

    reload();

    assert.is(cpu.rip, 0x1234n);
  });

  for (const [what, word] of [
    ['not present', data & ~presentBit],
    ['nothing', 0n],
    ['of a level that the selector does not reach', data & ~(3n << 45n)],
    ['code that cannot be read', readableCode & ~(2n << 40n)],
    ['a gate', 0x0000_ee00_0000_0000n],
  ] as const)
    test(`${width}: ${what}: it is null, and the callback is told of all four`, () => {
      const { cpu, vcpu, describe, selectors, reload, words, top, pv } = scene(width);
      describe(3, word);

      reload();

      assert.equal(selectors(), [11, 19, 0, 35]);
      assert.is(cpu.rip, 0x5000n);
      assert.ok(vcpu.isUpcallMasked);
      const all = [11n, 19n, 27n, 35n];
      const flags = cpu.eflags;
      assert.equal(
        words(),
        width === 64
          ? [1n, 2n, ...all, 0x1234n, 0xe030n, flags, top, 0xe02bn]
          : [...all, 0x1234n, 0xe019n, flags],
      );
      assert.is(pv.selector('ss'), width === 64 ? 0xe02b : 0xe021);
    });

  test(`${width}: a stack that cannot be written ends the domain`, () => {
    const { cpu, describe, reload } = scene(width);
    describe(1, 0n);
    cpu.setRegister(RSP, 0x100n);

    assert.throws(reload, (error: unknown) => error instanceof GuestError);
  });
}

test('a 64-bit frame is aligned like others', () => {
  const { cpu, describe, reload, top } = scene(64);
  describe(1, 0n);
  cpu.setRegister(RSP, top - 8n);

  reload();

  assert.is(cpu.register(RSP), top - 16n - 88n);
});

test('in 32 bits FS and GS get the base that stands there now, and the others may have none', () => {
  const { pv, describe, reload } = scene(32);
  describe(3, based);

  reload();

  assert.is(pv.fsBase, 0x1234_5678n);
  describe(1, based);
  assert.throws(reload, (error: unknown) => error instanceof UnsupportedError);
});

test('without a callback it goes on at 0', () => {
  const { cpu, pv, describe, reload } = scene(64);
  pv.callbacks.failsafe = undefined;
  describe(1, 0n);

  reload();

  assert.is(cpu.rip, 0n);
});

test.run();

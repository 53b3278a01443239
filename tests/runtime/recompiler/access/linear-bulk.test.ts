/** Repeated MOVS and STOS on a vCPU, against one element after the other. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RCX, RDI, RSI } from '../../../../runtime/x86/registers.ts';
import {
  assertSame,
  type Case,
  filledGuest,
  randomCase,
  run,
  shortCopies,
} from '../../../support/bulk-cases.ts';
import { dataStart, guestOf, readOnlyPage } from '../../../support/lockstep-guest.ts';
import { random } from '../../../support/random.ts';

const test = suite('runtime/recompiler/access/linear-bulk');

for (const mode of [64, 32] as const) {
  test(`${mode}: any block comes out as element by element, faults included`, async () => {
    const guest = await filledGuest(mode);
    const source = random(11);

    for (let i = 0; i < 60; i++) await assertSame(guest, randomCase(source, mode));
  });

  test(`${mode}: so does each short copy`, async () => {
    const guest = await filledGuest(mode);

    for (const given of shortCopies()) await assertSame(guest, given);
  });

  test(`${mode}: a store to a read-only page in the middle faults with all before it done`, async () => {
    const guest = await filledGuest(mode);
    const given: Case = {
      ...{ op: 'stos', bytes: 4, downwards: false, value: 0xdead_beefn, from: 0n },
      ...{ to: readOnlyPage - 0x2002n, count: 0x2000n },
    };

    const { to, count, fault } = await run(guest, given);

    // The element before the border lies across it.
    assert.equal([to, count, fault], [readOnlyPage - 2n, 0x2000n - 0x800n, readOnlyPage]);
    assert.is(guest.number(readOnlyPage - 6n, 4), 0xdead_beefn);
  });

  test(`${mode}: a count of 0 does nothing, however bad the addresses are`, async () => {
    const guest = await filledGuest(mode);
    const bad = { to: 0n, from: 8n, count: 0n, value: 0n };

    await assertSame(guest, { op: 'movs', bytes: 4, downwards: false, ...bad });
    await assertSame(guest, { op: 'stos', bytes: 1, downwards: true, ...bad });
  });

  test(`${mode}: a copy onto the next element repeats the first one`, async () => {
    const guest = await filledGuest(mode);
    const from = dataStart + 0x100n;
    const first = guest.number(from, 2);

    await run(guest, {
      ...{ op: 'movs', bytes: 2, downwards: false, value: 0n },
      ...{ from, to: from + 2n, count: 100n },
    });

    const copies = Array.from({ length: 101 }, (_, i) => guest.number(from + BigInt(2 * i), 2));
    assert.equal(new Set(copies), new Set([first]));
  });

  test(`${mode}: a large block takes few looks at events`, async () => {
    const guest = await filledGuest(mode);
    guest.cpu.setPolls(20);

    const { count } = await run(guest, {
      ...{ op: 'movs', bytes: 1, downwards: false, value: 0n },
      ...{ from: dataStart + 0x1_0000n, to: 0x80_0000n, count: 0x40_0000n },
    });

    assert.is(count, 0n);
  });
}

test('with addresses of 32 bits in 64-bit mode, indices wrap at 4 GiB', async () => {
  // 67 f3 a4: rep movs byte ptr es:[edi], byte ptr [esi]
  const guest = await guestOf(64, 'start: cld\naddr32 rep movsb\nint3');
  guest.write(dataStart, Uint8Array.of(1, 2, 3));
  guest.cpu.setRegister(RSI, 0xffff_ffff_0000_0000n | dataStart);
  guest.cpu.setRegister(RDI, 0xffff_ffff_0000_0000n | (dataStart + 0x100n));
  guest.cpu.setRegister(RCX, 0xffff_ffff_0000_0003n);

  await guest.run();

  assert.is(guest.number(dataStart + 0x100n, 3), 0x030201n);
  assert.is(guest.cpu.register(RSI), dataStart + 3n);
  assert.is(guest.cpu.register(RCX), 0n);
});

test.run();

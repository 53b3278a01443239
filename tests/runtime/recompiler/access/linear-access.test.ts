/** Loads and stores at the borders of the run and of pages: what faults, and what the guest has done by then. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Mode, RAX, RBX, RCX, RSP } from '../../../../runtime/x86/registers.ts';
import {
  type AssemblyGuest,
  codeStart,
  dataStart,
  guestOf,
  memoryEnd,
  readOnlyPage,
} from '../../../support/lockstep-guest.ts';

const test = suite('runtime/recompiler/access/linear-access');

const tiers = ['resumable', 'fast'] as const;

interface Kind {
  readonly mode: Mode;
  readonly tier: (typeof tiers)[number];
}

interface Ended {
  readonly guest: AssemblyGuest;
  readonly vector: number;
  readonly fault: bigint | undefined;
  readonly rip: bigint;
}

/** With rax 0x11223344, rbx `base`, and bytes of 0x55 around what it points to. */
async function run({ mode, tier }: Kind, source: string, base: bigint): Promise<Ended> {
  const text = `start: mov eax, 0x11223344\njmp 1f\n1: ${source}\nend: int3`;
  const guest = await guestOf(mode, text, { tier });
  guest.cpu.setRegister(RBX, base);
  for (const page of [base & ~0xfffn, (base + 0x1000n) & ~0xfffn])
    if (page >= dataStart && page < memoryEnd) guest.write(page, new Uint8Array(0x1000).fill(0x55));
  const leave = await guest.run();
  if (leave.reason !== 'exception') throw new TypeError(`left for ${leave.reason}`);
  return { guest, vector: leave.vector, fault: leave.address, rip: guest.cpu.rip };
}

for (const mode of [64, 32] as const)
  for (const tier of tiers) {
    test(`${mode}, ${tier}: the run's last bytes are reached, the next ones are not`, async () => {
      const good = await run({ mode, tier }, 'mov [rbx], eax\nmov ecx, [rbx]', memoryEnd - 4n);
      const bad = await run({ mode, tier }, 'bad: mov [rbx], eax', memoryEnd - 3n);

      assert.is(good.vector, 3);
      assert.is(good.guest.cpu.register(RCX), 0x1122_3344n);
      assert.equal([bad.vector, bad.fault, bad.rip], [14, memoryEnd, bad.guest.at('bad')]);
      assert.is(bad.guest.number(memoryEnd - 3n, 3), 0x55_5555n);
    });

    test(`${mode}, ${tier}: an access that would be checked with a later one faults where it stands`, async () => {
      const source = `mov [rbx], eax
                    inc eax
              last: mov [rbx + 4], eax
                    inc eax
               bad: mov ecx, [rbx + 8]`;

      const { guest, vector, fault, rip } = await run({ mode, tier }, source, memoryEnd - 8n);

      assert.equal([vector, fault, rip], [14, memoryEnd, guest.at('bad')]);
      assert.is(guest.number(memoryEnd - 8n, 8), 0x1122_3345_1122_3344n);
      assert.is(guest.cpu.register(RAX), 0x1122_3346n);
    });

    test(`${mode}, ${tier}: accesses below the run fault, however they are put together`, async () => {
      const source = 'mov ecx, [rbx + 16]\nbad: mov ecx, [rbx]';

      const { guest, vector, fault, rip } = await run({ mode, tier }, source, codeStart - 16n);

      assert.equal([vector, fault, rip], [14, codeStart - 16n, guest.at('bad')]);
    });

    test(`${mode}, ${tier}: addresses that wrap around faulted before, and do so together`, async () => {
      const source = 'bad: mov ecx, [rbx]\nmov ecx, [rbx + 8]';

      const { guest, vector, rip } = await run({ mode, tier }, source, -8n);

      assert.equal([vector, rip], [14, guest.at('bad')]);
    });

    test(`${mode}, ${tier}: a store across a border into a read-only page changes nothing`, async () => {
      const { guest, vector, fault } = await run(
        { mode, tier },
        'mov [rbx], eax',
        readOnlyPage - 2n,
      );

      assert.equal([vector, fault], [14, readOnlyPage]);
      assert.is(guest.number(readOnlyPage - 2n, 4), 0x5555_5555n);
    });

    test(`${mode}, ${tier}: stores up to a read-only page are done, one at its end behind it as well`, async () => {
      const before = await run({ mode, tier }, 'mov [rbx], eax', readOnlyPage - 4n);
      const behind = await run({ mode, tier }, 'mov [rbx], eax', readOnlyPage + 0x1000n);

      assert.equal([before.vector, behind.vector], [3, 3]);
      assert.is(before.guest.number(readOnlyPage - 4n, 4), 0x1122_3344n);
      assert.is(behind.guest.number(readOnlyPage + 0x1000n, 4), 0x1122_3344n);
    });

    test(`${mode}, ${tier}: of stores side by side those before the read-only page are done`, async () => {
      const source = 'mov [rbx], al\nmov [rbx + 1], ah\nbad: mov [rbx + 2], eax\nmov [rbx + 6], al';

      const { guest, vector, fault, rip } = await run({ mode, tier }, source, readOnlyPage - 2n);

      assert.equal([vector, fault, rip], [14, readOnlyPage, guest.at('bad')]);
      assert.is(guest.number(readOnlyPage - 2n, 4), 0x5555_3344n);
    });

    test(`${mode}, ${tier}: reads of a read-only page may be side by side with writes before it`, async () => {
      const source = 'mov ecx, [rbx]\nmov [rbx - 8], eax\nadd [rbx - 4], eax';

      const { guest, vector } = await run({ mode, tier }, source, readOnlyPage);

      assert.is(vector, 3);
      assert.is(guest.cpu.register(RCX), 0x5555_5555n);
      assert.is(guest.number(readOnlyPage - 8n, 8), 0x1122_3344_1122_3344n);
    });

    test(`${mode}, ${tier}: read-modify-write of a read-only page is a fault of writing, and changes no flag`, async () => {
      const { guest, vector, fault } = await run(
        { mode, tier },
        'stc\nadd dword ptr [rbx], 1',
        readOnlyPage + 8n,
      );

      assert.equal([vector, fault], [14, readOnlyPage + 8n]);
      assert.is(guest.cpu.eflags & 1n, 1n);
    });

    test(`${mode}, ${tier}: pushes onto a read-only page are done up to its border`, async () => {
      const word = BigInt(mode / 8);
      const source = 'mov rsp, rbx\npush rax\nbad: push rax\npush rax';

      const { guest, vector, rip } = await run(
        { mode, tier },
        source,
        readOnlyPage + 0x1000n + word,
      );

      assert.equal([vector, rip], [14, guest.at('bad')]);
      assert.is(guest.cpu.register(RSP), readOnlyPage + 0x1000n);
      assert.is(guest.number(readOnlyPage + 0x1000n, 4), 0x1122_3344n);
    });
  }

test('with addresses of 32 bits in 64-bit mode, sums wrap at 4 GiB', async () => {
  const base = dataStart - 0x10n + 0x1_0000_0000n;
  const source = 'mov [ebx + 0x10], eax\nmov ecx, [ebx + 0x10]\nmov edx, [ebx + 0x14]';

  const { guest, vector } = await run({ mode: 64, tier: 'fast' }, source, base);

  assert.is(vector, 3);
  assert.is(guest.cpu.register(RCX), 0x1122_3344n);
  assert.is(guest.number(dataStart, 4), 0x1122_3344n);
});

test.run();

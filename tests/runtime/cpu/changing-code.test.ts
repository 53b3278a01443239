/** Code that is written after it has been translated: the next time it is reached, it is what it has become (SDM vol. 3, 9.1.3). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RBX, RCX, RDI, RSI } from '../../../runtime/x86/registers.ts';
import {
  type AssemblyGuest,
  assemble,
  codeStart,
  dataStart,
  guestOf,
  memoryEnd,
} from '../../support/lockstep-guest.ts';
import { mapPages } from '../../support/paged-mapping.ts';

const test = suite('runtime/cpu/changing-code');

const tiers = ['resumable', 'fast', 'adaptive'] as const;

async function runToEnd(guest: AssemblyGuest): Promise<void> {
  const leave = await guest.run();
  const where = `left for ${leave.reason} at 0x${guest.cpu.rip.toString(16)}`;
  assert.is(leave.reason === 'exception' ? leave.vector : -1, 3, where);
}

for (const width of [64, 32] as const) {
  const name = String(width);
  /** The program in every tier, and behind page tables, one after the other. */
  async function* changing(source: string, entries = ['start']): AsyncGenerator<AssemblyGuest> {
    const assembled = assemble(width, source);
    for (const tier of tiers) yield guestOf(width, assembled, { entries, writable: true, tier });
    const ranges = [{ lo: codeStart, length: memoryEnd - codeStart }];
    for (const frames of ['in order', 'scattered'] as const)
      yield guestOf(width, assembled, {
        ...{ entries, writable: true, tier: 'adaptive' },
        map: (memory) => mapPages(memory, width, ranges, frames),
      });
  }

  test(`${name}: a block that changes its own next instruction executes the new one`, async () => {
    const guests = changing(
      `start: mov bl, 1
                mov byte ptr [next + 1], 42
         next:  mov al, 1
                add bl, al
                int3`,
    );
    for await (const guest of guests) {
      await runToEnd(guest);

      assert.is(guest.cpu.register(RAX) & 0xffn, 42n);
      assert.is(guest.cpu.register(RBX) & 0xffn, 43n);
    }
  });

  test(`${name}: an instruction that is changed while it is executed changes after that`, async () => {
    // It adds to its own immediate: 1, then 2, then 4.
    const guests = changing(
      `start: mov ecx, 3
                lea rsi, [self]
         self:  add byte ptr [rsi + 3], 1
                dec ecx
                jnz self
                mov al, [rsi + 3]
                int3`,
    );
    for await (const guest of guests) {
      await runToEnd(guest);

      assert.is(guest.cpu.register(RAX) & 0xffn, 8n);
    }
  });

  test(`${name}: a callee that is patched again and again returns what it was last given`, async () => {
    const guests = changing(
      `start:  xor ebx, ebx
                 mov ecx, 200
         again:  mov [callee + 1], ecx
                 call outer
                 add rbx, rax
                 dec ecx
                 jnz again
                 int3
         outer:  call callee
                 inc eax
                 ret
         callee: mov eax, 0x11111111
                 ret`,
      ['start', 'outer', 'callee'],
    );
    for await (const guest of guests) {
      await runToEnd(guest);

      assert.is(guest.cpu.register(RBX), 20_100n + 200n);
    }
  });

  test(`${name}: a callee that patches what its callers go on with returns into the new code`, async () => {
    const guests = changing(
      `start: call outer
         back:  mov bl, 1
                int3
         outer: call inner
         after: mov al, 1
                ret
         inner: mov byte ptr [back + 1], 7
                mov byte ptr [after + 1], 9
                ret`,
      ['start', 'outer', 'inner'],
    );
    for await (const guest of guests) {
      await runToEnd(guest);

      assert.equal([guest.cpu.register(RAX) & 0xffn, guest.cpu.register(RBX) & 0xffn], [9n, 7n]);
    }
  });

  test(`${name}: a kernel that writes into code while the guest waits changes what it does next`, async () => {
    const guests = changing(
      `start:  call callee
                 vmcall
                 call callee
                 int3
         callee: add ebx, 1
                 ret`,
      ['start', 'callee'],
    );
    for await (const guest of guests) {
      guest.cpu.setRegister(RBX, 0n);

      assert.is((await guest.run()).reason, 'hostCall');
      // 83 c3 05: add ebx, 5
      guest.kernelWrite(guest.at('callee'), Uint8Array.from([0x83, 0xc3, 5]));
      await runToEnd(guest);

      assert.is(guest.cpu.register(RBX), 6n);
    }
  });

  test(`${name}: code copied into a buffer is run, each time what was copied last`, async () => {
    const guests = changing(
      `start:  xor ebx, ebx
                 mov ebp, 60
         again:  lea rsi, [plus]
                 test ebp, 1
                 jz 1f
                 lea rsi, [twice]
         1:      lea rdi, [buffer]
                 mov ecx, 8
                 rep movsb
                 lea rdi, [buffer]
                 call rdi
                 dec ebp
                 jnz again
                 int3
         plus:   add ebx, 3
                 ret
                 .skip 8
         twice:  xor ebx, 5
                 inc ebx
                 ret
                 .skip 8
                 .balign 4096
         buffer: .skip 64, 0xcc`,
    );
    for await (const guest of guests) {
      await runToEnd(guest);

      let expected = 0;
      for (let i = 60; i > 0; i--) expected = i % 2 === 1 ? (expected ^ 5) + 1 : expected + 3;
      assert.is(guest.cpu.register(RBX), BigInt(expected));
    }
  });

  test(`${name}: a jump table that is written leads to where it says now`, async () => {
    const scale = width / 8;
    const guests = changing(
      `start: mov ecx, 6
         next:  mov edx, ecx
                and edx, 1
                cmp ecx, 3
                jne 1f
                lea rsi, [three]
                mov [table], rsi
         1:     jmp [table + rdx * ${scale}]
         zero:  add ebx, 1
                jmp done
         one:   add ebx, 10
                jmp done
         three: add ebx, 1000
         done:  dec ecx
                jnz next
                int3
                .balign 8
         table: .${width === 64 ? 'quad' : 'long'} zero, one, 0`,
    );
    for await (const guest of guests) {
      guest.cpu.setRegister(RBX, 0n);

      await runToEnd(guest);

      // 6 4: zero; 5 3 1: one; 2: three.
      assert.is(guest.cpu.register(RBX), 1032n);
    }
  });

  test(`${name}: data beside code is written without translating the code again`, async () => {
    const guests = changing(
      `start:   mov ecx, 1000
         again:   inc word ptr [counter]
                  dec ecx
                  jnz again
                  mov rax, [counter]
                  int3
         counter: .quad 0`,
    );
    for await (const guest of guests) {
      await runToEnd(guest);

      assert.is(guest.cpu.register(RAX), 1000n);
      assert.ok(guest.translated.length <= 3, `${guest.translated.length} translations`);
    }
  });

  test(`${name}: a store that begins before a page of code and ends in it changes the code`, async () => {
    const guests = changing(
      `start:  jmp callee
         back:   mov eax, 0x01b01234
                 mov [callee - 2], eax
                 jmp callee
                 .balign 4096
         callee: mov al, 9
                 add bl, al
                 dec dl
                 jnz back
                 int3`,
    );
    for await (const guest of guests) {
      guest.cpu.setRegister(RBX, 0n);
      guest.cpu.setRegister(2, 2n);

      await runToEnd(guest);

      assert.is(guest.cpu.register(RBX) & 0xffn, 10n);
    }
  });
}

for (const width of [64, 32] as const) {
  test(`${width}: where all translations of a page are forgotten, stores are fast again`, async () => {
    const guest = await guestOf(
      width,
      `start: vmcall
              mov ecx, 100000
       store: mov [rdi], ecx
              dec ecx
              jnz store
              int3
              .balign 4096
       other: ret`,
      { entries: ['start', 'other'], writable: true },
    );
    await guest.run();
    guest.kernelWrite(guest.at('other'), Uint8Array.from([0x90]));
    guest.cpu.setRegister(RDI, guest.at('other') + 0x100n);

    const leave = guest.cpu.run();

    assert.is(leave.reason, 'exception', 'no early poll: no instruction was evaluated');
    assert.is(guest.number(guest.at('other') + 0x100n, 4), 1n);
  });

  test(`${width}: what is written before code is reached the first time is what runs`, async () => {
    const guest = await guestOf(
      width,
      `start: mov byte ptr [rdi], 0xb0       # mov al, 77; ret
              mov byte ptr [rdi + 1], 77
              mov byte ptr [rdi + 2], 0xc3
              call rdi
              int3`,
      { writable: true },
    );
    const buffer = codeStart + 0x1_0ffen;
    guest.cpu.setRegister(RDI, buffer);

    await runToEnd(guest);

    assert.is(guest.cpu.register(RAX) & 0xffn, 77n);
    assert.is(guest.cpu.register(RCX), 0n);
  });

  test(`${width}: code runs across the end of a page as it stands on both`, async () => {
    const guest = await guestOf(width, 'start: call rdi\nmov byte ptr [rsi], 5\ncall rdi\nint3', {
      writable: true,
    });
    // 66 b8 01 00: mov ax, 1, its immediate on the next page; c3: ret.
    const at = codeStart + 0x1_0ffen;
    guest.write(at, Uint8Array.from([0x66, 0xb8, 1, 0, 0xc3]));
    guest.cpu.setRegister(RDI, at);
    guest.cpu.setRegister(RSI, at + 2n);

    await runToEnd(guest);

    assert.is(guest.cpu.register(RAX) & 0xffffn, 5n);
    assert.is(guest.number(dataStart, 4), 0n);
  });
}

test.run();

/** A vCPU runs guests as the manual says, whatever way their code goes: calls, threads, depth, polls. Faults: vcpu-faults.test.ts. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Leave } from '../../../runtime/cpu/leave.ts';
import { codeMapIndex } from '../../../runtime/recompiler/layout.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '../../../runtime/x86/registers.ts';
import { type AssemblyGuest, dataStart, guestOf, stackTop } from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/vcpu');

/** The int3 that ends a guest of these tests. */
function assertEnded(guest: AssemblyGuest, leave: Leave): void {
  const where = `rip 0x${guest.cpu.rip.toString(16)}`;
  assert.is(leave.reason, 'exception', `left for ${leave.reason} at ${where}`);
  if (leave.reason === 'exception')
    assert.is(leave.vector, 3, `vector ${leave.vector} at ${where}`);
}

async function runToEnd(guest: AssemblyGuest): Promise<void> {
  assertEnded(guest, await guest.run());
}

for (const width of [64, 32] as const) {
  test(`${width}: two threads parked at one call site each go on with their own registers, flags and stack`, async () => {
    const guest = await guestOf(
      width,
      `start:  call park
               setb al
               add rbx, rsi
               mov [rdi], rbx
               int3
       park:   push rsi
               cmp rbx, 5
               vmcall
               pop rsi
               ret`,
    );
    const { cpu } = guest;
    const park = async (
      rbx: bigint,
      rsi: bigint,
      rdi: bigint,
      rsp: bigint,
    ): Promise<Uint8Array> => {
      cpu.rip = guest.at('start');
      const registers = [
        [RBX, rbx],
        [RSI, rsi],
        [RDI, rdi],
        [RSP, rsp],
      ] as const;
      for (const [register, value] of registers) cpu.setRegister(register, value);
      assert.is((await guest.run()).reason, 'hostCall');
      return cpu.saveContext();
    };
    const first = await park(3n, 100n, dataStart, stackTop);
    const second = await park(9n, 1000n, dataStart + 8n, stackTop - 0x1000n);

    cpu.restoreContext(first);
    await runToEnd(guest);
    const firstEnd = [cpu.register(RAX) & 0xffn, cpu.register(RBX), cpu.register(RSP)];
    cpu.restoreContext(second);
    await runToEnd(guest);
    const secondEnd = [cpu.register(RAX) & 0xffn, cpu.register(RBX), cpu.register(RSP)];

    assert.equal(firstEnd, [1n, 103n, stackTop]);
    assert.equal(secondEnd, [0n, 1009n, stackTop - 0x1000n]);
    assert.is(guest.number(dataStart, 4), 103n);
    assert.is(guest.number(dataStart + 8n, 4), 1009n);
  });

  test(`${width}: threads that the guest itself switches return into each other's frames and both are right`, async () => {
    // Each thread descends to its own depth by one call site, switches there, and counts on its way back.
    const guest = await guestOf(
      width,
      `start:   mov rsi, 3
                mov rbx, 1000
                lea rsp, [rsp]
                call thread
                mov [rdi], rbx          # the first thread is done: the other goes on
                mov rsp, [rdi + 32]
                pop rbp
                pop rsi
                pop rbx
                ret
       second:  mov rsi, 7
                mov rbx, 5
                call thread
                mov [rdi + 8], rbx
                int3
       thread:  push rsi
                test rsi, rsi
                jz 1f
                dec rsi
                call thread
                jmp 2f
       1:       call switch
       2:       pop rsi
                lea rbx, [rbx + rbx * 2]
                add rbx, rsi
                ret
       switch:  push rbx
                push rsi
                push rbp
                cmp word ptr [rdi + 16], 0
                jne 3f
                mov word ptr [rdi + 16], 1
                mov [rdi + 24], rsp
                lea rsp, [rdi + 0x1000]
                jmp second
       3:       mov [rdi + 32], rsp
                mov rsp, [rdi + 24]
                pop rbp
                pop rsi
                pop rbx
                ret`,
    );
    guest.cpu.setRegister(RDI, dataStart);

    await runToEnd(guest);

    const expected = (start: bigint, depth: bigint): bigint => {
      let value = start;
      for (let i = 0n; i <= depth; i++) value = value * 3n + i;
      return value;
    };
    assert.is(guest.number(dataStart, 4), expected(1000n, 3n));
    assert.is(guest.number(dataStart + 8n, 4), expected(5n, 7n));
    assert.equal([...guest.translated], []);
  });

  test(`${width}: 100,000 frames deep the sum comes back, by direct calls and by indirect ones`, async () => {
    for (const call of ['call sum', 'call rbx']) {
      const guest = await guestOf(
        width,
        `start: lea rbx, [sum]
                mov rdi, 100000
                ${call}
                int3
         sum:   xor eax, eax
                test rdi, rdi
                jz 1f
                push rdi
                dec rdi
                ${call}
                pop rdi
                add rax, rdi
         1:     ret`,
        { entries: ['start', 'sum'] },
      );

      await runToEnd(guest);

      assert.is(guest.cpu.register(RAX), BigInt.asUintN(width, 5_000_050_000n), call);
      assert.is(guest.cpu.register(RSP), stackTop, call);
    }
  });

  test(`${width}: a return address that the callee has changed is where the guest goes on`, async () => {
    const guest = await guestOf(
      width,
      `start: mov rbx, 1
              call skip
              add rbx, 2          # 2 or more bytes: skipped
       past:  add rbx, 4
              int3
       skip:  lea rdx, [past]
              mov [rsp], rdx
              ret`,
    );

    await runToEnd(guest);

    assert.is(guest.cpu.register(RBX), 5n);
    assert.is(guest.cpu.register(RSP), stackTop);
  });

  test(`${width}: a jump back over frames with an old stack pointer goes on at its target`, async () => {
    const guest = await guestOf(
      width,
      `start: mov [rdi], rsp
              lea rdx, [back]
              mov [rdi + 8], rdx
              xor ebx, ebx
              call one
              ud2
       back:  add rbx, 100
              int3
       one:   call two
              ud2
       two:   call three
              ud2
       three: mov rbx, 7
              mov rsp, [rdi]
              jmp [rdi + 8]`,
    );
    guest.cpu.setRegister(RDI, dataStart);

    await runToEnd(guest);

    assert.is(guest.cpu.register(RBX), 107n);
    assert.is(guest.cpu.register(RSP), stackTop);
  });

  test(`${width}: a return into the middle of another function goes on there without a translation`, async () => {
    const guest = await guestOf(
      width,
      `start: lea rdx, [middle]
              push rdx
              ret
       other: mov rbx, 1
       middle: add rbx, 10
              int3`,
      { entries: ['start', 'other'] },
    );
    guest.cpu.setRegister(RBX, 5n);

    await runToEnd(guest);

    assert.is(guest.cpu.register(RBX), 15n);
    assert.equal(guest.translated, []);
    assert.is(guest.cpu.liveModules, 1);
  });

  test(`${width}: a tail jump returns to the caller of who jumped`, async () => {
    const guest = await guestOf(
      width,
      `start: call first
              add rbx, 1
              int3
       first: mov rbx, 10
              jmp second
       second: add rbx, 100
              lea rdx, [third]
              jmp rdx
       third: add rbx, 1000
              ret`,
      { entries: ['start', 'first', 'second', 'third'] },
    );

    await runToEnd(guest);

    assert.is(guest.cpu.register(RBX), 1111n);
    assert.equal(guest.translated, []);
  });

  test(`${width}: a jump into an instruction executes the bytes from there`, async () => {
    // b8 83 c3 07 cc: mov eax, 0xcc07c383; from its second byte add ebx, 7; int3.
    const guest = await guestOf(
      width,
      `start: mov ebx, 1
              cmp ecx, 0
              je inner + 1
       inner: .byte 0xb8, 0x83, 0xc3, 0x07, 0xcc
              add ebx, 100
              cmp ebx, 1000
              jb inner + 1
              int3`,
    );

    guest.cpu.setRegister(RCX, 1n);
    await runToEnd(guest);
    const straight = [guest.cpu.register(RAX), guest.cpu.register(RBX)];
    guest.cpu.rip = guest.at('start');
    guest.cpu.setRegister(RCX, 0n);
    await runToEnd(guest);

    assert.equal(straight, [0xcc07c383n, 108n]);
    assert.is(guest.cpu.register(RBX), 8n);
  });

  test(`${width}: an indirect call to code that nobody knows of is translated and returns`, async () => {
    const guest = await guestOf(
      width,
      `start: lea rdx, [hidden]
              jmp on
       on:    call rdx
              add rbx, 1
              int3
              .skip 64, 0xcc
       hidden: mov rbx, 41
              ret`,
    );

    await runToEnd(guest);

    assert.is(guest.cpu.register(RBX), 42n);
    assert.equal(guest.translated.slice(0, 1), [guest.at('hidden')]);
    assert.is(guest.cpu.register(RSP), stackTop);
  });

  test(`${width}: functions that share an entry of the code map all run`, async () => {
    // 0x10100 and 0x20103: 0x0101 both.
    const guest = await guestOf(
      width,
      `start: lea rsi, [one]
              lea rdi, [two]
              mov rcx, 5
       next:  call rsi
              call rdi
              dec rcx
              jnz next
              int3
              .org 0x100, 0xcc
       one:   add rbx, 1
              ret
              .org 0x10103, 0xcc
       two:   add rbx, 16
              ret`,
      { entries: ['start', 'one', 'two'] },
    );
    assert.is(codeMapIndex(guest.at('one')), codeMapIndex(guest.at('two')));

    await runToEnd(guest);

    assert.is(guest.cpu.register(RBX), 85n);
  });

  test(`${width}: an endless loop leaves when the polls are spent, with every register in place, and goes on`, async () => {
    const guest = await guestOf(
      width,
      `start: xor ebx, ebx
              xor ebp, ebp
       again: add rbx, 3
              add rbp, rbx
              cmp rbx, rdx
              jmp again`,
      { polls: 100 },
    );
    guest.cpu.setRegister(RDX, 3000n);
    let before = 0n;

    for (let turn = 0; turn < 20; turn++) {
      const leave = await guest.run();

      assert.is(leave.reason, 'poll');
      const rbx = guest.cpu.register(RBX);
      const rounds = rbx / 3n;
      assert.ok(rounds > before, 'the loop goes on');
      assert.is(guest.cpu.register(RBP), (3n * rounds * (rounds + 1n)) / 2n);
      assert.is(guest.cpu.rip, guest.at('again'));
      const flags = guest.cpu.eflags;
      assert.is((flags & 1n) === 1n, rbx < 3000n, 'CF of the comparison');
      assert.is((flags & 0x40n) !== 0n, rbx === 3000n, 'ZF of the comparison');
      before = rounds;
      const context = guest.cpu.saveContext();
      guest.cpu.restoreContext(new Uint8Array(context.length).fill(0xa5));
      guest.cpu.restoreContext(context);
      guest.cpu.setPolls(100);
    }
  });

  test(`${width}: recursion without end is interrupted by polls, too`, async () => {
    const guest = await guestOf(
      width,
      `start: lea rsp, [rsp]
       again: call down
              jmp again
       down:  inc rbx
              ret`,
      { polls: 50 },
    );

    const reasons = [await guest.run(), await guest.run()].map(({ reason }) => reason);

    assert.equal(reasons, ['poll', 'poll']);
    assert.ok(guest.cpu.register(RBX) > 10n);
  });
}

test.run();

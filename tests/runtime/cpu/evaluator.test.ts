/** Where an access leaves recompiled code without a fault, the evaluator goes on until there is code again, exactly. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Leave } from '../../../runtime/cpu/leave.ts';
import { RAX, RBX, RCX, RDI, RSP } from '../../../runtime/x86/registers.ts';
import { dataStart, guestOf, stackTop } from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/evaluator');

for (const width of [64, 32] as const) {
  test(`${width}: a store that leaves without a fault is done once, and what follows it as well`, async () => {
    const guest = await guestOf(
      width,
      `start: mov rbx, 5
              add [rdi], ebx
              lea rcx, [rbx + 2]
              stc
              adc rbx, rcx
              call next
              int3
       next:  add rbx, 100
              ret`,
      { entries: ['start', 'next'] },
    );
    guest.cpu.setRegister(RDI, dataStart + 8n);
    guest.watch(dataStart);

    const leave = await guest.run();

    assert.is(leave.reason, 'exception');
    assert.is(guest.number(dataStart + 8n, 4), 5n);
    assert.equal([guest.cpu.register(RBX), guest.cpu.register(RCX)], [113n, 7n]);
    assert.is(guest.cpu.register(RSP), stackTop);
    assert.is(guest.cpu.rip, guest.at('next'));
    assert.equal(guest.translated, [], 'nothing is translated for the address behind the store');
  });

  test(`${width}: an exit that is taken in every turn of a loop is translated where the loop goes on`, async () => {
    const guest = await guestOf(
      width,
      `start: mov rcx, 1000
       turn:  mov [rdi], rcx
       after: add rbx, rcx
              dec rcx
              jnz turn
              int3`,
    );
    guest.cpu.setRegister(RDI, dataStart);
    guest.watch(dataStart);

    const leave = await guest.run();

    assert.is(leave.reason, 'exception');
    assert.is(guest.cpu.register(RBX), 500_500n);
    assert.equal(guest.translated, [guest.at('after')]);
  });

  test(`${width}: a fault behind an exit without one is reported at its own instruction`, async () => {
    const guest = await guestOf(
      width,
      `start: mov [rdi], rbx
              mov rbx, 7
              xor eax, eax
              push 3
       fault: pop word ptr [rax]
              int3`,
    );
    guest.cpu.setRegister(RDI, dataStart);
    guest.watch(dataStart);

    const leave = await guest.run();

    assert.is(leave.reason, 'exception');
    if (leave.reason !== 'exception') return;
    assert.equal([leave.vector, leave.errorCode, leave.address], [14, 2, 0n]);
    assert.is(guest.cpu.rip, guest.at('fault'));
    assert.is(guest.cpu.register(RBX), 7n);
    assert.is(guest.cpu.register(RSP), stackTop - BigInt(width / 8), 'the stack is as before POP');
  });

  test(`${width}: a trap, a host call and an undefined instruction behind such an exit leave as ever`, async () => {
    const guest = await guestOf(
      width,
      `start: mov [rdi], rbx
              vmcall
              nop
              mov [rdi], rbx
              ud2
              nop`,
    );
    guest.cpu.setRegister(RDI, dataStart);
    guest.watch(dataStart);

    const first = await guest.run();
    const call = guest.cpu.rip;
    const second = await guest.run();

    const store = width === 64 ? 3n : 2n;
    assert.equal(first, { reason: 'hostCall', address: guest.at('start') + store });
    assert.is(call, guest.at('start') + store + 3n);
    assert.is(second.reason, 'exception');
    if (second.reason === 'exception')
      assert.equal([second.vector, second.detail], [6, 'ud2 (0f 0b)']);
  });

  test(`${width}: what the evaluator runs without end gives way early, and again when polls are spent`, async () => {
    // Each turn leaves for a store; polls alone would let it run for seconds.
    const guest = await guestOf(width, 'start: mov [rdi], rcx\nmov [rdi + 8], rcx\njmp start', {
      polls: 1_000_000,
    });
    guest.cpu.setRegister(RDI, dataStart);
    guest.watch(dataStart);

    const leave = async (): Promise<Leave> => {
      for (;;) {
        const left = guest.cpu.run();
        if (left.reason !== 'translate') return left;
        await guest.cpu.translate();
      }
    };
    const early = [await leave(), await leave()];
    guest.cpu.setPolls(3);
    const spent = await leave();

    assert.equal(early, [
      { reason: 'poll', early: true },
      { reason: 'poll', early: true },
    ]);
    assert.equal(spent, { reason: 'poll' });
    assert.is(guest.cpu.register(RAX), 0n);
  });
}

test.run();

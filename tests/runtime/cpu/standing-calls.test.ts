/** What is answered while frames of the guest stand, and what makes them unwind. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Leave } from '../../../runtime/cpu/leave.ts';
import { RAX, RBX, RDI, RSP } from '../../../runtime/x86/registers.ts';
import { codeStart, guestOf, stackTop } from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/standing-calls');

/** Two frames above a host call, which asks for a number in rax. */
const asking = `start:  mov rbx, 1
        call outer
        int3
outer:  add rbx, 10
        call host
        add rbx, rax
        ret
host:   vmcall
        ret`;

for (const width of [64, 32] as const) {
  test(`${width}: a host call that is answered at once never comes back to the host`, async () => {
    const guest = await guestOf(width, asking, { tier: 'adaptive', polls: 1000 });
    const asked: Leave[] = [];

    const leave = guest.cpu.run((call) => {
      asked.push(call);
      guest.cpu.setRegister(RAX, 100n);
      return true;
    });

    assert.equal(asked, [{ reason: 'hostCall', address: guest.at('host') }]);
    assert.is(leave.reason, 'exception');
    assert.is(guest.cpu.register(RBX), 111n);
    assert.is(guest.cpu.register(RSP), stackTop);
    assert.equal(guest.translated, [], 'no frame was entered again');
  });

  test(`${width}: a hypercall that is answered at once never comes back, and the time is just read`, async () => {
    const guest = await guestOf(width, asking.replace('vmcall', 'int 0x82\nrdtsc\nmov rax, 5'), {
      ...{ tier: 'adaptive', polls: 1000 },
    });
    const asked: Leave[] = [];

    const leave = guest.cpu.run((call) => asked.push(call) > 0);

    assert.equal(asked, [{ reason: 'hypercall', operand: 0x82 }]);
    assert.is(leave.reason, 'exception');
    assert.is(guest.cpu.register(RBX), 16n);
    assert.is(guest.cpu.register(RSP), stackTop);
    assert.equal(guest.translated, [], 'no frame was entered again');
  });

  test(`${width}: polls that are given again are not seen by the guest, in a loop or at an entry`, async () => {
    const source = `start: mov ecx, 1000
      xor ebx, ebx
      call outer
      int3
    outer: add ebx, 1
      call inner
      dec ecx
      jnz outer
      ret
    inner: mov edx, 40
    1: add ebx, 1
      dec edx
      jnz 1b
      ret`;
    const guest = await guestOf(width, source, { tier: 'adaptive', polls: 100 });
    const [asked, left]: [string[], string[]] = [[], []];
    const leave = () =>
      guest.cpu.run(({ reason }) => {
        if (reason === 'translate') return guest.cpu.translateNow();
        asked.push(reason);
        guest.cpu.setPolls(7);
        return asked.length % 10 !== 0;
      });
    for (let { reason } = leave(); reason !== 'exception'; { reason } = leave()) {
      left.push(reason);
      if (reason === 'translate') await guest.cpu.translate();
    }

    assert.ok(asked.length > 40, `${asked.length}`);
    assert.ok(asked.every((reason) => reason === 'poll'));
    assert.is(left.filter((reason) => reason === 'poll').length, Math.floor(asked.length / 10));
    assert.is(guest.cpu.register(RBX), 41_000n);
    assert.is(guest.cpu.register(RSP), stackTop);
  });

  test(`${width}: one that is answered, but not to go on at once, is not asked twice`, async () => {
    const guest = await guestOf(width, asking, { tier: 'adaptive', polls: 1000 });
    let asked = 0;
    const leave = guest.cpu.run(() => {
      asked++;
      guest.cpu.setRegister(RAX, 100n);
      return false;
    });

    assert.is(leave.reason, 'answered');
    assert.is((await guest.run()).reason, 'exception');

    assert.is(asked, 1);
    assert.is(guest.cpu.register(RBX), 111n);
    assert.is(guest.cpu.register(RSP), stackTop);
  });

  test(`${width}: a thread that is loaded meanwhile runs with its own stack and registers`, async () => {
    const guest = await guestOf(
      width,
      `${asking}
       other: mov rbx, 7
              int3`,
      { tier: 'adaptive', polls: 1000 },
    );
    const leave = guest.cpu.run(() => {
      guest.cpu.rip = guest.at('other');
      guest.cpu.setRegister(RSP, stackTop - 0x1000n);
      return true;
    });

    assert.is(leave.reason, 'answered');
    assert.is((await guest.run()).reason, 'exception');

    assert.is(guest.cpu.register(RBX), 7n);
    assert.is(guest.cpu.register(RSP), stackTop - 0x1000n);
  });

  test(`${width}: a host call that writes into its caller's code is followed by the new code`, async () => {
    const guest = await guestOf(width, asking, { tier: 'adaptive', writable: true, polls: 1000 });
    const leave = guest.cpu.run(() => {
      guest.cpu.setRegister(RAX, 100n);
      // add rbx, rax becomes nop, nop …; ret stays.
      const at = guest.at('host') - BigInt(width === 64 ? 4 : 3);
      guest.kernelWrite(at, new Uint8Array(width === 64 ? 3 : 2).fill(0x90));
      return true;
    });

    assert.is(leave.reason, 'answered');
    assert.is((await guest.run()).reason, 'exception');

    assert.is(guest.cpu.register(RBX), 11n);
  });

  test(`${width}: a function that is called for the first time is made while its caller stands`, async () => {
    const source = `start: mov rbx, 1
        call rdi
        add rbx, 100
        int3
        hidden: add rbx, 10
        ret`;
    const guest = await guestOf(width, source, { tier: 'adaptive', polls: 1000 });
    guest.cpu.setRegister(RDI, guest.at('hidden'));
    const asked: string[] = [];

    const leave = guest.cpu.run(({ reason }) => {
      asked.push(reason);
      return guest.cpu.translateNow();
    });

    assert.equal(asked, ['translate']);
    assert.is(leave.reason, 'exception');
    assert.is(guest.cpu.register(RBX), 111n);
  });

  test(`${width}: what cannot be called at once is jumped to by the dispatcher`, async () => {
    const source = `start: mov rbx, 1
        call rdi
        add rbx, 100
        int3
        hidden: add rbx, 10
        ret`;
    const guest = await guestOf(width, source, { tier: 'adaptive', polls: 1000 });
    guest.cpu.setRegister(RDI, guest.at('hidden'));

    assert.is(guest.cpu.run(() => false).reason, 'translate');
    assert.is((await guest.run()).reason, 'exception');

    assert.is(guest.cpu.register(RBX), 111n);
    assert.ok(guest.translated.includes(guest.at('hidden')));
  });

  test(`${width}: a call of what is no code is a fault at its target, and nobody is asked`, async () => {
    const guest = await guestOf(width, 'start: call rdi\nint3', { tier: 'adaptive', polls: 1000 });
    guest.cpu.setRegister(RDI, codeStart - 0x1000n);

    const leave = guest.cpu.run(() => {
      throw new Error('asked');
    });

    assert.is(leave.reason, 'exception');
    assert.is(guest.cpu.rip, codeStart - 0x1000n);
  });
}

test.run();

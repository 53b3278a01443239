/** A vCPU asks its environment in the middle of translated code, and goes on behind the instruction. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RBX, RCX, RDX } from '../../../runtime/x86/registers.ts';
import { guestOf } from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/vcpu-system');

for (const width of [64, 32] as const) {
  test(`${width}: the time-stamp counter grows with every reading`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov ecx, 0x55
               rdtsc
               mov ebx, eax
               rdtscp
               int3`,
    );
    const { cpu } = guest;

    const leave = await guest.run();

    assert.is(leave.reason, 'exception');
    assert.ok(cpu.register(RAX) > cpu.register(RBX));
    assert.is(cpu.register(RCX), 0n);
    assert.is(cpu.register(RDX), 0n);
  });

  test(`${width}: selectors and rights come from the environment, and flags survive`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov ecx, cs
               mov edx, ss
               stc
               lar eax, edx
               setc bl
               mov fs, edx
               mov edx, fs
               int3`,
    );
    const { cpu } = guest;

    await guest.run();

    assert.is(cpu.register(RCX), width === 64 ? 0x33n : 0x23n);
    assert.is(cpu.register(RAX), 0xc0_f300n);
    assert.is(cpu.register(RBX) & 0xffn, 1n);
    assert.is(cpu.register(RDX), 0x2bn);
  });

  test(`${width}: what level 3 may not do raises #GP(0) at the instruction itself`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov eax, 5
               hlt`,
    );

    const leave = await guest.run();

    assert.is(guest.cpu.rip, guest.at('start') + 5n);
    assert.is(leave.reason === 'exception' && leave.vector, 13);
    assert.is(leave.reason === 'exception' && leave.errorCode, 0);
  });

  test(`${width}: a far return goes on in translated code`, async () => {
    const guest = await guestOf(
      width,
      `start:  mov eax, cs
               push rax
               push offset there
               ${width === 64 ? 'retfq' : 'retf'}
               ud2
       there:  mov ebx, 7
               int3`,
    );

    const leave = await guest.run();

    assert.is(leave.reason === 'exception' && leave.vector, 3);
    assert.is(guest.cpu.register(RBX), 7n);
  });
}

test.run();

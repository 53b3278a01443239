/** Small functions in copies where they are called: what the guest sees is what it sees of calls. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RBX, RCX, RDX, RSP } from '../../../../runtime/x86/registers.ts';
import { type AssemblyGuest, guestOf } from '../../../support/lockstep-guest.ts';

const test = suite('runtime/recompiler/lower/inline-calls');

const guestWith = (width: 64 | 32, source: string): Promise<AssemblyGuest> =>
  guestOf(width, source, { tier: 'fast', entries: ['start', 'leaf'] });

for (const width of [64, 32] as const) {
  const [a, b, c, sp, word] =
    width === 64
      ? ['rax', 'rbx', 'rcx', 'rsp', 'qword ptr']
      : ['eax', 'ebx', 'ecx', 'esp', 'dword ptr'];

  test(`${width}: a copy that jumps on, to a function or a pointer, comes back behind its call`, async () => {
    const guest = await guestOf(
      width,
      `start: xor ebx, ebx
              lea ${c}, [twice]
              mov eax, 3
              call apply
              mov edx, eax
              mov eax, 0
              call apply
              int3
       apply: test eax, eax
              je none
              jmp ${c}
       none:  jmp other
       twice: add eax, eax
              add ebx, 1
              ret
       other: mov eax, 50
              add ebx, 10
              ret`,
      { tier: 'fast', entries: ['start', 'apply', 'twice', 'other'] },
    );
    const stack = guest.cpu.register(RSP);

    await guest.run();

    assert.equal(
      [RAX, RBX, RDX, RSP].map((n) => guest.cpu.register(n)),
      [50n, 11n, 6n, stack],
    );
  });

  test(`${width}: a copy that jumps with another stack pointer, as longjmp does, goes where that says`, async () => {
    const guest = await guestOf(
      width,
      `start: xor ebx, ebx
              lea ${c}, [away]
              push ${c}
              mov ${a}, ${sp}
              call deep
              mov ebx, 100
              int3
       deep:  call jumps
              mov ebx, 200
              int3
       jumps: mov ${sp}, ${a}
              lea ${c}, [there]
              jmp ${c}
       there: add ebx, 1
              ret
       away:  add ebx, 10
              int3`,
      { tier: 'fast', entries: ['start', 'deep', 'jumps', 'there', 'away'] },
    );
    const stack = guest.cpu.register(RSP);

    await guest.run();

    assert.is(guest.cpu.register(RBX), 11n);
    assert.is(guest.cpu.register(RSP), stack);
  });

  test(`${width}: functions that jump to each other as long as one counts use no stack and can be stopped`, async () => {
    const guest = await guestOf(
      width,
      `start: mov ecx, 100000
              xor ebx, ebx
              call even
              int3
       even:  sub ecx, 1
              jne 1f
              ret
       1:     jmp odd
       odd:   add ebx, 1
              sub ecx, 1
              jne 1f
              ret
       1:     jmp even`,
      { tier: 'fast', entries: ['start', 'even', 'odd'] },
    );

    guest.cpu.setPolls(100);
    assert.is((await guest.run()).reason, 'poll');
    guest.cpu.setPolls(1_000_000);
    await guest.run();

    assert.is(guest.cpu.register(RBX), 50000n);
  });

  test(`${width}: what a copy that jumps on calls before that has its own return address on the stack`, async () => {
    const guest = await guestOf(
      width,
      `start: lea ${c}, [inner]
              call apply
       behind: int3
       apply: call ${c}
              mov ${c}, ${a}
              jmp ${c}
       inner: mov ${b}, ${word} [${sp}]
              lea ${a}, [last]
              ret
       last:  mov ${c}, ${word} [${sp}]
              ret`,
      { tier: 'fast', entries: ['start', 'apply', 'inner', 'last'] },
    );

    await guest.run();

    const behindCall = guest.at('apply') + 2n;
    assert.is(guest.cpu.register(RBX), behindCall);
    assert.is(guest.cpu.register(RCX), guest.at('behind'));
  });
}

for (const width of [64, 32] as const) {
  test(`${width}: a recursion counts what it should, and its stack is as ever`, async () => {
    const guest = await guestWith(
      width,
      `start: mov eax, 20
              xor ebx, ebx
              mov ecx, esp
              call leaf
              sub ecx, esp
              int3
       leaf:  dec eax
              jne 1f
              ret
       1:     push ${width === 64 ? 'rax' : 'eax'}
              call leaf
              pop ${width === 64 ? 'rax' : 'eax'}
              add ebx, eax
              ret`,
    );
    await guest.run();

    assert.is(guest.cpu.register(RBX), 190n);
    assert.is(guest.cpu.register(RCX), 0n);
  });
}

for (const width of [64, 32] as const) {
  test(`${width}: two calls of one function, with branches in it, come back where they came from`, async () => {
    const guest = await guestWith(
      width,
      `start: mov eax, 3
              call leaf
              mov ebx, eax
              mov eax, 40
              call leaf
              int3
       leaf:  add eax, 1
              cmp eax, 10
              ja 1f
              add eax, 100
       1:     ret`,
    );
    const stack = guest.cpu.register(RSP);

    await guest.run();

    assert.equal([guest.cpu.register(RAX), guest.cpu.register(RBX)], [41n, 104n]);
    assert.is(guest.cpu.register(RSP), stack);
  });

  test(`${width}: a copy that finds another return address goes there`, async () => {
    const guest = await guestWith(
      width,
      `start: mov ebx, 1
              call leaf
              mov ebx, 2
              int3
       other: add ebx, 10
              int3
       leaf:  lea rcx, [other]
              mov [rsp], rcx
              ret`,
    );

    await guest.run();

    assert.is(guest.cpu.register(RBX), 11n);
  });

  test(`${width}: a fault inside a copy shows the function's own address and registers`, async () => {
    const guest = await guestWith(
      width,
      `start: mov eax, 5
              mov edx, 7
              call leaf
              int3
       leaf:  add eax, edx
              mov ecx, eax
       wild:  mov edx, [rcx]
              ret`,
    );

    const leave = await guest.run();

    assert.is(leave.reason === 'exception' ? leave.vector : -1, 14);
    assert.is(guest.cpu.rip, guest.at('wild'));
    const { cpu } = guest;
    assert.equal(
      [RAX, RCX, RDX].map((n) => cpu.register(n)),
      [12n, 12n, 7n],
    );
  });

  test(`${width}: a fault inside a copy of a function that lies below its caller does the same`, async () => {
    const guest = await guestOf(
      width,
      `start: jmp main
       leaf:  add eax, edx
              mov ecx, eax
       wild:  mov edx, [rcx]
              ret
       main:  mov eax, 5
              mov edx, 7
              call leaf
              int3`,
      { tier: 'fast', entries: ['start', 'leaf', 'main'] },
    );

    const leave = await guest.run();

    assert.is(leave.reason === 'exception' ? leave.vector : -1, 14);
    assert.is(guest.cpu.rip, guest.at('wild'));
    assert.equal(
      [RAX, RCX, RDX].map((n) => guest.cpu.register(n)),
      [12n, 12n, 7n],
    );
  });

  test(`${width}: a function that changes is called anew where copies of it stood`, async () => {
    const guest = await guestOf(
      width,
      `start: mov ecx, 3
       next:  call leaf
              add byte ptr [leaf + 1], 1
              dec ecx
              jnz next
              int3
       leaf:  mov dl, 1
              add bl, dl
              ret`,
      { tier: 'fast', entries: ['start', 'leaf'], writable: true },
    );

    await guest.run();

    // 1, 2 and 3.
    assert.is(guest.cpu.register(RBX) & 0xffn, 6n);
  });

  test(`${width}: a constant that a copy jumps to is called directly, and anew when it changes`, async () => {
    const [a, c] = width === 64 ? ['rax', 'rcx'] : ['eax', 'ecx'];
    const guest = await guestOf(
      width,
      `start: mov ecx, 3
       next:  mov ${a}, offset leaf
              call apply
              add byte ptr [leaf + 1], 1
              dec ${c}
              jnz next
              int3
       apply: jmp ${a}
       leaf:  mov dl, 1
              add bl, dl
              ret`,
      { tier: 'fast', entries: ['start', 'apply', 'leaf'], writable: true },
    );
    const functions = guest.cpu.keep().modules.flatMap((module) => module.functions);
    const start = functions.find(({ entry }) => entry === guest.at('start'));
    assert.ok(start?.calls.includes(guest.at('leaf')), 'it goes when what it calls goes');

    await guest.run();

    // 1, 2 and 3.
    assert.is(guest.cpu.register(RBX) & 0xffn, 6n);
  });
}

test.run();

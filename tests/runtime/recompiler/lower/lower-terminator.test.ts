/** Computed jumps inside a function: to targets of its tables, and to blocks that only code outside enters. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RBP, RBX } from '../../../../runtime/x86/registers.ts';
import { guestOf } from '../../../support/lockstep-guest.ts';

const test = suite('runtime/recompiler/lower/lower-terminator');

for (const width of [64, 32] as const) {
  const table = (labels: string): string =>
    `.balign 8\ntable: .${width === 64 ? 'quad' : 'long'} ${labels}, 0`;
  const scale = width / 8;
  /** Ways of a switch on rdx, which a loop goes round 9 times. */
  const switching = (jump: string): string => `start: xor ebx, ebx
              mov rcx, 9
       next:  mov rdx, rcx
              and rdx, 3
              ${jump}
       zero:  add rbx, 1
              jmp done
       one:   add rbx, 10
              jmp done
       two:   add rbx, 100
       three: add rbx, 1000
       done:  dec rcx
              jnz next
              int3`;
  // 9 to 1: three times one, twice zero, twice two, twice three.
  const switched = 30n + 2n + 2200n + 2000n;

  test(`${width}: a switch in a loop finds each of its ways, registers in place`, async () => {
    const guest = await guestOf(
      width,
      `${switching(`jmp [table + rdx * ${scale}]`)}
              ${table('zero, one, two, three')}`,
    );

    await guest.run();

    assert.is(guest.cpu.register(RBX), switched);
    assert.equal(guest.translated, []);
  });

  test(`${width}: a switch by distances, as position independent code has it, finds each of its ways`, async () => {
    const entry =
      width === 64 ? 'movsxd rdx, dword ptr [rsi + rdx * 4]' : 'mov edx, [esi + edx * 4]';
    const jump = `mov rsi, offset table
              ${entry}
              add rdx, rsi
              jmp rdx`;
    const source = `${switching(jump)}
              .balign 4
       table: .long zero - table, one - table, two - table, three - table`;
    for (const tier of ['fast', 'resumable'] as const) {
      const guest = await guestOf(width, source, { tier });

      await guest.run();

      assert.is(guest.cpu.register(RBX), switched);
      if (width === 64) assert.equal(guest.translated, [], tier);
    }
  });

  test(`${width}: a jump table's index that was loaded into the register of its target still leads the way`, async () => {
    const register = width === 64 ? 'rdx' : 'edx';
    const guest = await guestOf(
      width,
      `start: lea rsi, [numbers]
              mov ${register}, [rsi]
              mov ${register}, [table + ${register} * ${scale}]
              jmp ${register}
       zero:  mov rbx, 1
              int3
       one:   mov rbx, 2
              int3
              ${table('zero, one')}
       numbers: .quad 1`,
      { tier: 'fast' },
    );

    await guest.run();

    assert.is(guest.cpu.register(RBX), 2n);
  });

  test(`${width}: a computed jump to where a call comes back to loads the registers that live there`, async () => {
    // rsi is read behind the first call alone; behind the second it is not in a local, and other than before.
    const guest = await guestOf(
      width,
      `start: mov rsi, 1
              mov rdx, 3
              call more
       back:  add rbx, rsi
              dec rdx
              jz 1f
              call more
              lea rcx, [back]
              jmp rcx
       1:     xor ecx, ecx
              jmp [table + rcx * ${scale}]
       end:   int3
       more:  add rsi, 10
              ret
              ${table('end')}`,
    );

    await guest.run();

    assert.is(guest.cpu.register(RBX), 11n + 21n + 31n);
  });

  test(`${width}: a computed jump to the function's own entry begins it anew`, async () => {
    const guest = await guestOf(
      width,
      `start: add rbx, 5
              mov rcx, rbx
              and rcx, 1
              cmp rbx, 20
              jae 1f
              lea rdx, [start]
              jmp rdx
       1:     jmp [table + rcx * ${scale}]
       even:  mov rbp, 2
              int3
       odd:   mov rbp, 1
              int3
              ${table('even, odd')}`,
    );

    await guest.run();

    assert.is(guest.cpu.register(RBX), 20n);
    assert.is(guest.cpu.register(RBP), 2n);
  });

  test(`${width}: a jump table with a word that leads elsewhere goes there`, async () => {
    const guest = await guestOf(
      width,
      `start: mov rbx, 1
              mov rcx, 2
              jmp [table + rcx * ${scale}]
       first: int3
       away:   add rbx, 41
              int3
              .balign 8
       table: .${width === 64 ? 'quad' : 'long'} first, 0, away`,
    );

    await guest.run();

    assert.is(guest.cpu.register(RBX), 42n);
    assert.equal(guest.translated, [guest.at('away')]);
  });
}

test.run();

/** Values of a block that outlive the registers they are made of. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RBX, RCX, RDX } from '../../../../runtime/x86/registers.ts';
import { guestOf } from '../../../support/lockstep-guest.ts';

const test = suite('runtime/recompiler/lower/lower-block');

/** Registers after `source`, with eax 3, ebx 4, ecx 5 and edx 0. */
async function after(width: 64 | 32, source: string): Promise<Record<string, bigint>> {
  const guest = await guestOf(
    width,
    `start: mov eax, 3\nmov ebx, 4\nmov ecx, 5\nxor edx, edx\njmp 1f\n1: ${source}\nint3`,
  );
  const leave = await guest.run();
  assert.is(leave.reason === 'exception' && leave.vector, 3);
  const { cpu } = guest;
  const [rax, rbx, rcx, rdx] = [RAX, RBX, RCX, RDX].map((n) => cpu.register(n));
  return { rax: rax ?? 0n, rbx: rbx ?? 0n, rcx: rcx ?? 0n, rdx: rdx ?? 0n, cf: cpu.eflags & 1n };
}

for (const width of [64, 32] as const) {
  test(`${width}: a condition of flags that are set again is that of the operands at the time`, async () => {
    // al 3 and bl 4 have no bit in common; eax has all bits later, and nobody sees the flags of test.
    const { rdx } = await after(width, 'test al, bl\nmov eax, -1\nsetz dl\nxor ecx, ecx');

    assert.is(rdx, 1n);
  });

  test(`${width}: dec keeps the carry of a bit test whose operands are gone`, async () => {
    // Bit 1 of eax.
    const { cf } = await after(width, 'bt eax, 1\nmov eax, 0\ndec ecx');

    assert.is(cf, 1n);
  });

  test(`${width}: an address that was added up in its own register is not added up again`, async () => {
    const [b, c] = width === 64 ? ['rbx', 'rcx'] : ['ebx', 'ecx'];
    const { rax, rdx } = await after(
      width,
      `mov ebx, offset words\nmov ecx, offset pointer\njmp 2f
       2: add ${b}, 4\nxor esi, esi\nmov eax, [${b}]
       mov ${c}, [${c}]\nadd ${c}, 4\nxor esi, esi\nmov edx, [${c}]\nint3
       words: .long 1, 2, 3, 4\npointer: .${width === 64 ? 'quad' : 'long'} words`,
    );

    assert.equal([rax, rdx], [2n, 2n]);
  });

  test(`${width}: a register is read as it was where the old value still counts`, async () => {
    const { rax, rbx, rcx } = await after(
      width,
      'xchg eax, ebx\nxchg ebx, ecx\nlea edx, [rax + rbx]\nadd eax, edx',
    );

    assert.equal([rax, rbx, rcx], [13n, 5n, 3n]);
  });

  test(`${width}: both lanes get a product that is the low half of a vector, which keeps its high one`, async () => {
    const { rax, rcx, rdx } = await after(
      width,
      `cvtsi2sd xmm1, ecx\nunpcklpd xmm1, xmm1\ncvtsi2sd xmm1, eax\ncvtsi2sd xmm2, ebx\nmulsd xmm1, xmm2
       movapd xmm3, xmm1\nunpcklpd xmm3, xmm3\naddpd xmm3, xmm3
       cvtsd2si ecx, xmm3\nunpckhpd xmm3, xmm3\ncvtsd2si edx, xmm3\nunpckhpd xmm1, xmm1\ncvtsd2si eax, xmm1`,
    );

    assert.equal([rax, rcx, rdx], [5n, 24n, 24n]);
  });
}

test.run();

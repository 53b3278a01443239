/** Faults on a vCPU are precise: registers, flags and rip are those before the instruction (SDM vol. 3, 6.6). */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Leave } from '../../../runtime/cpu/leave.ts';
import { RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP } from '../../../runtime/x86/registers.ts';
import {
  type AssemblyGuest,
  codeStart,
  dataStart,
  guestOf,
  memoryEnd,
  readOnlyPage,
  stackTop,
} from '../../support/lockstep-guest.ts';

const test = suite('runtime/cpu/vcpu-faults');

const arithmeticFlags = 0x8d5n;
/** After `add al, al` of 0x88: CF, OF, AF, and nothing else. */
const carryOverflowAdjust = 0x811n;
const present = 1;
const write = 2;
const execute = 16;

interface Fault {
  readonly vector: number;
  readonly errorCode?: number;
  readonly address?: bigint;
  /** What the message says, where the vector does not. */
  readonly detail?: string;
}

interface Row {
  readonly name: string;
  /** Its fault is at the label `fault`. RDI is the data, RSI the read-only page, RBP the end of memory. */
  readonly source: string;
  readonly fault: Fault;
  readonly only?: 64 | 32;
}

const unmapped = 0x10n;

// biome-ignore format: a table
const rows: readonly Row[] = [
  { name: 'a load below all memory', source: 'mov rdx, 0x10\nfault: mov rbx, [rdx]',
    fault: { vector: 14, errorCode: 0, address: unmapped } },
  { name: 'a store below all memory', source: 'mov rdx, 0x10\nfault: mov [rdx], bl',
    fault: { vector: 14, errorCode: write, address: unmapped } },
  { name: 'a load of two words across the end of memory', source: 'fault: movups xmm1, [rbp - 8]',
    fault: { vector: 14, errorCode: 0, address: memoryEnd } },
  { name: 'a load across the end of memory', source: 'fault: mov ebx, [rbp - 2]',
    fault: { vector: 14, errorCode: 0, address: memoryEnd } },
  { name: 'a store across the end of memory', source: 'fault: mov [rbp - 1], bx',
    fault: { vector: 14, errorCode: write, address: memoryEnd } },
  { name: 'a store to a read-only page', source: 'fault: mov [rsi + 8], ebx',
    fault: { vector: 14, errorCode: present | write, address: readOnlyPage + 8n } },
  { name: 'a store that reaches into a read-only page', source: 'fault: mov [rsi - 2], ebx',
    fault: { vector: 14, errorCode: present | write, address: readOnlyPage } },
  { name: 'a vector store that reaches into a read-only page', source: 'fault: movups [rsi - 15], xmm0',
    fault: { vector: 14, errorCode: present | write, address: readOnlyPage } },
  { name: 'a read-modify-write of a read-only page', source: 'fault: add [rsi], ebx',
    fault: { vector: 14, errorCode: present | write, address: readOnlyPage } },
  { name: 'an exchange with a read-only page', source: 'fault: xchg [rsi + 4], ebx',
    fault: { vector: 14, errorCode: present | write, address: readOnlyPage + 4n } },
  { name: 'a pop into a read-only page', source: 'push 5\nfault: pop word ptr [rsi]',
    fault: { vector: 14, errorCode: present | write, address: readOnlyPage } },
  { name: 'a store to code', source: 'lea rdx, [start]\nfault: mov [rdx], ebx',
    fault: { vector: 14, errorCode: present | write, address: codeStart } },
  { name: 'a push on a stack that is not there', source: 'mov rsp, 0x20\nfault: push rbx',
    fault: { vector: 14, errorCode: write, address: 0x18n }, only: 64 },
  { name: 'a push on a stack that is not there', source: 'mov rsp, 0x20\nfault: push rbx',
    fault: { vector: 14, errorCode: write, address: 0x1cn }, only: 32 },
  { name: 'a call on a stack that is not there', source: 'mov rsp, 0x20\nfault: call start',
    fault: { vector: 14, errorCode: write, address: 0x18n }, only: 64 },
  { name: 'a return from a stack that is not there', source: 'mov rsp, 0x20\nfault: ret',
    fault: { vector: 14, errorCode: 0, address: 0x20n } },
  { name: 'a call by a pointer that is not there', source: 'mov rdx, 0x10\nfault: call [rdx]',
    fault: { vector: 14, errorCode: 0, address: unmapped } },
  { name: 'a load from an address that is not canonical', source: 'movabs rdx, 0x7fffffffffff\nfault: mov rbx, [rdx + 1]',
    fault: { vector: 13, errorCode: 0 }, only: 64 },
  { name: 'a store that ends where no address is canonical', source: 'movabs rdx, 0x800000000000\nfault: mov [rdx], rbx',
    fault: { vector: 13, errorCode: 0 }, only: 64 },
  { name: 'a push on a stack that is not canonical', source: 'movabs rsp, 0xffff000000000000\nfault: push rbx',
    fault: { vector: 12, errorCode: 0 }, only: 64 },
  { name: 'a push of what is not canonical', source: 'movabs rdx, 0xffff000000000000\nfault: push [rdx]',
    fault: { vector: 13, errorCode: 0 }, only: 64 },
  { name: 'a load through rsp that is not canonical', source: 'movabs rdx, 0xffff000000000000\nfault: mov rbx, [rsp + rdx]',
    fault: { vector: 12, errorCode: 0 }, only: 64 },
  { name: 'a division by zero', source: 'xor edx, edx\nmov ecx, 0\nmov al, 0x88\nadd al, al\nfault: div ecx',
    fault: { vector: 0 } },
  { name: 'a quotient that does not fit', source: 'mov edx, 7\nmov ecx, 7\nmov al, 0x88\nadd al, al\nfault: div ecx',
    fault: { vector: 0 } },
  { name: 'the smallest number by -1', source: 'mov edx, -1\nmov ecx, -1\nmov eax, 0x80000000\nmov bh, 0x88\nadd bh, bh\nfault: idiv ecx',
    fault: { vector: 0 } },
  { name: 'the smallest 64-bit number by -1', source: 'mov rdx, -1\nmov rcx, -1\nmov rax, 0x8000000000000000\nmov bh, 0x88\nadd bh, bh\nfault: idiv rcx',
    fault: { vector: 0 }, only: 64 },
  { name: 'a 128-bit dividend too large', source: 'mov rdx, 5\nmov rcx, 5\nmov bh, 0x88\nadd bh, bh\nfault: div rcx',
    fault: { vector: 0 }, only: 64 },
  { name: 'a misaligned aligned load', source: 'fault: movaps xmm1, [rdi + 8]', fault: { vector: 13, errorCode: 0 } },
  { name: 'a misaligned aligned store', source: 'fault: movdqa [rdi + 4], xmm0', fault: { vector: 13, errorCode: 0 } },
  { name: 'a misaligned operand of a packed operation', source: 'fault: paddb xmm1, [rdi + 1]', fault: { vector: 13, errorCode: 0 } },
  { name: 'ud2', source: 'fault: ud2', fault: { vector: 6, detail: 'ud2 (0f 0b)' } },
  { name: 'an instruction beyond what CPUID tells of', source: 'fault: vaddps ymm0, ymm1, ymm2',
    fault: { vector: 6, detail: 'x86: no semantics for vaddps ymm0,ymm1,ymm2 (c5 f4 58 c2)' } },
];

/** Registers by name, and flags, as a fault must leave them. */
function stateOf({ cpu }: AssemblyGuest): Record<string, bigint> {
  const registers = { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, xmm0: 16, xmm1: 17 };
  const state = Object.entries(registers).map(([name, n]): [string, bigint] => [
    name,
    cpu.register(n),
  ]);
  return { ...Object.fromEntries(state), flags: cpu.eflags & arithmeticFlags };
}

function assertFault(guest: AssemblyGuest, leave: Leave, fault: Fault): void {
  assert.is(leave.reason, 'exception');
  if (leave.reason !== 'exception') return;
  assert.equal(
    { vector: leave.vector, errorCode: leave.errorCode, address: leave.address },
    { vector: fault.vector, errorCode: fault.errorCode, address: fault.address },
  );
  if (fault.detail !== undefined) assert.is(leave.detail, fault.detail);
  assert.is(guest.cpu.rip, guest.at('fault'));
}

/** Runs to a label, by an int3 in its place. */
async function before(width: 64 | 32, source: string): Promise<Record<string, bigint>> {
  const guest = await prepared(width, source.replace('fault:', 'fault: int3\n'));
  await guest.run();
  return stateOf(guest);
}

async function prepared(width: 64 | 32, source: string): Promise<AssemblyGuest> {
  // Flags, and registers that are dirty when the fault comes.
  const start = `start: mov rbx, 0x12345678\nmov rcx, 5\nmovd xmm0, ebx\nmov al, 0x88\nadd al, al\n`;
  const guest = await guestOf(width, `${start}${source}\nmov rbx, 1\nint3`);
  guest.cpu.setRegister(RDI, dataStart);
  guest.cpu.setRegister(RSI, readOnlyPage);
  guest.cpu.setRegister(RBP, memoryEnd);
  return guest;
}

for (const width of [64, 32] as const) {
  for (const { name, source, fault, only } of rows) {
    if (only !== undefined && only !== width) continue;
    test(`${width}: ${name} leaves everything as it was before`, async () => {
      const expected = await before(width, source);
      const guest = await prepared(width, source);
      const edge = guest.read(readOnlyPage - 16n, 32);
      const end = guest.read(memoryEnd - 16n, 16);

      const leave = await guest.run();

      assertFault(guest, leave, fault);
      assert.equal(stateOf(guest), expected);
      assert.is(expected['flags'], carryOverflowAdjust);
      assert.equal(guest.read(readOnlyPage - 16n, 32), edge);
      assert.equal(guest.read(memoryEnd - 16n, 16), end);
    });
  }

  test(`${width}: rep movs that meets a read-only page has moved what lies before it`, async () => {
    const source = 'mov rcx, 10\nlea rdi, [rsi - 12]\nlea rsi, [rsi + 64]\nfault: rep movsd\n';
    const guest = await prepared(width, source);
    guest.write(
      readOnlyPage + 64n,
      Uint8Array.from({ length: 16 }, (_, i) => i + 1),
    );

    const leave = await guest.run();

    assertFault(guest, leave, { vector: 14, errorCode: present | write, address: readOnlyPage });
    const { RCX: count, RSI: from, RDI: to, flags } = stateOf(guest);
    assert.equal([count, from, to], [7n, readOnlyPage + 76n, readOnlyPage]);
    assert.is(flags, carryOverflowAdjust);
    assert.equal(
      [...guest.read(readOnlyPage - 12n, 16)],
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0],
    );
  });

  test(`${width}: rep stos downwards that leaves the memory says how far it came`, async () => {
    const source = 'mov rcx, 10\nmov rdi, 0x30002\nstd\nfault: rep stosb\n';
    const guest = await prepared(width, source);

    const leave = await guest.run();

    // The pages below 0x30000 are the code's.
    assertFault(guest, leave, { vector: 14, errorCode: present | write, address: 0x2_ffffn });
    const { RCX: count, RDI: to } = stateOf(guest);
    assert.equal([count, to], [7n, 0x2_ffffn]);
    assert.equal(guest.cpu.eflags & 0x400n, 0x400n, 'DF');
    assert.equal([...guest.read(0x3_0000n, 4)], [0x10, 0x10, 0x10, 0]);
  });

  test(`${width}: repe cmpsb that runs off the memory keeps the flags of the last comparison`, async () => {
    const source = 'mov rcx, 10\nlea rdi, [rbp - 3]\nlea rsi, [rbp - 64]\nfault: repe cmpsb\n';
    const guest = await prepared(width, source);

    const leave = await guest.run();

    assertFault(guest, leave, { vector: 14, errorCode: 0, address: memoryEnd });
    const { RCX: count, RSI: first, RDI: second, flags } = stateOf(guest);
    assert.equal([count, first, second], [7n, memoryEnd - 61n, memoryEnd]);
    assert.is(flags, 0x44n); // ZF and PF: equal
  });

  for (const [name, target] of [
    ['data', dataStart],
    ['nothing', 0n],
    ['the last byte of the address space', BigInt.asUintN(width, -1n)],
  ] as const)
    for (const way of ['jmp rdx', 'call rdx', 'push rdx\nret'])
      test(`${width}: ${way.replace('\n', '; ')} to ${name} faults there`, async () => {
        const guest = await prepared(width, `fault: ${way}`);
        guest.cpu.setRegister(RDX, target);

        const leave = await guest.run();

        assert.is(leave.reason, 'exception');
        if (leave.reason !== 'exception') return;
        assert.is(leave.vector, 14);
        assert.is(leave.address, target);
        assert.is((leave.errorCode ?? 0) & execute, execute);
        assert.is(guest.cpu.rip, target);
        const pushed = way.startsWith('call') ? BigInt(width / 8) : 0n;
        assert.is(guest.cpu.register(RSP), stackTop - pushed);
      });

  test(`${width}: a fault that the host mends is taken again and the guest goes on`, async () => {
    const guest = await prepared(width, 'mov rdx, 0x10\nfault: mov ebx, [rdx]\nadd rbx, rcx');

    const first = await guest.run();
    guest.cpu.setRegister(RDX, dataStart);
    guest.write(dataStart, Uint8Array.from([7, 0, 0, 0]));
    const second = await guest.run();

    assert.is(first.reason, 'exception');
    assert.equal([second.reason, guest.cpu.register(RBX)], ['exception', 1n]);
    assert.is(guest.cpu.eflags & arithmeticFlags, 0x4n, 'flags of 7 + 5: PF');
  });
}

test.run();

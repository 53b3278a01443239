/** Checks that blocks carry on: which accesses may leave, and that faults are those of the instruction all the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BlockChecks } from '../../../../runtime/recompiler/access/block-checks.ts';
import { carriedChecks } from '../../../../runtime/recompiler/access/carried-checks.ts';
import { discover } from '../../../../runtime/recompiler/discover.ts';
import { outline, shapeOf } from '../../../../runtime/recompiler/lower/plan.ts';
import { RBX, RCX } from '../../../../runtime/x86/registers.ts';
import {
  type AssemblyGuest,
  assemble,
  codeStart,
  dataStart,
  guestOf,
  memoryEnd,
  readOnlyPage,
} from '../../../support/lockstep-guest.ts';
import { codeSource } from '../../../support/lockstep-source.ts';

const test = suite('runtime/recompiler/access/carried-checks');

interface Checked {
  /** How many accesses of the block at a symbol may leave. */
  leaving(symbol: string): number;
  /** How many sums of registers are checked on the way from one block to another. */
  ahead(from: string, to: string): number;
  atEntry(): number;
}

const base = 0x1000n;

function checked(source: string): Checked {
  const { code, symbols } = assemble(64, source);
  const fn = discover(codeSource(64, Buffer.from(code).toString('hex')), base);
  const plans = outline(fn);
  const checks = carriedChecks(plans, 64, shapeOf(fn, plans));
  const addressOf = (symbol: string): bigint => base + (symbols.get(symbol) ?? -1n) - codeStart;
  const at = (symbol: string): { checks: BlockChecks; statements: number } => {
    const index = plans.findIndex(({ block }) => block.address === addressOf(symbol));
    const found = checks[index];
    if (found === undefined) throw new TypeError(`no block at ${symbol}`);
    return { checks: found, statements: plans[index]?.block.statements.length ?? 0 };
  };
  return {
    leaving(symbol) {
      const { checks: found, statements } = at(symbol);
      return Array.from({ length: statements }, (_, i) => found.mayLeave(i)).filter(Boolean).length;
    },
    ahead: (from, to) => at(from).checks.ahead.get(addressOf(to))?.length ?? 0,
    atEntry: () => at('start').checks.atEntry.length,
  };
}

// biome-ignore format: a table
const cases: readonly (readonly [string, string, number])[] = [
  ['the same address', 'mov rax, [rbx]\njz next\ninc ecx\nnext: mov rdx, [rbx]\njmp out', 0],
  ['an address within what was reached', 'mov rax, [rbx]\nmov rdx, [rbx + 24]\njz next\nnext: mov esi, [rbx + 12]\njmp out', 0],
  ['an address beyond', 'mov rax, [rbx]\njz next\nnext: mov esi, [rbx + 8]\njmp out', 1],
  ['a base and an index', 'mov rax, [rbx + rcx * 8 + 16]\njz next\nnext: mov rdx, [rbx + rcx * 8 + 16]\njmp out', 0],
  ['another index', 'mov rax, [rbx + rcx * 8]\njz next\nnext: mov rdx, [rbx + rsi * 8]\njmp out', 1],
  ['a register that was stepped', 'mov rax, [rbx]\nadd rbx, 32\njz next\nnext: mov rdx, [rbx - 32]\njmp out', 0],
  ['a register that was moved', 'mov rax, [rbx]\nmov rsi, rbx\nxor ebx, ebx\njz next\nnext: mov rdx, [rsi]\njmp out', 0],
  ['a register that was loaded, and reached', 'mov rax, [rbx]\nmov rdx, [rax + 8]\njz next\nnext: mov rsi, [rax + 8]\njmp out', 0],
  ['a register that was loaded anew', 'mov rax, [rbx]\nmov rbx, [rbx]\njz next\nnext: mov rdx, [rbx]\njmp out', 1],
  ['what one of two ways has checked', 'jz next\nmov rax, [rbx]\nnext: mov rdx, [rbx]\njmp out', 1],
  ['what both have checked', 'jz 1f\nmov rax, [rbx]\njmp next\n1: mov rsi, [rbx]\nnext: mov rdx, [rbx]\njmp out', 0],
  ['a store where there was a load', 'mov rax, [rbx]\njz next\nnext: mov [rbx], rdx\njmp out', 1],
  ['a store where there was a store', 'mov [rbx], rax\njz next\nnext: mov [rbx], rdx\njmp out', 0],
  ['a store between two', 'mov [rbx], rax\nmov [rbx + 100], rax\njz next\nnext: mov [rbx + 48], rdx\njmp out', 0],
  ['an absolute address', 'mov rax, [0x40000]\njz next\nnext: mov rdx, [0x40000]\njmp out', 0],
];

for (const [what, source, leaving] of cases)
  test(`${what}: ${leaving} of the accesses behind may leave`, () => {
    assert.is(checked(`start: ${source}\nout: ret`).leaving('next'), leaving);
  });

test('behind a call nothing is known', () => {
  const { leaving } = checked(`start: mov rax, [rbx]
    call f
    back: mov rdx, [rbx]
    jmp start
    f: ret`);

  assert.is(leaving('back'), 1);
});

test('a loop checks on the way in what its first blocks check anyway', () => {
  const { leaving, ahead } = checked(`start: mov ecx, 9
    again: mov rax, [rbx]
    test eax, eax
    jz out
    more: mov rdx, [rsi]
    dec ecx
    jnz again
    out: jmp out`);

  assert.is(ahead('start', 'again'), 1);
  assert.equal([leaving('again'), leaving('more')], [0, 1]);
});

test('behind a call that stands alone is checked what other ways to the block know', () => {
  const { leaving, ahead } = checked(`start: mov rax, [rbx]
    cmp rax, rcx
    ja aside
    next: mov rdx, [rbx]
    jmp start
    aside: call collect
    back: jmp next
    collect: ret`);

  assert.is(leaving('next'), 0);
  assert.is(ahead('back', 'next'), 1);
});

test('a function that begins with a loop checks where it is entered', () => {
  const { leaving, atEntry } = checked(`start: mov rax, [rbx]
    dec ecx
    jnz start
    out: ret`);

  assert.is(atEntry(), 1);
  assert.is(leaving('start'), 0);
});

interface Ended {
  readonly guest: AssemblyGuest;
  readonly at: bigint;
  readonly fault: bigint | undefined;
}

const options = { tier: 'fast', polls: 1_000_000 } as const;

/** Until the guest faults, as it does at its end by a breakpoint. */
async function run(mode: 64 | 32, source: string, rbx: bigint): Promise<Ended> {
  const guest = await guestOf(mode, `start: ${source}\nend: int3`, options);
  guest.cpu.setRegister(RBX, rbx);
  const leave = await guest.run();
  if (leave.reason !== 'exception') throw new TypeError(`left for ${leave.reason}`);
  return { guest, at: guest.cpu.rip, fault: leave.address };
}

for (const mode of [64, 32] as const) {
  test(`${mode}: a pointer that leaves the run in a loop faults at its access, with what was done before`, async () => {
    const source = `xor ecx, ecx
      1: bad: mov eax, [rbx]
      test eax, eax
      jnz 2f
      inc ecx
      2: add rbx, 4
      jmp 1b`;

    const { guest, at, fault } = await run(mode, source, memoryEnd - 40n);

    assert.equal([at, fault, guest.cpu.register(RCX)], [guest.at('bad'), memoryEnd, 10n]);
  });

  test(`${mode}: a loop that is entered with a bad pointer faults at its access`, async () => {
    const source = `mov ecx, 7
      1: bad: mov eax, [rbx]
      dec ecx
      jnz 1b`;

    const { guest, at, fault } = await run(mode, source, memoryEnd + 8n);

    assert.equal([at, fault, guest.cpu.register(RCX)], [guest.at('bad'), memoryEnd + 8n, 7n]);
  });

  test(`${mode}: a page that was read is not written for that`, async () => {
    const source = `mov eax, [rbx]
      test eax, eax
      jnz 1f
      mov ecx, 5
      1: bad: mov [rbx], ecx`;

    const { guest, at, fault } = await run(mode, source, readOnlyPage + 16n);

    assert.equal([at, fault, guest.cpu.register(RCX)], [guest.at('bad'), readOnlyPage + 16n, 5n]);
  });

  test(`${mode}: what was written on one page says nothing of the next`, async () => {
    const source = `mov dword ptr [rbx], 3
      test eax, eax
      jz 1f
      nop
      1: add rbx, 8
      bad: mov dword ptr [rbx], 4`;

    const { guest, at, fault } = await run(mode, source, readOnlyPage - 8n);

    assert.equal([at, fault], [guest.at('bad'), readOnlyPage]);
    assert.is(guest.number(readOnlyPage - 8n, 4), 3n);
  });

  test(`${mode}: what a call out of the way makes of a pointer is found behind it`, async () => {
    const source = `xor ecx, ecx
      1: bad: mov eax, [rbx]
      inc ecx
      cmp ecx, 20
      je aside
      2: mov [rbx + 4], ecx
      jmp 1b
      aside: call spoil
      jmp 2b
      spoil: mov rbx, -64
      push rax
      pop rax
      ret`;

    const { guest, fault, at } = await run(mode, source, dataStart);
    const wrong = BigInt.asUintN(mode, -60n);

    assert.is(guest.cpu.register(RCX), 20n);
    assert.is(fault, wrong);
    assert.is.not(at, guest.at('bad'));
    assert.is(guest.number(dataStart + 4n, 4), 19n);
  });

  test(`${mode}: what a pointer calls may spoil what the loop has checked`, async () => {
    // A table of two functions, of which the second is called once, at the end.
    const source = `xor ecx, ecx
      lea rsi, [table]
      1: mov eax, [rbx]
      mov rax, rsi
      inc ecx
      cmp ecx, 30000
      jne 2f
      add rax, ${mode / 8}
      2: call word ptr [rax]
      bad: mov edx, [rbx]
      jmp 1b
      good: inc edi
      ret
      spoil: mov rbx, -128
      ret
      .balign 8
      table: .${mode === 64 ? 'quad' : 'long'} good, spoil`;
    const guest = await guestOf(mode, `start: ${source}`, { tier: 'adaptive' });
    guest.cpu.setRegister(RBX, dataStart);

    const leave = await guest.runInSlices(2_000);

    assert.is(leave.reason === 'exception' && leave.vector, 14);
    assert.equal([guest.cpu.rip, guest.cpu.register(RCX)], [guest.at('bad'), 30_000n]);
  });
}

test.run();

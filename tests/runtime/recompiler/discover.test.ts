import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { discover, type GuestFunction } from '../../../runtime/recompiler/discover.ts';
import { codeSource, type SourceOptions } from '../../support/lockstep-source.ts';

const test = suite('runtime/recompiler/discover');

const discovered = (hex: string, options?: SourceOptions): GuestFunction =>
  discover(codeSource(64, hex, options), 0x1000n);
const blocksOf = ({ blocks }: GuestFunction): string[] =>
  blocks.map(({ address, terminator }) => `${address.toString(16)} ${terminator.kind}`);
const sorted = (addresses: Iterable<bigint>): string[] =>
  [...addresses].map((address) => address.toString(16)).sort();

test('a call and a jump by a register that was just loaded with an address are as direct as others', () => {
  // mov eax, 0x1020; call rax; mov edx, 0x1030; jmp rdx
  const fn = discovered('b820100000 ffd0 ba30100000 ffe2');

  assert.equal(
    fn.blocks.map(({ terminator }) => terminator.kind),
    ['call', 'jump'],
  );
  assert.equal(sorted(fn.callees), ['1020', '1030']);
});

test('a branch begins two blocks, and what both reach is one more', () => {
  // cmp edi,esi; jl 1008; inc eax; jmp 100a; 1008: dec eax; 100a: ret
  const fn = discovered('39f7 7c04 ffc0 eb02 ffc8 c3');

  assert.equal(blocksOf(fn), ['1000 branch', '1004 jump', '1008 jump', '100a return']);
  assert.equal(sorted(fn.resumable), ['1000']);
  assert.is(fn.instructions, 6);
});

test('a call ends a block; where it comes back to, code outside may enter', () => {
  // call 1020; inc eax; ret
  const fn = discovered('e81b000000 ffc0 c3');

  assert.equal(blocksOf(fn), ['1000 call', '1005 return']);
  assert.equal(sorted(fn.resumable), ['1000', '1005']);
  assert.equal(sorted(fn.callees), ['1020']);
});

test('behind a call that does not return another function begins, and is left alone', () => {
  // call 1020; then the function at 1005: ret
  const fn = discovered('e81b000000 c3', { entries: [0x1000n, 0x1005n] });

  assert.equal(blocksOf(fn), ['1000 call']);
  assert.equal(sorted(fn.resumable), ['1000']);
});

test('flow into another function, or a jump to it, leaves this one', () => {
  // je 1004; inc eax; 1004 is a function: ret
  const fn = discovered('7402 ffc0 c3', { entries: [0x1000n, 0x1004n] });

  assert.equal(blocksOf(fn), ['1000 branch', '1002 jump']);
  assert.equal(sorted(fn.callees), ['1004']);
});

test('the ways of a jump table are blocks that code outside may enter, up to the first word that is no code', () => {
  // jmp [rdi*8+2000h]; 1007: inc eax; ret; 100a: dec eax; ret; 100d: ret
  const constants = new Map([
    [0x2000n, 0x1007n],
    [0x2008n, 0x100an],
    [0x2010n, 0x1007n],
    [0x2018n, 0x7_0000_0000n],
    [0x2020n, 0x100dn],
  ]);
  const fn = discovered('ff24fd00200000 ffc0c3 ffc8c3 c3', { constants });

  assert.equal(blocksOf(fn), ['1000 jumpIndirect', '1007 return', '100a return']);
  assert.equal(sorted(fn.resumable), ['1000', '1007', '100a']);
  assert.equal(sorted(fn.tableTargets), ['1007', '100a']);
});

test('the ways of a table of distances are blocks, up to another table, which leads into the midst of instructions', () => {
  // lea rdx,[2000h]; movsxd rax,[rdx+rdi*4]; add rax,rdx; jmp rax; 1010: mov eax,12345678h; ret; 1016: ret
  const code = '488d15f90f0000 486304ba 4801d0 ffe0 b878563412 c3 c3';
  const distances = [0x1010, 0x1016, 0x1012, 0x1016].map((to) => BigInt(to - 0x2000));
  const constants = new Map(
    distances.map((to, i) => [0x2000n + 4n * BigInt(i), BigInt.asUintN(32, to)]),
  );
  const fn = discovered(code, { constants });

  assert.equal(blocksOf(fn), ['1000 jumpIndirect', '1010 return', '1016 return']);
  assert.equal(sorted(fn.tableTargets), ['1010', '1016']);
  assert.equal(fn.tables.get(0x1000n)?.targets, [0x1010n, 0x1016n]);
});

test('code that overlaps other code is decoded both ways', () => {
  // test edi,edi; je 1005; 1004: mov eax,c3c0ff90h; from 1005: nop; inc eax; ret
  const fn = discovered('85ff 7401 b8 90 ffc0 c3 c3');

  const addresses = fn.blocks.map(({ address }) => address);
  assert.ok(addresses.includes(0x1004n) && addresses.includes(0x1005n));
  const inner = fn.blocks.find(({ address }) => address === 0x1005n);
  assert.is(inner?.terminator.kind, 'return');
  assert.is(fn.blocks.find(({ address }) => address === 0x1004n)?.terminator.kind, 'return');
});

test('flow into memory that nobody has written ends, and nothing follows it', () => {
  // inc %eax; zeros
  const fn = discovered(`ffc0 ${'00'.repeat(200)}`);

  assert.is(fn.instructions, 9);
  assert.equal(sorted(fn.callees), []);
});

test('a repeated string instruction has a block of its own', () => {
  // inc eax; rep movsb; ret
  const fn = discovered('ffc0 f3a4 c3');

  assert.equal(blocksOf(fn), ['1000 jump', '1002 branch', '1004 return']);
});

test('a host call comes back; bytes that are no instruction end the flow', () => {
  // vmcall; then a byte that is no instruction of 64-bit mode
  const fn = discovered('0f01c1 06');

  assert.equal(blocksOf(fn), ['1000 leave', '1003 leave']);
  assert.equal(sorted(fn.resumable), ['1000', '1003']);
});

test('where floats must be exact the guest may come back from the evaluator behind each of them', () => {
  // addsd xmm0,xmm1 (and haddps xmm0,xmm1); ret; stmxcsr in another one
  const fast = discovered('f20f58c1 c3');
  const exact = discovered('f20f58c1 f20f7cc1 c3', { exactFloats: true });
  // stmxcsr [rdi]; ret
  const looks = discovered('0fae1f c3');

  assert.equal(blocksOf(fast), ['1000 return']);
  assert.equal(blocksOf(exact), ['1000 jump', '1004 leave', '1008 return']);
  assert.equal([fast.touchesMxcsr, looks.touchesMxcsr], [false, true]);
});

test.run();

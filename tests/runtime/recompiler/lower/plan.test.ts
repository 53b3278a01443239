import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { discover } from '../../../../runtime/recompiler/discover.ts';
import { flagsIn } from '../../../../runtime/recompiler/lower/flag-set.ts';
import { type BlockPlan, outline, plan } from '../../../../runtime/recompiler/lower/plan.ts';
import { bitOf, type RegisterSet } from '../../../../runtime/recompiler/lower/register-set.ts';
import { RAX, RBX, RCX, RDI, RSI, RSP } from '../../../../runtime/x86/registers.ts';
import { codeSource, type SourceOptions } from '../../../support/lockstep-source.ts';

const test = suite('runtime/recompiler/lower/plan');

const planned = (hex: string, options?: SourceOptions, travel = nothingTravels): BlockPlan[] =>
  plan(outline(discover(codeSource(64, hex, options), 0x1000n)), travel);
const nothingTravels = { passed: 0, returned: 0 };
const registers = (...numbers: number[]): RegisterSet =>
  numbers.reduce((set, register) => set | bitOf(register), 0);

function block(plans: readonly BlockPlan[], address: bigint): BlockPlan {
  const found = plans.find((each) => each.block.address === address);
  if (found === undefined) throw new TypeError(`no block at 0x${address.toString(16)}`);
  return found;
}

test('what a block has written is dirty in those that follow, round a loop, too', () => {
  // xor eax,eax; 1002: add eax,edi; dec edi; jne 1002; ret
  const plans = planned('31c0 01f8 ffcf 75fa c3');

  const head = block(plans, 0x1002n);
  assert.is(block(plans, 0x1000n).dirtyIn, 0);
  assert.is(head.dirtyIn, registers(RAX, RDI));
  assert.is(block(plans, 0x1008n).dirtyIn, registers(RAX, RDI));
});

test('only a loop head polls, and what its exit spills must be in locals there', () => {
  // xor eax,eax; 1002: add eax,edi; dec edi; jne 1002; ret
  const plans = planned('31c0 01f8 ffcf 75fa c3');

  assert.equal(
    plans.map(({ loopHead }) => loopHead),
    [false, true, false],
  );
  const { liveIn, dirtyIn, written } = block(plans, 0x1002n);
  assert.is(liveIn & (dirtyIn | written), dirtyIn | written);
  assert.is(
    block(plans, 0x1000n).liveIn & registers(RDI),
    registers(RDI),
    'the first block hands edi on',
  );
});

test('a register that nobody reads, and no exit spills, is not loaded', () => {
  // mov eax,ebx; jmp 1004; 1004: mov ecx,eax; jmp 1008; 1008: ret
  const plans = planned('89d8 eb00 89c1 eb00 c3');

  assert.is(block(plans, 0x1000n).liveIn, registers(RBX));
  assert.is(block(plans, 0x1004n).liveIn & registers(RBX, RSI), 0);
});

test('flags that another block reads are computed; those that nobody reads are not', () => {
  // cmp edi,esi; jmp 1004; 1004: sete al; ret
  const plans = planned('39f7 eb00 0f94c0 c3');

  assert.equal(flagsIn(block(plans, 0x1000n).flagsOut), ['ZF']);
  assert.equal(flagsIn(block(plans, 0x1000n).flagsIn), []);
  assert.equal(flagsIn(block(plans, 0x1004n).flagsIn), ['ZF']);
  assert.equal(flagsIn(block(plans, 0x1004n).flagsOut), []);
});

test('dec hands CF through from before its block', () => {
  // dec edi; jmp 1004; 1004: setb al; ret
  const plans = planned('ffcf eb00 0f92c0 c3');

  assert.equal(flagsIn(block(plans, 0x1000n).flagsIn), ['CF']);
});

test('a repeated comparison hands flags and registers through, since its count may be 0', () => {
  // cmp eax,ecx; 1002: repe cmpsb; 1004: sete al; ret
  const plans = planned('39c8 f3a6 0f94c0 c3');

  const repeated = block(plans, 0x1002n);
  assert.ok(flagsIn(repeated.flagsIn).includes('ZF'));
  assert.ok(flagsIn(block(plans, 0x1000n).flagsOut).includes('ZF'));
  assert.is(repeated.liveIn & registers(RCX, RSI, RDI), registers(RCX, RSI, RDI));
});

test('the ways of a jump table follow it', () => {
  // mov eax,ebx; jmp [rdi*8+2000h]; 1009: ret; 100a: ret
  const constants = new Map([
    [0x2000n, 0x1009n],
    [0x2008n, 0x100an],
  ]);
  const plans = planned('89d8 ff24fd00200000 c3 c3', { constants });

  assert.equal([...block(plans, 0x1000n).successors].sort(), [1, 2]);
  assert.is(block(plans, 0x100an).dirtyIn & registers(RAX), registers(RAX));
});

test('the stack pointer travels by itself and is in no set', () => {
  assert.is(bitOf(RSP), 0);
});

test('what travels is dirty where it comes in, and must be in its local where it goes out', () => {
  // call 1006; ret; 1006 is another function
  const travel = { passed: registers(RDI, RBX), returned: registers(RAX, RBX) };
  const plans = planned('e801000000 c3', {}, travel);

  assert.is(block(plans, 0x1000n).dirtyIn, travel.passed);
  assert.is(block(plans, 0x1000n).liveIn, travel.passed);
  const behind = block(plans, 0x1005n);
  assert.is(behind.liveIn & travel.returned, travel.returned);
});

test.run();

/** Blocks that follow each other become one that says the same. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import * as v from '../../../../runtime/ir/build.ts';
import { flagNames } from '../../../../runtime/ir/ops.ts';
import type { Block, Value } from '../../../../runtime/ir/value.ts';
import { discover, type GuestFunction } from '../../../../runtime/recompiler/discover.ts';
import { mergeBlocks } from '../../../../runtime/recompiler/lower/merge-blocks.ts';
import { RAX, RSP } from '../../../../runtime/x86/registers.ts';
import { codeSource } from '../../../support/lockstep-source.ts';

const test = suite('runtime/recompiler/lower/merge-blocks');

const found = (hex: string): GuestFunction => discover(codeSource(64, hex), 0x1000n);

/** The value that a block leaves in a register. */
function lastOf({ statements }: Block, register: number): Value | undefined {
  const last = statements.findLast((s) => s.kind === 'setRegister' && s.register === register);
  return last?.kind === 'setRegister' ? last.value : undefined;
}

test('a block that only a jump leads to is a part of the one before', () => {
  // add rax,1; jmp 1008; nop; nop; 1008: add rax,rax; ret
  const merged = mergeBlocks(found('4883c001 eb02 9090 4801c0 c3'));

  assert.is(merged.blocks.length, 1);
  const [whole] = merged.blocks;
  if (whole === undefined) throw new TypeError('a function has a block');
  const sum = v.add(v.registerValue(RAX, 64), v.constant(64, 1n));
  assert.equal(lastOf(whole, RAX), v.add(sum, sum));
  assert.is(whole.terminator.kind, 'return');
  assert.is(whole.address, 0x1000n);
});

test('what a part pops is where the block before has pushed it', () => {
  // push rax; jmp 1003; 1003: pop rax; ret
  const [whole] = mergeBlocks(found('50 eb00 58 c3')).blocks;

  const load = whole?.statements.find((s) => s.kind === 'load');
  const address = load?.kind === 'load' ? load.value.args[0] : undefined;
  assert.equal(address, v.add(v.registerValue(RSP, 64), v.constant(64, -8n)));
});

test('flags that a part does not set are those of the block before', () => {
  // cmp rax,rbx; jmp 1005; 1005: lea rax,[rax+1]; je 100b; ret; 100b: ret
  const [whole] = mergeBlocks(found('4839d8 eb00 488d4001 7401 c3 c3')).blocks;

  const condition = whole?.terminator.kind === 'branch' ? whole.terminator.condition : undefined;
  assert.is(condition?.op === 'flag', false);
  for (const flag of flagNames) assert.is.not(whole?.flagsOut[flag], undefined);
});

test('a loop head, and a block with two ways in, stay what they are', () => {
  // 1000: xor eax,eax; 1002: inc eax; cmp eax,10; jne 1002; jmp 100b; 100b: ret
  const merged = mergeBlocks(found('31c0 ffc0 83f80a 75f9 eb00 c3'));

  assert.equal(
    merged.blocks.map(({ address }) => address),
    [0x1000n, 0x1002n, 0x1009n],
  );
});

test('a function without such blocks is the same', () => {
  // xor eax,eax; ret
  const fn = found('31c0 c3');

  assert.is(mergeBlocks(fn), fn);
});

test.run();

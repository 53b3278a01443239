/** Registers and flags as the host sees them in the state block. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { StateBlock } from '../../../runtime/cpu/state-block.ts';
import { MachineMemory } from '../../../runtime/memory/machine-memory.ts';
import { Recipes } from '../../../runtime/recompiler/recipes.ts';
import { RAX, XMM0 } from '../../../runtime/x86/registers.ts';
import { cpuState, cpuStateSize } from '../../../runtime/x86/state.ts';

const test = suite('runtime/cpu/state-block');

function blockOf(mode: 64 | 32): StateBlock {
  const memory = new MachineMemory();
  return new StateBlock(mode, memory, memory.allocateState(cpuStateSize), new Recipes());
}

test('a general register has the width of the mode, a vector register 128 bits', () => {
  const wide = blockOf(64);
  const narrow = blockOf(32);

  for (const block of [wide, narrow]) {
    block.setRegister(RAX, 0x1234_5678_9abc_def0n);
    block.setRegister(XMM0 + 15, 0x1111_2222_3333_4444_5555_6666_7777_8888n);
  }

  assert.is(wide.register(RAX), 0x1234_5678_9abc_def0n);
  assert.is(narrow.register(RAX), 0x9abc_def0n);
  assert.is(narrow.register(XMM0 + 15), 0x1111_2222_3333_4444_5555_6666_7777_8888n);
});

test('EFLAGS joins the arithmetic flags, DF and the others', () => {
  const block = blockOf(64);
  block.setWord32(cpuState.flagRecipe, 0);
  block.setWord32(cpuState.flagInput0, 0x41);
  block.write(cpuState.direction, Uint8Array.from([1]));
  block.setWord32(cpuState.otherFlags, 0x202);

  assert.is(block.eflags, 0x643n);
});

test.run();

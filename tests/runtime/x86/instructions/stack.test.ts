import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluateBlock } from '../../../../runtime/ir/evaluate.ts';
import { cpuState } from '../../../../runtime/x86/state.ts';
import { RegionMemory, TestState } from '../../../support/evaluation-state.ts';
import { blockOf } from '../../../support/evaluator.ts';
import { words } from '../../../support/run-system.ts';
import { baseState, vectorRip } from '../../../support/vectors/state.ts';

const test = suite('runtime/x86/instructions/stack');

/** EFLAGS after POPFD of `value` with CS as given. */
function popf(value: bigint, rflags: bigint, codeSelector: number): bigint {
  const code = Uint8Array.of(0x9d);
  const base = { ...baseState(32), rflags };
  const memory = new RegionMemory([{ address: 0x3000_1000n, bytes: words(4, value) }]);
  const cpu = new TestState(32, base, memory);
  cpu.storeCpu(cpuState.selectors + 2, 2, BigInt(codeSelector));
  evaluateBlock(blockOf(32, code, vectorRip), cpu);
  return cpu.recorded(vectorRip).rflags;
}

test('POPF changes IF where IOPL allows it, and IOPL at level 0 alone', () => {
  assert.is(popf(0x3002n, 0x0202n, 0x1b), 0x0202n); // level 3, IOPL 0
  assert.is(popf(0x0002n, 0x3202n, 0x1b), 0x3002n); // level 3, IOPL 3
  assert.is(popf(0x0002n, 0x1202n, 0x19), 0x1002n); // level 1, IOPL 1
  assert.is(popf(0x3002n, 0x0202n, 0x08), 0x3002n); // level 0
});

test('POPF changes AC, ID, NT and TF at every level, and never VM, VIF or VIP', () => {
  assert.is(popf(0x3f_ffffn, 0x0202n, 0x1b), 0x24_4fd7n | 0x202n);
});

test.run();

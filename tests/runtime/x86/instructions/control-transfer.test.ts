import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { runCode } from '../../../support/run-code.ts';
import { vectorRip } from '../../../support/vectors.ts';

const test = suite('runtime/x86/instructions/control-transfer');

const leave = (reason: string, operand: number, next: bigint) => ({
  kind: 'leave',
  reason,
  operand,
  next,
});

test('INT 82H asks for a hypercall', () => {
  assert.equal(runCode(32, 'cd 82').outcome, leave('hypercall', 0x82, vectorRip + 2n));
});

test('INT n and INT1 are traps: the guest goes on behind them', () => {
  assert.equal(runCode(32, 'cd 80').outcome, leave('exception', 0x80, vectorRip + 2n));
  assert.equal(runCode(64, 'f1').outcome, leave('exception', 1, vectorRip + 1n));
});

test('far calls and jumps raise #UD', () => {
  assert.equal(runCode(64, 'ff 18').outcome, leave('exception', 6, vectorRip)); // call far [rax]
  assert.equal(runCode(64, 'ff 28').outcome, leave('exception', 6, vectorRip)); // jmp far [rax]
});

test.run();

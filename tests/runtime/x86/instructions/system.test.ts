import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { R11, RCX } from '../../../../runtime/x86/registers.ts';
import { runCode } from '../../../support/run-code.ts';
import { baseState, vectorRip } from '../../../support/vectors.ts';

const test = suite('runtime/x86/instructions/system');

const leave = (reason: string, operand: number, next: bigint) => ({
  kind: 'leave',
  reason,
  operand,
  next,
});

test('SYSCALL asks for a hypercall and leaves the return address and the flags in registers', () => {
  const { outcome, registers, flags } = runCode(64, '0f 05');

  assert.equal(outcome, leave('hypercall', 0x100, vectorRip + 2n));
  assert.is(registers[RCX], vectorRip + 2n);
  assert.is(registers[R11], flags);
});

test('SYSCALL is undefined in 32-bit code', () => {
  assert.equal(runCode(32, '0f 05').outcome, leave('exception', 6, vectorRip));
});

test('VMCALL is the host call of the trampolines', () => {
  assert.equal(runCode(64, '0f 01 c1').outcome, leave('hostCall', 0, vectorRip + 3n));
});

test('UD0 and UD1 raise #UD as UD2 does', () => {
  for (const code of ['0f ff c0', '0f b9 c0', '0f 0b'])
    assert.equal(runCode(64, code).outcome, leave('exception', 6, vectorRip), code);
});

test('hints change nothing', () => {
  // endbr64; endbr32; prefetchw [rax]; rdsspq rax; rdsspd eax
  const code = 'f3 0f 1e fa  f3 0f 1e fb  0f 0d 08  f3 48 0f 1e c8  f3 0f 1e c8';

  const { outcome, registers } = runCode(64, code);

  assert.equal(outcome, { kind: 'jump', target: vectorRip + 20n });
  assert.equal(registers, baseState(64).regs);
});

test.run();

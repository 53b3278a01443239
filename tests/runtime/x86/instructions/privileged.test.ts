import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX } from '../../../../runtime/x86/registers.ts';
import { runCode } from '../../../support/run-code.ts';
import { baseState, vectorRip } from '../../../support/vectors/state.ts';

const test = suite('runtime/x86/instructions/privileged');

const leave = (reason: string, operand: number, next: bigint) => ({
  kind: 'leave',
  reason,
  operand,
  next,
});

test('an instruction that needs a kernel leaves with nothing changed', () => {
  // cli; hlt; in al,dx; mov cr0,rax; mov rax,dr7; lgdt [rax]; rdmsr; mov ds,ax; pop fs; lar eax,ecx
  const codes = 'fa|f4|ec|0f 22 c0|0f 21 f8|0f 01 10|0f 32|8e d8|0f a1|0f 02 c1';
  for (const code of codes.split('|')) {
    const { outcome, registers } = runCode(64, code);

    assert.equal(outcome, leave('privileged', 0, vectorRip), code);
    assert.equal(registers, baseState(64).regs, code);
  }
});

test('RDTSC and RDTSCP leave behind themselves', () => {
  assert.equal(runCode(64, '0f 31').outcome, leave('timestamp', 0, vectorRip + 2n));
  assert.equal(runCode(32, '0f 01 f9').outcome, leave('timestamp', 1, vectorRip + 3n));
});

test('SYSRET is undefined in 32-bit code', () => {
  assert.equal(runCode(64, '0f 07').outcome, leave('privileged', 0, vectorRip));
  assert.equal(runCode(32, '0f 07').outcome, leave('exception', 6, vectorRip));
});

test('LOCK where nothing can be locked raises #UD', () => {
  // lock add eax,eax; lock mov eax,[rax]; lock bt [rax],eax; lock nop; lock cmp [rax],eax
  for (const code of ['f0 01 c0', 'f0 8b 00', 'f0 0f a3 00', 'f0 90', 'f0 39 00'])
    assert.equal(
      runCode(64, code, { [RAX]: 0x2000_0400n }).outcome,
      leave('exception', 6, vectorRip),
      code,
    );
});

test('what is not there raises #UD', () => {
  // mov cs,ax; mov sr6,ax; mov cr1,rax; monitor; mwait; xgetbv; sysenter; rsm; db e5; femms
  const codes = '8e c8|8e f0|0f 22 c8|0f 01 c8|0f 01 c9|0f 01 d0|0f 34|0f aa|db e5|0f 0e';
  for (const code of codes.split('|'))
    assert.equal(runCode(64, code).outcome, leave('exception', 6, vectorRip), code);
});

test.run();

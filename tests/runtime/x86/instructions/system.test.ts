import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { R11, RAX, RCX, RDX } from '../../../../runtime/x86/registers.ts';
import { runCode } from '../../../support/run-code.ts';
import { baseState, vectorRip } from '../../../support/vectors/state.ts';

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

test('reserved hints are NOPs: 0F 18 to 0F 1F, and PREFETCH with any number', () => {
  // nop [rax],eax of 0f 19 to 0f 1e; prefetch of 0f 0d /0 and /2; prefetchit1 of 0f 18 /6
  for (const code of [
    '0f 19 00',
    '0f 1a 00',
    '0f 1b 00',
    '0f 1c 00',
    '0f 1e 00',
    '0f 0d 00',
    '0f 0d 10',
    '0f 18 30',
  ]) {
    const { outcome, registers } = runCode(64, code);

    assert.equal(outcome, { kind: 'jump', target: vectorRip + 3n }, code);
    assert.equal(registers, baseState(64).regs);
  }
});

test('bases of FS and GS are read and written, 32 or 64 bits of them', () => {
  const far = 0x7f12_5678_9abcn;
  // wrfsbase rax; rdfsbase rcx; rdfsbase edx
  const { registers } = runCode(64, 'f3 48 0f ae d0  f3 48 0f ae c1  f3 0f ae c2', { [RAX]: far });

  assert.is(registers[RCX], far);
  assert.is(registers[RDX], 0x5678_9abcn);
  // wrgsbase ecx; rdgsbase rcx
  const narrow = runCode(64, 'f3 0f ae d9  f3 48 0f ae c9', { [RCX]: 0xffff_ffff_8000_0000n });
  assert.is(narrow.registers[RCX], 0x8000_0000n);
});

test('a base that is not canonical raises #GP', () => {
  const isProtection = (error: unknown): boolean => (error as { vector?: number }).vector === 13;

  assert.throws(() => runCode(64, 'f3 48 0f ae d0', { [RAX]: 1n << 63n }), isProtection);
});

test('ARPL raises the level that a selector asks for, and says so in ZF', () => {
  const arpl = (value: bigint, source: bigint) =>
    runCode(32, '63 c8', { [RAX]: value, [RCX]: source }); // arpl ax,cx

  assert.is(arpl(0x1234_0020n, 3n).registers[RAX], 0x1234_0023n);
  assert.is(arpl(0x1234_0020n, 3n).flags & 0x40n, 0x40n);
  assert.is(arpl(0x23n, 1n).registers[RAX], 0x23n);
  assert.is(arpl(0x23n, 1n).flags & 0x40n, 0n);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RSP } from '../../../../runtime/x86/registers.ts';
import { runCode } from '../../../support/run-code.ts';
import { vectorRip } from '../../../support/vectors/state.ts';

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

test('INT n asks whether the gate is open', () => {
  assert.equal(runCode(32, 'cd 80').outcome, leave('privileged', 0, vectorRip));
});

test('INT1 is a trap: the guest goes on behind it', () => {
  assert.equal(runCode(64, 'f1').outcome, leave('exception', 1, vectorRip + 1n));
});

test('far calls, jumps and returns ask for descriptors', () => {
  // call far [rax]; jmp far [rax]; retf; iretq; call far 33h:0
  for (const code of ['ff 18', 'ff 28', 'cb', '48 cf'])
    assert.equal(runCode(64, code).outcome, leave('privileged', 0, vectorRip), code);
  assert.equal(runCode(32, '9a 00 00 00 00 33 00').outcome, leave('privileged', 0, vectorRip));
});

test('a call or jump of 16 bits goes to the low 64 KiB, and pushes two bytes', () => {
  const call = runCode(32, '66 e8 fd ef'); // call near 1001h, counted from 1004h
  assert.equal(call.outcome, { kind: 'jump', target: 0x1n });
  assert.is(call.registers[RSP], 0x3000_1000n - 2n);

  const jump = runCode(32, '66 ff e0', { [RAX]: 0x1234_5678n }); // jmp ax
  assert.equal(jump.outcome, { kind: 'jump', target: 0x5678n });
});

test('RET of 16 bits pops two bytes', () => {
  const { outcome, registers } = runCode(32, '68 78 56 34 12  66 c2 04 00'); // push 12345678h; ret 4

  assert.equal(outcome, { kind: 'jump', target: 0x5678n });
  assert.is(registers[RSP], 0x3000_1000n - 4n + 2n + 4n);
});

test.run();

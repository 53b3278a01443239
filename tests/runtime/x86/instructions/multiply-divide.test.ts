import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RCX, RDX } from '../../../../runtime/x86/registers.ts';
import { runCode } from '../../../support/run-code.ts';

const test = suite('runtime/x86/instructions/multiply-divide');

const isDivideError = (error: unknown): boolean => (error as { vector?: number }).vector === 0;
const unsigned = (value: bigint, width = 64): bigint => BigInt.asUintN(width, value);

// Forms that a compiler makes of a division: the dividend's upper half is known to be its sign, or 0.
const cqoIdiv = '48 99  48 f7 f9'; // cqo; idiv rcx
const cdqIdiv = '99  f7 f9'; // cdq; idiv ecx
const xorDiv = '31 d2  48 f7 f1'; // xor edx,edx; div rcx

test('CQO and IDIV divide 64 bits by 64, truncating toward 0', () => {
  const { registers } = runCode(64, cqoIdiv, { [RAX]: unsigned(-7n), [RCX]: 2n });

  assert.is(registers[RAX], unsigned(-3n));
  assert.is(registers[RDX], unsigned(-1n));
});

test('CDQ and IDIV divide 32 bits by 32 in both widths of code', () => {
  for (const mode of [64, 32] as const) {
    const { registers } = runCode(mode, cdqIdiv, { [RAX]: 7n, [RCX]: unsigned(-2n, 32) });

    assert.is(registers[RAX], unsigned(-3n, 32));
    assert.is(registers[RDX], 1n);
  }
});

test('the most negative number divided by -1 raises #DE', () => {
  const wide = { [RAX]: 1n << 63n, [RCX]: unsigned(-1n) };
  const narrow = { [RAX]: 1n << 31n, [RCX]: unsigned(-1n, 32) };

  assert.throws(() => runCode(64, cqoIdiv, wide), isDivideError);
  assert.throws(() => runCode(64, cdqIdiv, narrow), isDivideError);
  assert.throws(() => runCode(32, cdqIdiv, narrow), isDivideError);
});

test('a division by 0 raises #DE in every form', () => {
  for (const code of [cqoIdiv, cdqIdiv, xorDiv])
    assert.throws(() => runCode(64, code, { [RAX]: 5n, [RCX]: 0n }), isDivideError, code);
});

test('XOR EDX, EDX and DIV divide 64 bits by 64', () => {
  const { registers } = runCode(64, xorDiv, { [RAX]: unsigned(-1n), [RCX]: 10n });

  assert.is(registers[RAX], unsigned(-1n) / 10n);
  assert.is(registers[RDX], unsigned(-1n) % 10n);
});

test('the sign of another register than the dividend is no shortcut', () => {
  // mov edx,ebx; sar edx,31; idiv ecx
  const registers = { [RAX]: 7n, [3]: unsigned(-1n, 32), [RCX]: unsigned(-2n, 32) };

  const result = runCode(32, '89 da c1 fa 1f f7 f9', registers).registers;

  // edx:eax is -4294967289
  assert.is(result[RAX], 2147483644n);
  assert.is(result[RDX], unsigned(-1n, 32));
});

test.run();

/** The text of small blocks. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printBlock } from '../../../runtime/ir/print.ts';
import { registerName } from '../../../runtime/x86/registers.ts';
import { blockOf } from '../../support/evaluator.ts';

const test = suite('runtime/ir/print');

const textOf = (...code: number[]): string =>
  printBlock(blockOf(64, Uint8Array.from(code), 0x1000n), (register) => registerName(register, 64));

test('a load has a name, and its use says it', () => {
  // movsd xmm1, [rsi+8]
  const text = textOf(0xf2, 0x0f, 0x10, 0x4e, 0x08);

  assert.is(
    text,
    `0x1000:
  %0 = load.64(add.64(rsi, 0x8))
  xmm1 := zeroExtend.128(%0)
  jump 0x1005
`,
  );
});

test('an aligned access tells what it raises', () => {
  // paddd xmm0, [rax]
  const text = textOf(0x66, 0x0f, 0xfe, 0x00);

  assert.is(
    text,
    `0x1000:
  raise 13 if notEqual.1(and.64(rax, 0xf), 0x0)
  %0 = load.128(rax)
  xmm0 := laneAdd[32].128(xmm0, %0)
  jump 0x1004
`,
  );
});

test('what is used twice is written once', () => {
  // movddup xmm2, xmm3
  const text = textOf(0xf2, 0x0f, 0x12, 0xd3);

  assert.is(
    text,
    `0x1000:
  %0 = slice[0].64(xmm3)
  xmm2 := pack.128(%0, %0)
  jump 0x1004
`,
  );
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Decoder, type Instruction } from '../../../runtime/x86/decode.ts';
import { hasSemantics, rowName, standsAlone } from '../../../runtime/x86/translate.ts';
import { runCode } from '../../support/run-code.ts';
import { vectorRip } from '../../support/vectors/state.ts';

const test = suite('runtime/x86/translate');

function decode(hex: string): Instruction {
  const decoder = new Decoder(64, 0x1000n, Uint8Array.from(Buffer.from(hex, 'hex')));
  const instruction = decoder.decode(0x1000n);
  decoder.free();
  return instruction;
}

test('an instruction without a row raises #UD at its own address', () => {
  const { outcome } = runCode(64, '90 0f 01 d0'); // nop; xgetbv

  assert.is(hasSemantics(decode('0f01d0')), false);
  assert.equal(outcome, {
    kind: 'leave',
    reason: 'exception',
    operand: 6,
    next: vectorRip + 1n,
  });
});

test('bytes that are no instruction raise #UD', () => {
  const { outcome } = runCode(64, '06'); // push es, which 64-bit code has not

  assert.equal(outcome, { kind: 'leave', reason: 'exception', operand: 6, next: vectorRip });
});

test('MOVSD is a string instruction or one of SSE2 by its form', () => {
  assert.is(rowName(decode('a5')), 'MOVSD_M32_M32');
  assert.is(rowName(decode('f20f10c1')), 'MOVSD'); // movsd xmm0,xmm1
});

test('only repeated string instructions stand alone', () => {
  assert.is(standsAlone(decode('f3a5')), true); // rep movsd
  assert.is(standsAlone(decode('f2ae')), true); // repne scasb
  assert.is(standsAlone(decode('a5')), false); // movsd
  assert.is(standsAlone(decode('f3c3')), false); // rep ret
  assert.is(standsAlone(decode('f20f10c1')), false); // movsd xmm0,xmm1
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX } from '../../../../runtime/x86/registers.ts';
import { runCode } from '../../../support/run-code.ts';

const test = suite('runtime/x86/instructions/flag-control');

test('SALC fills AL with CF', () => {
  assert.is(runCode(32, 'f9 d6', { [RAX]: 0x12345678n }).registers[RAX], 0x123456ffn); // stc; salc
  assert.is(runCode(32, 'f8 d6', { [RAX]: 0x12345678n }).registers[RAX], 0x12345600n); // clc; salc
});

test.run();

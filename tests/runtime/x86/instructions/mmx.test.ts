import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate } from '../../../support/evaluator.ts';
import { baseState, vectorRip } from '../../../support/vectors/state.ts';

const test = suite('runtime/x86/instructions/mmx');

/** Of an instruction that an unmasked #Z waits before: what it raises, and TOP after. */
function withPending(hex: string): { vector: number | undefined; status: number } {
  const code = Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  const base = baseState(64);
  const fpu = { ...base.fpu, control: 0x37b, status: 0xb084 };
  const { exception, state } = evaluate(64, code, { ...base, fpu, rip: vectorRip }, []);
  return { vector: exception?.vector, status: state.fpu.status };
}

test('an MMX instruction raises a pending x87 exception first, before its operand in memory', () => {
  // movq mm0,mm1; emms; movq2dq xmm0,mm0; movq mm0,[0]; cvtpi2ps xmm0,mm1
  for (const code of ['0f 6f c1', '0f 77', 'f3 0f d6 c0', '0f 6f 04 25 00 00 00 00', '0f 2a c1'])
    assert.equal(withPending(code), { vector: 16, status: 0xb084 }, code);
});

test('what touches no MMX register waits for nothing', () => {
  // cvtpi2pd xmm0,[rdi]; fnstsw ax; fneni; fndisi; fnsetpm
  for (const code of ['66 0f 2a 07', 'df e0', 'db e0', 'db e1', 'db e4'])
    assert.is(withPending(code).vector, undefined, code);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instructions } from '../../../../runtime/x86/instructions/index.ts';
import { reservedHints } from '../../../../runtime/x86/instructions/system.ts';
import { RAX, RBX, RCX, RDX } from '../../../../runtime/x86/registers.ts';
import { advertised, ourForms } from '../../../support/instruction-set.ts';
import { runCode } from '../../../support/run-code.ts';

const test = suite('runtime/x86/instructions/cpuid');

function cpuid(leaf: bigint, subleaf = 0n): number[] {
  const { registers } = runCode(64, '0f a2', { [RAX]: leaf, [RCX]: subleaf });
  return [RAX, RBX, RCX, RDX].map((number) => Number(registers[number]));
}

const bit = (word: number | undefined, index: number): boolean =>
  (((word ?? 0) >>> index) & 1) === 1;

test('the processor is x86-64-v2 with LZCNT, MOVBE, BMI1, BMI2, AES and what stands beside them', () => {
  for (const [name, [leaf, register, index]] of Object.entries(advertised))
    assert.ok(bit(cpuid(leaf)[register], index), name);
});

test('it has neither XSAVE nor AVX', () => {
  const [, , ecx] = cpuid(1n);

  for (const index of [26, 27, 28]) assert.not.ok(bit(ecx, index), `leaf 1, ECX bit ${index}`);
  assert.not.ok(bit(cpuid(7n)[1], 5), 'AVX2');
});

test('a subleaf or a leaf that it has not is 0', () => {
  assert.equal(cpuid(7n, 1n), [0, 0, 0, 0]);
  assert.equal(cpuid(0x4000_0000n), [0, 0, 0, 0]);
});

test('the brand string is text', () => {
  const words = [2n, 3n, 4n].flatMap((leaf) => cpuid(0x8000_0000n + leaf));

  const text = Buffer.from(Uint32Array.from(words).buffer).toString();

  assert.match(text, /^stubdom/);
});

test('every form of an advertised feature has a row', () => {
  const missing = ourForms().filter((form) => !instructions.has(form.row));

  assert.equal(
    missing.map(({ code }) => code),
    [],
  );
});

test('every row belongs to a feature that is advertised, is a hint or the host call', () => {
  const rows = new Set(ourForms().map(({ row }) => row));

  const strangers = [...instructions.keys()].filter((row) => !rows.has(row));

  assert.equal(
    strangers.sort(),
    [...Object.keys(reservedHints), 'VMCALL'].filter((row) => !rows.has(row)).sort(),
  );
});

test('SYSCALL is shown to 64-bit code alone', () => {
  const { registers } = runCode(32, '0f a2', { [RAX]: 0x8000_0001n });

  assert.not.ok(bit(Number(registers[RDX]), 11));
});

test.run();

import { Code, CodeExt, CpuidFeature, Instruction, Mnemonic } from 'iced-x86';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RAX, RBX, RCX, RDX } from '../../../../runtime/x86/registers.ts';
import { hasSemantics } from '../../../../runtime/x86/translate.ts';
import { runCode } from '../../../support/run-code.ts';

const test = suite('runtime/x86/instructions/cpuid');

function cpuid(leaf: bigint, subleaf = 0n): number[] {
  const { registers } = runCode(64, '0f a2', { [RAX]: leaf, [RCX]: subleaf });
  return [RAX, RBX, RCX, RDX].map((number) => Number(registers[number]));
}

const bit = (word: number | undefined, index: number): boolean =>
  (((word ?? 0) >>> index) & 1) === 1;

/** Features by iced-x86's name: leaf, register of the four, bit (SDM vol. 2, tables 3-10 and 3-11). */
// biome-ignore format: a table
const advertised = {
  FPU: [1n, 3, 0], CX8: [1n, 3, 8], CMOV: [1n, 3, 15], CLFSH: [1n, 3, 19], MMX: [1n, 3, 23], FXSR: [1n, 3, 24],
  SSE: [1n, 3, 25], SSE2: [1n, 3, 26], SSE3: [1n, 2, 0], SSSE3: [1n, 2, 9], CMPXCHG16B: [1n, 2, 13],
  SSE4_1: [1n, 2, 19], SSE4_2: [1n, 2, 20], MOVBE: [1n, 2, 22], POPCNT: [1n, 2, 23],
  BMI1: [7n, 1, 3], BMI2: [7n, 1, 8], LZCNT: [0x8000_0001n, 2, 5],
} as const satisfies Partial<Record<keyof typeof CpuidFeature, readonly [bigint, number, number]>>;

test('the processor is x86-64-v2 with LZCNT, MOVBE, BMI1 and BMI2', () => {
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

/** Mnemonics of FWAIT and another instruction, those of the 8087 alone, and the transcendentals, which raise #UD. */
const excused =
  /^F(stenv|stcw|clex|init|save|stsw|neni|eni|ndisi|disi|2xm1|yl2x|yl2xp1|ptan|patan)$/;

function featuresOf(code: Code): string[] {
  const instruction = new Instruction();
  instruction.code = code;
  const names = [...instruction.cpuidFeatures()].map((feature) => CpuidFeature[feature] ?? '');
  instruction.free();
  return names;
}

test('every instruction of an advertised feature has a row', () => {
  const codes = Object.values(Code).filter((code) => typeof code === 'number');

  const missing = codes.flatMap((code) => {
    const features = featuresOf(code);
    if (!features.every((name) => name in advertised)) return [];
    const mnemonic = Mnemonic[CodeExt.opCode(code).mnemonic] ?? '';
    const name = Code[code] ?? '';
    if (excused.test(mnemonic)) return [];
    return hasSemantics({ mnemonic: mnemonic.toUpperCase(), code: name }) ? [] : [name];
  });

  assert.equal(missing, []);
});

test.run();

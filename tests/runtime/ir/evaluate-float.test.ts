/**
 * SSE arithmetic, comparisons and conversions with operands made up at random, under every rounding, with and without DAZ
 * and FTZ, against the CPU of this machine. Unmasked exceptions are left to the recorded vectors.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CpuCase, CpuOracle, type CpuWidth } from '../../support/cpu-oracle.ts';
import { evaluate } from '../../support/evaluator.ts';
import { freshSeed, type Random, random } from '../../support/random.ts';
import { differences } from '../../support/replay.ts';
import { forms, sampled, type VectorCase, type VectorForm } from '../../support/vectors.ts';

const test = suite('runtime/ir/evaluate-float');
const CASES = process.env['STUBDOM_TEST_TIER'] === 'full' ? 100 : 5;
/** Of an opcode's recorded forms, one of so many. */
const ONE_OF = 12;
const SHOWN = 10;

/** Zeros, subnormals, limits of the integers, infinities, signaling and quiet NaNs. */
// biome-ignore format: tables
const edges = {
  32: [
    0n, 1n, 0x7fffffn, 0x800000n, 0x3f000000n, 0x3f800000n, 0x3fc00000n, 0x4b000000n, 0x4effffffn, 0x4f000000n,
    0x4f000001n, 0x5f000000n, 0x7f7fffffn, 0x7f800000n, 0x7f800001n, 0x7fa00000n, 0x7fc00000n, 0x7fc12345n,
  ],
  64: [
    0n, 1n, 0xfffffffffffffn, 0x10000000000000n, 0x3fe0000000000000n, 0x3ff0000000000000n, 0x3ff8000000000000n,
    0x36a0000000000000n, 0x380fffffffffffffn, 0x41dfffffffc00000n, 0x41e0000000000000n, 0x41e0000000200000n,
    0x43e0000000000000n, 0x47efffffefffffffn, 0x7fefffffffffffffn, 0x7ff0000000000000n, 0x7ff0000000000001n,
    0x7ff8000000000000n, 0x7ff8123400000000n,
  ],
} as const;

function float(source: Random, width: 32 | 64): bigint {
  const sign = BigInt(source.below(2)) << BigInt(width - 1);
  const bits = BigInt.asUintN(width, source.bigint64());
  const known = edges[width];
  switch (source.below(4)) {
    case 0:
      return sign | (known[source.below(known.length)] ?? 0n);
    case 1:
      return bits;
    case 2:
      return width === 32
        ? sign | (BigInt(100 + source.below(60)) << 23n) | (bits & 0x7fffffn)
        : sign | (BigInt(1000 + source.below(60)) << 52n) | (bits & 0xfffffffffffffn);
    default:
      return sign | (bits & (width === 32 ? 0xffffffn : 0x1fffffffffffffn));
  }
}

const vector = (source: Random, width: 32 | 64): bigint =>
  Array.from({ length: 128 / width }, () => float(source, width)).reduce(
    (whole, lane) => (whole << BigInt(width)) | lane,
  );

/** All exceptions masked; bits 13 and 14 round, 6 is DAZ, 15 is FTZ. */
const mxcsr = (source: Random): number =>
  0x1f80 | (source.below(4) << 13) | (source.below(2) << 6) | (source.below(2) << 15);

function someCase(source: Random, form: VectorForm, first: VectorCase): CpuCase {
  const { state, memory } = first.input;
  const width = source.below(2) ? 64 : 32;
  const windows = memory.map(({ address, bytes }) => ({
    address,
    bytes: bytes.slice(),
  }));
  for (const { bytes } of windows) fill(bytes, source, width);
  return {
    code: form.bytes,
    state: { ...state, xmm: state.xmm.map(() => vector(source, width)), mxcsr: mxcsr(source) },
    memory: windows,
    steps: 1,
  };
}

function fill(bytes: Uint8Array, source: Random, width: 32 | 64): void {
  for (let at = 0; at + 16 <= bytes.length; at += 16) {
    const value = vector(source, width);
    for (let i = 0; i < 16; i++) bytes[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}

/** Of dot products it depends on the CPU which NaN ends in which lane (SDM vol. 2, DPPS); recorded vectors have them. */
const dependsOnCpu = /^dpp[sd]\b/;

async function compare(oracle: CpuOracle, width: CpuWidth, source: Random): Promise<string[]> {
  const wrong: string[] = [];
  const some = sampled(source.u32(), ONE_OF);
  for (const form of forms(width, ['sse', 'sse2', 'sse3', 'sse4.1'], some)) {
    if (dependsOnCpu.test(form.asm)) continue;
    const [first] = form.cases();
    if (first === undefined) throw new Error(`${form.asm} has no case`);
    const cases = Array.from({ length: CASES }, () => someCase(source, form, first));
    const results = await oracle.run(cases);
    for (const [i, { code, state, memory }] of cases.entries()) {
      const result = results[i];
      if (result === undefined) throw new Error('the oracle answers every case');
      const executed = evaluate(width, code, state, memory);
      const expected = { ...result, ignored: [], undefinedFlags: 0n };
      const found = differences({ input: { state, memory }, expected }, executed, width);
      const under = `under MXCSR 0x${state.mxcsr.toString(16)}`;
      if (found.length > 0) wrong.push(`${form.asm} (${form.code}) ${under}: ${found.join('; ')}`);
    }
  }
  return wrong;
}

for (const width of [64, 32] as const)
  test(`${width}: random operands give what this machine's CPU gives`, async () => {
    const seed = freshSeed();
    const oracle = await CpuOracle.start(width);

    try {
      const wrong = await compare(oracle, width, random(seed));

      assert.is(wrong.length, 0, `seed ${seed}:\n${wrong.slice(0, SHOWN).join('\n')}`);
    } finally {
      await oracle.close();
    }
  });

test.run();

/** The recorded vectors: that they expand to what was recorded, and still hold on the CPU that recorded them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CpuOracle, type CpuResult, cpuModel } from './cpu-oracle.ts';
import { freshSeed, random } from './random.ts';
import {
  baseState,
  expandInput,
  expandMemory,
  filler,
  flatten,
  forms,
  type VectorCase,
  type VectorForm,
  vectorRip,
} from './vectors.ts';

const test = suite('support/vectors');
const SAMPLE = 2000;

const bytesOf = (windows: VectorCase['input']['memory']): Map<bigint, number> =>
  new Map(
    windows.flatMap(({ address, bytes }) =>
      [...bytes].map((byte, i) => [address + BigInt(i), byte]),
    ),
  );

function told(
  { input, expected }: VectorCase,
  form: VectorForm,
  outcome: VectorCase['expected'] | CpuResult,
) {
  const memory = bytesOf(outcome.memory);
  for (const { address, length } of expected.ignored)
    for (let i = 0; i < length; i++) memory.delete(address + BigInt(i));
  return {
    instruction: form.asm,
    input: flatten(input.state, form.width),
    state: flatten(outcome.state, form.width),
    rip: outcome.state.rip,
    memory,
    exception: outcome.exception,
  };
}

for (const width of [64, 32] as const) {
  test(`${width}: a sample of the vectors holds on the CPU that recorded them`, async () => {
    const seed = freshSeed();
    const draw = random(seed);
    const all = [...forms(width)];
    const cpu = cpuModel();
    if (all[0]?.cpu !== cpu) {
      process.stdout.write(`vectors of ${all[0]?.cpu} are not run again on ${cpu}\n`);
      return;
    }
    const sample = Array.from({ length: SAMPLE }, () => {
      const form = all[draw.below(all.length)];
      const cases = form?.cases() ?? [];
      const vector = cases[draw.below(cases.length)];
      if (!form || !vector) throw new Error('a form without cases');
      return { form, vector };
    });

    const oracle = await CpuOracle.start(width);
    const results = await oracle.run(
      sample.map(({ form, vector }) => ({ code: form.bytes, ...vector.input, steps: 1 })),
    );
    await oracle.close();

    for (const [i, { form, vector }] of sample.entries()) {
      const result = results[i];
      if (!result) throw new Error('no result');
      assert.equal(
        told(vector, form, result),
        told(vector, form, vector.expected),
        `seed ${seed}: ${form.code} (${form.asm})`,
      );
    }
  });

  test(`${width}: every form has cases that lie in what the guest finds mapped`, () => {
    for (const form of forms(width)) {
      const cases = form.cases();

      assert.ok(cases.length > 0, form.asm);
      for (const { input, expected } of cases) {
        assert.is(input.state.rip, vectorRip, form.asm);
        assert.is(input.state.regs.length, width === 64 ? 16 : 8, form.asm);
        assert.equal(
          expected.memory.map(({ address, bytes }) => [address, bytes.length]),
          input.memory.map(({ address, bytes }) => [address, bytes.length]),
          form.asm,
        );
      }
    }
  });
}

test('an input names what differs from the base state', () => {
  const { state, memory } = expandInput(
    {
      state: { rdx: 'ff', fsw: '3800', ftw: '80', R7: '3fff8000000000000000' },
      mem: [['20000800', 'aabb']],
    },
    64,
  );

  const expected = baseState(64);
  expected.regs[2] = 0xffn;
  expected.fpu.status = 0x3800;
  expected.fpu.tag = 0x80;
  expected.fpu.registers[0] = 0x3fff8000000000000000n; // R7 is ST(0) where TOP is 7
  assert.equal(state, expected);
  assert.is(memory.length, 1);
  assert.is(memory[0]?.address, 0x200007f0n);
  assert.equal(
    memory[0]?.bytes.slice(15, 19),
    Uint8Array.of(filler(0x200007ffn), 0xaa, 0xbb, filler(0x20000802n)),
  );
});

test('operands that touch share a window, and none reaches beyond a region', () => {
  const windows = expandMemory([
    ['20003ff0', 32],
    ['20003fe0', '01'],
  ]);

  assert.equal(
    windows.map(({ address, bytes }) => [address, bytes.length]),
    [[0x20003fd0n, 0x30]],
  );
});

test.run();

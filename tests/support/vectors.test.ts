/** The recorded vectors: that they expand to what was recorded, and still hold on the CPU that recorded them. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CpuOracle, type CpuResult, cpuModel } from './cpu-oracle.ts';
import { freshSeed, random } from './random.ts';
import { expandMemory, flatten } from './vectors/state.ts';
import {
  forms,
  recordedCpu,
  type VectorCase,
  type VectorForm,
  vectorCounts,
  vectorFolder,
} from './vectors.ts';

const test = suite('support/vectors');

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

/** Of this many forms one is run again. */
const ONE_OF = 40;

for (const width of [64, 32] as const)
  test(`${width}: a sample of the vectors holds on the CPU that recorded them`, async () => {
    const seed = freshSeed();
    const draw = random(seed);
    const cpu = cpuModel();
    if (recordedCpu(width) !== cpu) {
      process.stdout.write(`vectors of ${recordedCpu(width)} are not run again on ${cpu}\n`);
      return;
    }
    const sample = [...forms(width, undefined, () => draw.below(ONE_OF) === 0)].flatMap((form) =>
      form.cases().map((vector) => ({ form, vector })),
    );

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

test('every mnemonic has 200 cases of each operand width in each mode', () => {
  const cases = new Map<string, number>();
  for (const each of vectorCounts()) {
    const key = `${each.width}-bit ${each.group} ${each.mnemonic} ${each.operandWidth}`;
    cases.set(key, (cases.get(key) ?? 0) + each.cases);
  }

  const few = [...cases].filter(([, count]) => count < 200);

  assert.equal(few, []);
  assert.ok(cases.size > 1600, `only ${cases.size} kinds of instruction`);
});

test('the vectors take 10 MB at most', () => {
  const sizes = ([64, 32] as const).flatMap((width) =>
    readdirSync(vectorFolder(width)).map((name) => statSync(join(vectorFolder(width), name)).size),
  );

  const total = sizes.reduce((sum, size) => sum + size, 0);

  assert.ok(total < 10_000_000, `${total} bytes`);
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

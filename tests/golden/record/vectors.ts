/**
 * Records tests/golden/x86: what this machine's CPU does with each form of tests/support/vectors in its states. Every case
 * runs twice, in two orders, and must come out the same. A file a group holds the outcomes; index.txt says in a line an
 * opcode how much there is, and a digest of its outcomes, so that a diff can be read.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';
import {
  type CpuCase,
  CpuOracle,
  type CpuResult,
  type CpuWidth,
  cpuModel,
  type MemoryWindow,
} from '../../support/cpu-oracle.ts';
import { type CodePlan, codePlans } from '../../support/vectors/codes.ts';
import { drawForm, type Form } from '../../support/vectors/forms.ts';
import type { Input } from '../../support/vectors/inputs.ts';
import { packOutcome, Sink } from '../../support/vectors/pack.ts';
import { expandMemory, flatten, ignoredRanges } from '../../support/vectors/state.ts';
import { drawnInputs, inputsDigest, vectorCounts, vectorFolder } from '../../support/vectors.ts';

interface Pending {
  readonly form: Form;
  readonly input: Input;
  readonly run: CpuCase;
}

function pendingOf(form: Form, inputs: readonly Input[]): Pending[] {
  return inputs.map((input) => {
    const { state, mem } = input;
    return { form, input, run: { code: form.bytes, state, memory: expandMemory(mem), steps: 1 } };
  });
}

/** Runs of changed bytes; what `ignored` names is as before. */
function changes(
  before: readonly MemoryWindow[],
  after: readonly MemoryWindow[],
  isIgnored: (address: bigint) => boolean,
): MemoryWindow[] {
  const runs: { start: bigint; bytes: number[] }[] = [];
  for (const [i, { address, bytes }] of before.entries())
    for (const [offset, byte] of bytes.entries()) {
      const now = after[i]?.bytes[offset] ?? 0;
      if (now === byte) continue;
      const at = address + BigInt(offset);
      if (isIgnored(at)) continue;
      const last = runs.at(-1);
      if (last && last.start + BigInt(last.bytes.length) === at) last.bytes.push(now);
      else runs.push({ start: at, bytes: [now] });
    }
  return runs.map(({ start, bytes }) => ({ address: start, bytes: Uint8Array.from(bytes) }));
}

/** One case's outcome, packed. */
function packed({ form, run, input }: Pending, result: CpuResult): Uint8Array {
  const { width } = form.plan;
  const ranges = ignoredRanges(form.code, input.mem, result.exception?.vector);
  const isIgnored = (at: bigint): boolean =>
    ranges.some(({ address, length }) => at >= address && at < address + BigInt(length));
  const usual = result.exception ? form.rip : form.rip + BigInt(form.bytes.length);
  const before = flatten(run.state, width);
  const places = new Map(
    [...flatten(result.state, width)].filter(([name, value]) => (before.get(name) ?? 0n) !== value),
  );
  const sink = new Sink();
  packOutcome(sink, before, {
    places,
    memory: changes(run.memory, result.memory, isIgnored),
    rip: result.state.rip === usual ? undefined : result.state.rip,
    exception: result.exception,
  });
  return sink.bytes();
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

async function runAll(oracle: CpuOracle, pending: readonly Pending[]): Promise<Uint8Array[]> {
  const results = await oracle.run(pending.map(({ run }) => run));
  return pending.map((each, i) => {
    const result = results[i];
    if (!result) throw new Error('vectors: a case has no result');
    return packed(each, result);
  });
}

async function recordTwice(
  oracle: CpuOracle,
  pending: readonly Pending[],
): Promise<ReadonlyMap<Form, Uint8Array[]>> {
  const outputs = await runAll(oracle, pending);
  const again = (await runAll(oracle, pending.toReversed())).toReversed();
  const byForm = new Map<Form, Uint8Array[]>();
  for (const [i, { form }] of pending.entries()) {
    const [once, twice] = [outputs[i], again[i]];
    if (once === undefined || twice === undefined || !sameBytes(once, twice))
      throw new Error(`vectors: ${form.code} (${form.instruction}) is not the same twice`);
    const ofForm = byForm.get(form) ?? [];
    ofForm.push(once);
    byForm.set(form, ofForm);
  }
  return byForm;
}

/** A length and as many bytes: the digest of the inputs, then the outcomes; none where no operands were found. */
function recordOf(
  form: Form,
  inputs: readonly Input[],
  outcomes: readonly Uint8Array[],
): Uint8Array {
  const record = new Sink();
  record.u16(inputsDigest(form, inputs));
  for (const outcome of outcomes) record.append(outcome);
  return record.bytes();
}

/** One opcode's records, put at the end of its group's file; gives its line of the index. */
async function recordCode(
  oracle: CpuOracle,
  plan: CodePlan,
  first: number,
  file: Sink,
): Promise<string> {
  const drawn = Array.from({ length: plan.variants }, (_, i) => {
    const form = drawForm(plan, i, first + i);
    return form && { form, inputs: drawnInputs(form) };
  });
  const pending = drawn.flatMap((each) => (each ? pendingOf(each.form, each.inputs) : []));
  const outcomes = await recordTwice(oracle, pending);
  const digest = createHash('sha256');
  for (const each of drawn) {
    const ofForm = each && outcomes.get(each.form);
    const record = each && ofForm ? recordOf(each.form, each.inputs, ofForm) : new Uint8Array();
    digest.update(record);
    file.varint(record.length);
    file.append(record);
    each?.form.instruction.free();
  }
  const { group, mnemonic, operandWidth, name } = plan;
  const short = digest.digest('hex').slice(0, 12);
  return [group, mnemonic, operandWidth, name, outcomes.size, pending.length, short].join(' ');
}

const compressed = (bytes: Uint8Array): Uint8Array =>
  brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 9,
      [constants.BROTLI_PARAM_LGWIN]: 22,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });

async function record(width: CpuWidth): Promise<void> {
  const folder = vectorFolder(width);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  const oracle = await CpuOracle.start(width);
  const lines = [`# ${cpuModel()}`, '# group mnemonic operand-width opcode forms cases digest'];
  const files = new Map<string, { sink: Sink; forms: number }>();
  try {
    for (const plan of codePlans(width)) {
      const file = files.get(plan.group) ?? { sink: new Sink(), forms: 0 };
      files.set(plan.group, file);
      lines.push(await recordCode(oracle, plan, file.forms, file.sink));
      file.forms += plan.variants;
    }
  } finally {
    await oracle.close();
  }
  for (const [group, { sink }] of files)
    writeFileSync(join(folder, `${group}.br`), compressed(sink.bytes()));
  writeFileSync(join(folder, 'index.txt'), `${lines.join('\n')}\n`);
}

/** Both modes at once: while one CPU oracle works, the other's cases are drawn. */
export async function recordVectors(): Promise<void> {
  const start = performance.now();
  await Promise.all([record(64), record(32)]);
  const counts = vectorCounts();
  const cases = counts.reduce((sum, each) => sum + each.cases, 0);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  process.stdout.write(`${cases} cases of ${counts.length} opcodes, in ${seconds} s\n`);
}

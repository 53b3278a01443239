/**
 * Records tests/golden/x86: what this machine's CPU does with each form of vectors-forms.ts in a few states.
 * Every case runs twice, in two orders, and must come out the same; a line is a form, so that a diff can be read.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CpuCase,
  CpuOracle,
  type CpuResult,
  type CpuWidth,
  cpuModel,
  type MemoryWindow,
} from '../../support/cpu-oracle.ts';
import {
  baseState,
  difference,
  expandInput,
  flatten,
  ignoredRanges,
  type StoredCase,
  type StoredForm,
  type StoredInput,
  type StoredOutput,
  vectorFolder,
  vectorRip,
} from '../../support/vectors.ts';
import { type Form, forms } from './vectors-forms.ts';
import { drawInput, type Variation } from './vectors-inputs.ts';

const SEED = 1;

interface Pending {
  readonly group: string;
  readonly form: Form;
  readonly stored: StoredInput;
  readonly run: CpuCase;
}

interface Series {
  readonly group: string;
  readonly variation: Variation;
  readonly cases: number;
}

const environment = /^Fn?(save|stenv|rstor|ldenv)$/;
const packedOrScalarFloats =
  /^(Add|Sub|Mul|Div|Sqrt|Min|Max|Cmp|U?[Cc]omis|Cvt|Round|Dp|Hadd|Hsub|Addsub).*([ps][sd]|[sp][iq]|dq)$/;

/** A form's cases in its own group, and those that vary what is set up once in a program: masks and MXCSR. */
function seriesOf(form: Form, width: CpuWidth): Series[] {
  const { group, mnemonic, cases } = form;
  const series: Series[] = [{ group, variation: 'usual', cases }];
  if (group === 'fpu' && !environment.test(mnemonic))
    series.push({ group: 'fpu-unmasked', variation: 'unmasked', cases: width === 32 ? 2 : 1 });
  if (/^sse(2|3|4\.[12])?$/.test(group) && packedOrScalarFloats.test(mnemonic))
    series.push({ group: 'sse-mxcsr', variation: 'mxcsr', cases: Math.min(cases, 3) });
  return series;
}

function draw(form: Form, width: CpuWidth): Pending[] {
  const base = flatten(baseState(width), width);
  const seen = new Set<string>();
  return seriesOf(form, width).flatMap(({ group, variation, cases }) =>
    Array.from({ length: cases }, (_, i) => i).flatMap((index): Pending[] => {
      const input = drawInput(form, width, index, variation);
      if (!input) return [];
      const state = difference(base, flatten(input.state, width));
      const stored = compact<StoredInput>({ state, mem: input.mem });
      const text = JSON.stringify([group, stored]);
      if (seen.has(text)) return [];
      seen.add(text);
      const { bytes: code } = form;
      return [{ group, form, stored, run: { code, ...expandInput(stored, width), steps: 1 } }];
    }),
  );
}

/** Without the parts that say nothing. */
function compact<T extends object>(parts: T): T {
  const some = Object.entries(parts).filter(
    ([, part]) => part !== undefined && (typeof part !== 'object' || Object.keys(part).length > 0),
  );
  return Object.fromEntries(some) as T;
}

/** Runs of changed bytes; what `ignoredRanges` names is as before. */
function changes(
  before: readonly MemoryWindow[],
  after: readonly MemoryWindow[],
  ignored: (address: bigint) => boolean,
): (readonly [string, string])[] {
  const runs: { start: bigint; bytes: number[] }[] = [];
  for (const [i, { address, bytes }] of before.entries())
    for (const [offset, byte] of bytes.entries()) {
      const now = after[i]?.bytes[offset] ?? 0;
      const at = address + BigInt(offset);
      if (now === byte || ignored(at)) continue;
      const last = runs.at(-1);
      if (last && last.start + BigInt(last.bytes.length) === at) last.bytes.push(now);
      else runs.push({ start: at, bytes: [now] });
    }
  return runs.map(({ start, bytes }) => [start.toString(16), Buffer.from(bytes).toString('hex')]);
}

function outputOf(
  { form, run, stored }: Pending,
  result: CpuResult,
  width: CpuWidth,
): StoredOutput {
  const ranges = ignoredRanges(form.code, stored.mem);
  const ignored = (at: bigint): boolean =>
    ranges.some(({ address, length }) => at >= address && at < address + BigInt(length));
  const usual = result.exception ? vectorRip : vectorRip + BigInt(form.bytes.length);
  const rip = result.state.rip === usual ? undefined : result.state.rip.toString(16);
  const { vector, errorCode, address } = result.exception ?? {};
  const exception =
    vector === undefined || errorCode === undefined
      ? undefined
      : vector === 14 && address !== undefined
        ? ([vector, errorCode, address.toString(16)] as const)
        : ([vector, errorCode] as const);
  return compact<StoredOutput>({
    state: difference(flatten(run.state, width), flatten(result.state, width)),
    mem: changes(run.memory, result.memory, ignored),
    ...(rip === undefined ? {} : { rip }),
    ...(exception === undefined ? {} : { exception }),
  });
}

async function runAll(oracle: CpuOracle, pending: readonly Pending[]): Promise<StoredOutput[]> {
  const results = await oracle.run(pending.map(({ run }) => run));
  return pending.map((each, i) => {
    const result = results[i];
    if (!result) throw new Error('vectors: a case has no result');
    return outputOf(each, result, oracle.width);
  });
}

async function recordCases(width: CpuWidth, pending: readonly Pending[]): Promise<StoredOutput[]> {
  const oracle = await CpuOracle.start(width);
  try {
    const outputs = await runAll(oracle, pending);
    const again = (await runAll(oracle, pending.toReversed())).toReversed();
    for (const [i, { form, stored }] of pending.entries()) {
      const [once, twice] = [JSON.stringify(outputs[i]), JSON.stringify(again[i])];
      if (once !== twice)
        throw new Error(
          `vectors: ${form.code} (${form.instruction}) is not the same twice: ` +
            `${JSON.stringify(stored)} gives ${once}, then ${twice}`,
        );
    }
    return outputs;
  } finally {
    await oracle.close();
  }
}

function collect(
  pending: readonly Pending[],
  outputs: readonly StoredOutput[],
): Map<string, Map<Form, StoredCase[]>> {
  const groups = new Map<string, Map<Form, StoredCase[]>>();
  for (const [i, { group, form, stored }] of pending.entries()) {
    const ofGroup = groups.get(group) ?? new Map<Form, StoredCase[]>();
    groups.set(group, ofGroup);
    ofGroup.set(form, [...(ofGroup.get(form) ?? []), [stored, outputs[i] ?? {}]]);
  }
  return groups;
}

function line(form: Form, cases: readonly StoredCase[]): string {
  const { mnemonic, code, bytes, instruction } = form;
  const stored: StoredForm = {
    ...{ asm: instruction.toString(), mnemonic, code, bytes: Buffer.from(bytes).toString('hex') },
    cases,
  };
  return JSON.stringify(stored);
}

async function record(width: CpuWidth): Promise<void> {
  const pending = [...forms(width, SEED)].flatMap((form) => draw(form, width));
  const outputs = await recordCases(width, pending);
  const folder = vectorFolder(width);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  const header = JSON.stringify({ cpu: cpuModel(), seed: SEED, width }).slice(0, -1);
  for (const [group, ofGroup] of collect(pending, outputs)) {
    const lines = [...ofGroup].map(([form, cases]) => line(form, cases));
    writeFileSync(join(folder, `${group}.json`), `${header},"forms":[\n${lines.join(',\n')}\n]}\n`);
  }
}

export async function recordVectors(): Promise<void> {
  for (const width of [64, 32] as const) await record(width);
}

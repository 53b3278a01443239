/**
 * The recorded vectors of tests/golden/x86: what one instruction did, on a real CPU, to a given state. A form's code and
 * inputs are drawn from its seed (tests/support/vectors), as they were when they were recorded; the files hold outcomes.
 * `npm run golden` records them (tests/golden/record/vectors.ts).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import {
  type CpuState,
  type CpuWidth,
  type Exception,
  type MemoryWindow,
  projectRoot,
} from './cpu-oracle.ts';
import { undefinedFlags } from './undefined-flags.ts';
import { type CodePlan, codePlans } from './vectors/codes.ts';
import { drawForm, type Form, seedOf } from './vectors/forms.ts';
import { type Input, inputsOf } from './vectors/inputs.ts';
import { Source, unpackOutcome } from './vectors/pack.ts';
import {
  expandMemory,
  flatten,
  ignoredRanges,
  type MemoryRange,
  registerNames,
  unflatten,
} from './vectors/state.ts';

export interface VectorCase {
  readonly input: { readonly state: CpuState; readonly memory: readonly MemoryWindow[] };
  readonly expected: {
    readonly state: CpuState;
    /** The input's windows, after. */
    readonly memory: readonly MemoryWindow[];
    readonly exception?: Exception;
    /** Bytes of memory that say nothing: the x87's last instruction and operand, reserved bytes. */
    readonly ignored: readonly MemoryRange[];
    /** Bits of EFLAGS that the manual leaves undefined. */
    readonly undefinedFlags: bigint;
  };
}

/** One instruction: these bytes, at `rip`. */
export interface VectorForm {
  /** The file's name without its ending, such as `arithmetic` or `sse2`. */
  readonly group: string;
  readonly width: CpuWidth;
  readonly asm: string;
  /** iced-x86's names, such as `Adc` and `Adc_rm32_r32`. */
  readonly mnemonic: string;
  readonly code: string;
  readonly bytes: Uint8Array;
  readonly rip: bigint;
  cases(): readonly VectorCase[];
}

export const vectorFolder = (width: CpuWidth): string =>
  join(projectRoot(), 'tests/golden/x86', String(width));

/** How much was recorded: one line of tests/golden/x86/WIDTH/index.txt an opcode. */
export interface VectorCount {
  readonly width: CpuWidth;
  readonly group: string;
  readonly mnemonic: string;
  /** Of the first operand, in bits; 0 where the opcode's name has none. */
  readonly operandWidth: number;
  readonly code: string;
  readonly forms: number;
  readonly cases: number;
}

const indexLines = (width: CpuWidth): string[] =>
  readFileSync(join(vectorFolder(width), 'index.txt'), 'utf8')
    .trimEnd()
    .split('\n');

/** What was recorded, by opcode, in both modes. */
export function vectorCounts(): VectorCount[] {
  return ([64, 32] as const).flatMap((width) =>
    indexLines(width)
      .filter((line) => !line.startsWith('#'))
      .map((line) => {
        const [group = '', mnemonic = '', bits, code = '', forms, cases] = line.split(' ');
        const numbers = {
          operandWidth: Number(bits),
          forms: Number(forms),
          cases: Number(cases),
        };
        return { width, group, mnemonic, code, ...numbers };
      }),
  );
}

/** The CPU that recorded a mode's vectors, as `cpuModel` names it. */
export const recordedCpu = (width: CpuWidth): string =>
  (indexLines(width)[0] ?? '').replace(/^# /, '');

export const groupsOf = (width: CpuWidth): readonly string[] =>
  [...new Set(codePlans(width).map(({ group }) => group))].sort();

/** The inputs of a form, with the numbers of their cases. */
export function drawnInputs(form: Form): Input[] {
  const draw = inputsOf(form);
  return Array.from({ length: form.cases }, (_, i) => i).flatMap((i) => draw(i) ?? []);
}

/** FNV-1a of a form's code and inputs, to 16 bits: whether they are still those that were recorded. */
export function inputsDigest(form: Form, inputs: readonly Input[]): number {
  let hash = 0x811c9dc5;
  const mix = (value: number): void => {
    hash = Math.imul(hash ^ value, 0x01000193);
  };
  for (const byte of form.bytes) mix(byte);
  for (const { state, mem } of inputs) {
    for (const value of state.regs) mix(Number(value & 0xffff_ffffn));
    for (const value of state.xmm) mix(Number(value & 0xffff_ffffn));
    for (const value of state.fpu.registers) mix(Number(value & 0xffff_ffffn));
    mix(Number(state.rflags));
    mix(state.fpu.control ^ (state.fpu.status << 16));
    mix(state.mxcsr ^ (state.fpu.tag << 16));
    for (const [address, content] of mem)
      for (const character of `${address} ${content}`) mix(character.charCodeAt(0));
  }
  return (hash ^ (hash >>> 16)) & 0xffff;
}

function patched(
  windows: readonly MemoryWindow[],
  patches: readonly MemoryWindow[],
): MemoryWindow[] {
  const after = windows.map(({ address, bytes }) => ({ address, bytes: bytes.slice() }));
  for (const { address, bytes } of patches)
    for (const { address: start, bytes: into } of after)
      if (address >= start && address < start + BigInt(into.length))
        into.set(bytes, Number(address - start));
  return after;
}

function expandCase(form: Form, { state, mem }: Input, source: Source): VectorCase {
  const { width } = form.plan;
  const input = { state, memory: expandMemory(mem) };
  const before = flatten(state, width);
  const { places, memory, rip, exception } = unpackOutcome(source, before, {
    general: registerNames[width],
  });
  const usual = exception ? form.rip : form.rip + BigInt(form.bytes.length);
  const after = new Map([...before, ...places]);
  const expected = {
    state: unflatten(after, rip ?? usual, width),
    memory: patched(input.memory, memory),
    ignored: ignoredRanges(form.code, mem, exception?.vector),
    undefinedFlags: exception ? 0n : undefinedFlags(form.mnemonic, form.instruction, state),
  };
  return { input, expected: exception ? { ...expected, exception } : expected };
}

/** A form's record: the digest of its inputs, then the outcomes of its cases. */
function expandCases(form: Form, record: Uint8Array): VectorCase[] {
  const source = new Source(record);
  const inputs = drawnInputs(form);
  if (source.u16() !== inputsDigest(form, inputs))
    throw new Error(
      `vectors: ${form.code} was recorded with other inputs; record all again: npm run golden vectors`,
    );
  const cases = inputs.map((input) => expandCase(form, input, source));
  if (!source.isAtEnd) throw new Error(`vectors: ${form.code} has more outcomes than inputs`);
  return cases;
}

/** Which of the forms of an opcode are asked for, by their numbers. */
export type Choice = (plan: CodePlan, variant: number) => boolean;

/** Chooses a form of so many, by a seed; of each opcode at least one. */
export function sampled(seed: number, oneOf: number): Choice {
  return ({ name, variation, variants }, variant) => {
    const hash = seedOf(`${seed} ${name} ${variation}`);
    return (hash + variant) % Math.min(oneOf, variants) === 0;
  };
}

/** All forms of a width, or those of the groups named, or those chosen, in the order of their files. */
export function* forms(
  width: CpuWidth,
  groups: readonly string[] = groupsOf(width),
  choose: Choice = () => true,
): Generator<VectorForm> {
  const plans = codePlans(width);
  for (const group of groups) {
    const file = readFileSync(join(vectorFolder(width), `${group}.br`));
    const source = new Source(brotliDecompressSync(file));
    let index = 0;
    for (const plan of plans.filter((each) => each.group === group))
      for (let variant = 0; variant < plan.variants; variant++, index++) {
        const record = source.take(source.varint());
        if (record.length === 0 || !choose(plan, variant)) continue;
        const form = drawForm(plan, variant, index);
        if (form === undefined)
          throw new Error(`vectors: ${plan.name} ${variant} cannot be drawn again`);
        yield vectorForm(form, record);
      }
  }
}

function vectorForm(form: Form, record: Uint8Array): VectorForm {
  const { group, mnemonic, code, bytes, rip, plan } = form;
  return {
    ...{ group, mnemonic, code, bytes, rip, width: plan.width },
    asm: form.instruction.toString(),
    cases: () => expandCases(form, record),
  };
}

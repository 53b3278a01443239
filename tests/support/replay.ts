/** Replays recorded vectors through whatever executes one instruction, and says how the outcome differs. */
import type { Mode } from '../../runtime/x86/registers.ts';
import type { CpuState, Exception, MemoryWindow } from './cpu-oracle.ts';
import { baseState, flatten, type MemoryRange } from './vectors/state.ts';
import type { VectorCase, VectorForm } from './vectors.ts';

export interface Executed {
  readonly state: CpuState;
  /** The windows given, after. */
  readonly memory: readonly MemoryWindow[];
  readonly exception?: Exception | undefined;
  /** Bits of EFLAGS that the instruction's row leaves undefined; none where it is not the row that runs. */
  readonly undefinedFlags: bigint;
}

/** Executes the instruction `code`, which lies at `state.rip`. */
export type Executor = (
  mode: Mode,
  code: Uint8Array,
  state: CpuState,
  memory: readonly MemoryWindow[],
) => Executed;

/** Whether two values of a place are as equal as the manual promises. */
export type Tolerance = (place: string, expected: bigint, actual: bigint) => boolean;

const exactly: Tolerance = (_, expected, actual) => expected === actual;

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const told = (exception: Exception | undefined): string =>
  exception
    ? `exception ${exception.vector} (error ${exception.errorCode}, address ${hex(exception.address)})`
    : 'no exception';

function registerDifferences(
  expected: CpuState,
  executed: Executed,
  mode: Mode,
  undefinedFlags: bigint,
  tolerance: Tolerance,
): string[] {
  const actual = flatten(executed.state, mode);
  const places = new Map([...flatten(expected, mode), ['rip', expected.rip]]);
  actual.set('rip', executed.state.rip);
  return [...places].flatMap(([place, value]) => {
    const found = actual.get(place) ?? 0n;
    const ignored = place === 'flags' ? undefinedFlags : 0n;
    return tolerance(place, value & ~ignored, found & ~ignored)
      ? []
      : [`${place} ${hex(found)}, not ${hex(value)}`];
  });
}

const isWithin = (at: bigint, ranges: readonly MemoryRange[]): boolean =>
  ranges.some(({ address, length }) => at >= address && at < address + BigInt(length));

/** Where the CPU faulted at a byte that says nothing, the same fault anywhere in the operand is as good. */
function exceptionDifferences(
  { exception, ignored }: VectorCase['expected'],
  executed: Exception | undefined,
): string[] {
  const anywhere =
    exception !== undefined && executed !== undefined && isWithin(exception.address, ignored);
  const wanted = told(anywhere ? { ...exception, address: executed.address } : exception);
  const raised = told(executed);
  return raised === wanted ? [] : [`${raised}, not ${wanted}`];
}

function memoryDifferences(
  expected: readonly MemoryWindow[],
  actual: readonly MemoryWindow[],
  ignored: readonly MemoryRange[],
): string[] {
  return expected.flatMap(({ address, bytes }, i) =>
    [...bytes].flatMap((byte, offset) => {
      const at = address + BigInt(offset);
      const found = actual[i]?.bytes[offset] ?? -1;
      return found === byte || isWithin(at, ignored)
        ? []
        : [`[${hex(at)}] ${hex(found)}, not ${hex(byte)}`];
    }),
  );
}

/** What a row calls undefined must be so by the manual. */
function undeclaredFlags({ undefinedFlags }: VectorCase['expected'], executed: Executed): string[] {
  const undeclared = executed.undefinedFlags & ~undefinedFlags;
  return undeclared === 0n
    ? []
    : [`flags ${hex(undeclared)} undefined, which are not by the manual`];
}

/** What is wrong with an outcome, in words; nothing where all is well. */
export function differences(
  { expected }: VectorCase,
  executed: Executed,
  mode: Mode,
  tolerance: Tolerance = exactly,
): string[] {
  return [
    ...exceptionDifferences(expected, executed.exception),
    ...registerDifferences(expected.state, executed, mode, expected.undefinedFlags, tolerance),
    ...undeclaredFlags(expected, executed),
    ...memoryDifferences(expected.memory, executed.memory, expected.ignored),
  ];
}

/** A case as a reader needs it: what ran, from what, and what came out wrong. */
export function caseText(form: VectorForm, each: VectorCase, wrong: readonly string[]): string {
  const { width, asm, mnemonic, code, bytes, rip } = form;
  const { state, memory } = each.input;
  const base = flatten(baseState(width), width);
  const given = [...flatten(state, width)]
    .filter(([name, value]) => base.get(name) !== value)
    .map(([name, value]) => `${name}=${value.toString(16)}`);
  const windows = memory.map(
    (window) => `[${window.address.toString(16)}]=${Buffer.from(window.bytes).toString('hex')}`,
  );
  const encoded = Buffer.from(bytes).toString('hex');
  return [
    `${width}-bit ${mnemonic}: ${asm} (${encoded} at ${rip.toString(16)}, ${code})`,
    `  from ${[...given, ...windows].join(' ')}`,
    `  ${wrong.join('; ')}`,
  ].join('\n');
}

/** The first wrong case of a form as text that names it, or undefined. */
export function replayForm(
  form: VectorForm,
  execute: Executor,
  tolerance: Tolerance = exactly,
): string | undefined {
  for (const each of form.cases()) {
    const wrong = attempt(form, each, execute, tolerance);
    if (wrong.length > 0) return caseText(form, each, wrong);
  }
  return undefined;
}

function attempt(
  form: VectorForm,
  each: VectorCase,
  execute: Executor,
  tolerance: Tolerance,
): string[] {
  const { state, memory } = each.input;
  try {
    const executed = execute(form.width, form.bytes, state, memory);
    return differences(each, executed, form.width, tolerance);
  } catch (error) {
    return [String(error)];
  }
}

/** Replays recorded vectors through whatever executes one instruction, and says how the outcome differs. */
import type { Mode } from '../../runtime/x86/registers.ts';
import type { CpuState, Exception, MemoryWindow } from './cpu-oracle.ts';
import { flatten, type MemoryRange, type VectorCase, type VectorForm } from './vectors.ts';

export interface Executed {
  readonly state: CpuState;
  /** The windows given, after. */
  readonly memory: readonly MemoryWindow[];
  readonly exception?: Exception | undefined;
  /** Bits of EFLAGS that the manual leaves undefined. */
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
  tolerance: Tolerance,
): string[] {
  const actual = flatten(executed.state, mode);
  const places = new Map([...flatten(expected, mode), ['rip', expected.rip]]);
  actual.set('rip', executed.state.rip);
  return [...places].flatMap(([place, value]) => {
    const found = actual.get(place) ?? 0n;
    const ignored = place === 'flags' ? executed.undefinedFlags : 0n;
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

/** What is wrong with an outcome, in words; nothing where all is well. */
export function differences(
  { expected }: VectorCase,
  executed: Executed,
  mode: Mode,
  tolerance: Tolerance = exactly,
): string[] {
  return [
    ...exceptionDifferences(expected, executed.exception),
    ...registerDifferences(expected.state, executed, mode, tolerance),
    ...memoryDifferences(expected.memory, executed.memory, expected.ignored),
  ];
}

/** `some` takes part of a form's cases, where all would take too long. */
export interface ReplayOptions {
  readonly tolerance?: Tolerance;
  readonly some?: (cases: readonly VectorCase[]) => readonly VectorCase[];
}

/** The first wrong case of a form as one line that names it, or undefined. */
export function replayForm(
  form: VectorForm,
  execute: Executor,
  { tolerance = exactly, some = (cases) => cases }: ReplayOptions = {},
): string | undefined {
  const bytes = Buffer.from(form.bytes).toString('hex');
  const name = `${form.width}-bit ${form.asm} (${bytes}, ${form.code})`;
  const cases = form.cases();
  for (const each of some(cases)) {
    const wrong = attempt(form, each, execute, tolerance);
    if (wrong.length > 0) return `${name} case ${cases.indexOf(each)}: ${wrong.join('; ')}`;
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

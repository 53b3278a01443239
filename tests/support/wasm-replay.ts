/**
 * Replays recorded vectors in Wasm, many instructions a module. Where Wasm leaves an instruction to the evaluator, that
 * goes on from the state that Wasm left behind, so that one is checked, too.
 */
import type { Mode } from '../../runtime/x86/registers.ts';
import { hasSemantics } from '../../runtime/x86/translate.ts';
import { evaluate } from './evaluator.ts';
import { caseText, differences, type Executed, type Tolerance } from './replay.ts';
import { tolerances } from './tolerances.ts';
import { forms, sampled, type VectorCase, type VectorForm } from './vectors.ts';
import { type Emitters, WasmExecutor, type WasmOptions } from './wasm-executor.ts';

export interface Replay {
  readonly width: Mode;
  readonly group: string;
  readonly seed: number;
  readonly oneOf: number;
  readonly emitters: Emitters;
}

/** Each case runs in both. */
const shapes = ['resumable', 'fast'] as const;

export interface Replayed {
  /** The first wrong case of each form. */
  readonly wrong: readonly string[];
  readonly cases: number;
  /** Cases that Wasm left to the evaluator. */
  readonly left: number;
}

/** Instructions of one module. */
const mostForms = 256;

/**
 * Loads between the regions read zeros, since only the ends of the one run bound them; the page flags that stores look
 * at are not asked. A jump to itself would go on for ever where the recording took one step.
 */
function isSeenByWasm({ input, expected: { exception, state } }: VectorCase): boolean {
  if (exception === undefined) return state.rip !== input.state.rip;
  return (
    exception.vector !== 14 || (exception.errorCode & 2) !== 0 || exception.address >= 0x3000_4000n
  );
}

/** Wasm's own floats know no MXCSR: where it is not as at reset, or tells by #XM, exact ones are asked for. */
const needsExactFloats = ({ input, expected }: VectorCase): boolean =>
  (input.state.mxcsr & 0xffc0) !== 0x1f80 || expected.exception?.vector === 19;

/** Sticky flags, which fast floats do not set. */
const stickyFlags = 0x3fn;

const withoutStickyFlags =
  (tolerance: Tolerance): Tolerance =>
  (place, expected, actual) =>
    place === 'mxcsr'
      ? (expected | stickyFlags) === (actual | stickyFlags)
      : tolerance(place, expected, actual);

const exactly: Tolerance = (_, expected, actual) => expected === actual;

/** As many forms in a row as have places of their own. */
function* batches(all: Iterable<VectorForm>): Generator<VectorForm[]> {
  let batch: VectorForm[] = [];
  const places = new Set<bigint>();
  for (const form of all) {
    if (places.has(form.rip) || batch.length === mostForms) {
      yield batch;
      batch = [];
      places.clear();
    }
    places.add(form.rip);
    batch.push(form);
  }
  if (batch.length > 0) yield batch;
}

const hasRow = ({ mnemonic, code }: VectorForm): boolean =>
  hasSemantics({ mnemonic: mnemonic.toUpperCase(), code });

export function replayInWasm({ width, group, seed, oneOf, emitters }: Replay): Replayed {
  const executors = shapes.map((form) => new Executors(width, { emitters, form }));
  const all = { wrong: [] as string[], cases: 0, left: 0 };
  const chosen = [...forms(width, [group], sampled(seed, oneOf))].filter(hasRow);
  for (const batch of batches(chosen)) {
    const prepared = batch.map((form) => ({ form, cases: form.cases().filter(isSeenByWasm) }));
    for (const each of executors) {
      each.load(prepared);
      for (const { form, cases } of prepared) {
        const { wrong, ran, left } = replayCases(form, cases, each);
        all.cases += ran;
        all.left += left;
        if (wrong !== undefined) all.wrong.push(`${each.name}: ${wrong}`);
      }
    }
  }
  return all;
}

interface Prepared {
  readonly form: VectorForm;
  readonly cases: readonly VectorCase[];
}

/** With fast and with exact floats; the second is made when a case needs it. */
class Executors {
  readonly name: string;
  readonly #width: Mode;
  readonly #options: WasmOptions;
  readonly #fast: WasmExecutor;
  #exact: WasmExecutor | undefined;

  constructor(width: Mode, options: WasmOptions) {
    this.name = options.form ?? '';
    this.#width = width;
    this.#options = options;
    this.#fast = new WasmExecutor(width, options);
  }

  load(prepared: readonly Prepared[]): void {
    this.#fast.load(prepared.map(({ form }) => form));
    const exactly = prepared.filter(({ cases }) => cases.some(needsExactFloats));
    if (exactly.length === 0) return;
    this.#exact ??= new WasmExecutor(this.#width, { ...this.#options, exactFloats: true });
    this.#exact.load(exactly.map(({ form }) => form));
  }

  of(each: VectorCase): WasmExecutor {
    if (!needsExactFloats(each)) return this.#fast;
    if (this.#exact === undefined) throw new TypeError('nothing is loaded for exact floats');
    return this.#exact;
  }
}

function replayCases(
  form: VectorForm,
  cases: readonly VectorCase[],
  executors: Executors,
): { wrong?: string; ran: number; left: number } {
  let left = 0;
  for (const [i, each] of cases.entries()) {
    const outcome = attempt(form, each, executors.of(each));
    if (outcome.left) left++;
    if (outcome.wrong.length > 0)
      return { wrong: caseText(form, each, outcome.wrong), ran: i + 1, left };
  }
  return { ran: cases.length, left };
}

function attempt(
  form: VectorForm,
  each: VectorCase,
  executor: WasmExecutor,
): { wrong: string[]; left: boolean } {
  const tolerance = tolerances[form.group] ?? exactly;
  const obeysMxcsr = needsExactFloats(each) || /^(Ldmxcsr|Fxrstor)/.test(form.code);
  try {
    const { executed, left } = finish(form, each, executor);
    return {
      wrong: differences(
        each,
        { ...executed, undefinedFlags: 0n },
        form.width,
        obeysMxcsr ? tolerance : withoutStickyFlags(tolerance),
      ),
      left,
    };
  } catch (error) {
    return { wrong: [String(error)], left: false };
  }
}

function finish(
  { width, bytes }: VectorForm,
  { input }: VectorCase,
  executor: WasmExecutor,
): { executed: Executed; left: boolean } {
  const executed = executor.run(input.state, input.memory);
  if (!executed.left) return { executed, left: false };
  return { executed: evaluate(width, bytes, executed.state, executed.memory), left: true };
}

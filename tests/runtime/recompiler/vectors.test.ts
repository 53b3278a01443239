/** Every recorded instruction through recompiled code: what the evaluator does, Wasm does, too. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluate } from '../../support/evaluator.ts';
import { type Executor, replayForm } from '../../support/replay.ts';
import { tolerances } from '../../support/tolerances.ts';
import { forms, groupsOf, type VectorCase } from '../../support/vectors.ts';
import { binaryenEmitters, byteEmitters, WasmExecutor } from '../../support/wasm-executor.ts';

const test = suite('runtime/recompiler/vectors');
const shown = Number(process.env['SHOWN'] ?? 20);

/**
 * A jump to itself would go on for ever where the recording took one step. Loads between the oracle's regions do not fault in the executor's one run, and Wasm's fast floats know no MXCSR: these
 * cases are the evaluator's alone.
 */
const isForWasm = ({ input, expected }: VectorCase): boolean =>
  !(expected.exception === undefined && expected.state.rip === input.state.rip) &&
  expected.exception?.vector !== 14 &&
  (input.state.mxcsr & 0xffc0) === 0x1f80 &&
  expected.exception?.vector !== 19;

/** Both emitters in the full tier; the short one takes that of run time, and a few groups of binaryen's. */
const isFull = process.env['STUBDOM_TEST_TIER'] === 'full';
const sample = ['arithmetic', 'shift', 'string', 'sse2', 'ssse3', 'sse4.1', 'fpu'];
const runs = ([64, 32] as const).flatMap((width) =>
  groupsOf(width).flatMap((group) => [
    { width, group, emitter: 'bytes' },
    ...(isFull || sample.includes(group) ? [{ width, group, emitter: 'binaryen' }] : []),
  ]),
);

for (const { width, group, emitter } of runs)
  test(`${width}: ${group} does in Wasm (${emitter}) what the recorded CPU did`, async () => {
    const emitters = emitter === 'bytes' ? byteEmitters : await binaryenEmitters();
    const wasm = new WasmExecutor(width, emitters);
    const tolerance = tolerances[group];
    const execute: Executor = (mode, code, state, memory) => {
      const executed = wasm.execute(code, state, memory);
      const { undefinedFlags, state: reference } = evaluate(mode, code, state, memory);
      // The sticky flags of MXCSR are the evaluator's, too.
      return {
        ...executed,
        undefinedFlags,
        state: { ...executed.state, mxcsr: reference.mxcsr },
      };
    };
    const some = (cases: readonly VectorCase[]): readonly VectorCase[] => cases.filter(isForWasm);
    const options = tolerance === undefined ? { some } : { tolerance, some };

    const wrong = [...forms(width, [group])].flatMap(
      (form) => replayForm(form, execute, options) ?? [],
    );

    assert.is(
      wrong.length,
      0,
      `${wrong.length} forms differ:\n${wrong.slice(0, shown).join('\n')}`,
    );
  });

test.run();

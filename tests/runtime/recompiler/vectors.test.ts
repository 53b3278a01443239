/** Every recorded instruction through recompiled code: what the evaluator does, Wasm does, too. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadBinaryen } from '../../../runtime/recompiler/binaryen-emitter.ts';
import { evaluate } from '../../support/evaluator.ts';
import { type Executor, replayForm } from '../../support/replay.ts';
import { tolerances } from '../../support/tolerances.ts';
import { forms, groupsOf, type VectorCase } from '../../support/vectors.ts';
import { WasmExecutor } from '../../support/wasm-executor.ts';

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

for (const width of [64, 32] as const)
  for (const group of groupsOf(width))
    test(`${width}: ${group} does in Wasm what the recorded CPU did`, async () => {
      const wasm = new WasmExecutor(width, await loadBinaryen());
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

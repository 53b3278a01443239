/** Every recorded instruction through the reference evaluator, and every row of the instruction tables has a record. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instructions } from '../../../runtime/x86/instructions/index.ts';
import { rowName } from '../../../runtime/x86/translate.ts';
import { evaluate } from '../../support/evaluator.ts';
import { handTested } from '../../support/instruction-set.ts';
import { replayForm } from '../../support/replay.ts';
import { tolerances } from '../../support/tolerances.ts';
import { forms, groupsOf } from '../../support/vectors.ts';

const test = suite('runtime/x86/instructions');

const SHOWN = 20;

for (const width of [64, 32] as const)
  for (const group of groupsOf(width))
    test(`${width}: ${group} does what the recorded CPU did`, () => {
      const tolerance = tolerances[group];
      const options = tolerance === undefined ? {} : { tolerance };

      const wrong = [...forms(width, [group])].flatMap(
        (form) => replayForm(form, evaluate, options) ?? [],
      );

      const shown = wrong.slice(0, SHOWN).join('\n');
      assert.is(wrong.length, 0, `${wrong.length} forms differ:\n${shown}`);
    });

test('every row has a vector, or a test by hand', () => {
  const recorded = new Set<string>();
  for (const width of [64, 32] as const)
    for (const { mnemonic, code } of forms(width))
      recorded.add(rowName({ mnemonic: mnemonic.toUpperCase(), code }));

  const missing = [...instructions.keys()].filter((name) => !recorded.has(name));

  assert.equal(missing.sort(), Object.keys(handTested).sort());
});

test.run();

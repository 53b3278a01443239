/** Every recorded instruction through the reference evaluator, and every row of the instruction tables has a record. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { instructions } from '../../../runtime/x86/instructions/index.ts';
import { hasSemantics, rowName } from '../../../runtime/x86/translate.ts';
import { evaluate } from '../../support/evaluator.ts';
import { handTested } from '../../support/instruction-set.ts';
import { freshSeed } from '../../support/random.ts';
import { replayForm } from '../../support/replay.ts';
import { tolerances } from '../../support/tolerances.ts';
import { forms, groupsOf, sampled, vectorCounts } from '../../support/vectors.ts';

const test = suite('runtime/x86/instructions');

const hasRow = ({ mnemonic, code }: { mnemonic: string; code: string }): boolean =>
  hasSemantics({ mnemonic: mnemonic.toUpperCase(), code });

/** The full tier replays all, the short one a part of each opcode's forms. */
const isFull = process.env['STUBDOM_TEST_TIER'] === 'full';
const seed = Number(process.env['SEED'] ?? freshSeed());
const oneOf = isFull ? 1 : 16;
const shown = Number(process.env['SHOWN'] ?? 20);

process.stdout.write(`vectors: one form of ${oneOf}, SEED=${seed}\n`);

for (const width of [64, 32] as const)
  for (const group of groupsOf(width))
    test(`${width}: ${group} does what the recorded CPU did`, () => {
      const some = sampled(seed, oneOf);

      const wrong = [...forms(width, [group], some)]
        .filter(hasRow)
        .flatMap((form) => replayForm(form, evaluate, tolerances[group]) ?? []);

      const lines = wrong.slice(0, shown).join('\n');
      assert.is(wrong.length, 0, `SEED=${seed}: ${wrong.length} forms differ:\n${lines}`);
    });

test('every recorded instruction has a row', () => {
  const missing = new Set(vectorCounts().flatMap((each) => (hasRow(each) ? [] : [each.code])));

  assert.equal([...missing], []);
});

test('every row has a vector, or a test by hand', () => {
  const recorded = new Set<string>();
  for (const { mnemonic, code } of vectorCounts())
    recorded.add(rowName({ mnemonic: mnemonic.toUpperCase(), code }));

  const missing = [...instructions.keys()].filter(
    (name) => !recorded.has(name) && !(name in handTested),
  );

  assert.equal(missing, []);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Recipes } from '../../../runtime/recompiler/recipes.ts';
import { addRule, subRule } from '../../../runtime/x86/instructions/flag-rules.ts';
import { flagRuleNamed } from '../../../runtime/x86/instructions/rules.ts';

const test = suite('runtime/recompiler/recipes');

test('a rule has one number for each list of widths, and 0 is none', () => {
  const recipes = new Recipes();

  const numbers = [
    recipes.numberOf(addRule, [32, 32]),
    recipes.numberOf(addRule, [8, 8]),
    recipes.numberOf(subRule, [32, 32]),
    recipes.numberOf(addRule, [32, 32]),
  ];

  assert.equal(numbers, [1, 2, 3, 1]);
  assert.is(recipes.recipe(0), undefined);
  assert.equal(recipes.recipe(2), { rule: addRule, widths: [8, 8] });
});

test('kept names give the same numbers again', () => {
  const recipes = new Recipes();
  recipes.numberOf(subRule, [64, 64]);
  recipes.numberOf(addRule, [16, 16]);
  const restored = new Recipes();

  assert.ok(restored.restore(recipes.names(), flagRuleNamed));

  assert.equal(restored.recipe(1), { rule: subRule, widths: [64, 64] });
  assert.is(restored.numberOf(addRule, [16, 16]), 2);
});

test('a name that no rule has is refused', () => {
  assert.not(new Recipes().restore(['no-such-rule 8'], flagRuleNamed));
});

test.run();

/** Every recipe's flags, computed in Wasm, are those that the evaluator computes. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { flagBits } from '../../../runtime/ir/builder.ts';
import { evaluateFlagRule } from '../../../runtime/ir/evaluate.ts';
import { flagNames, type Width } from '../../../runtime/ir/ops.ts';
import { ByteEmitter } from '../../../runtime/recompiler/emit/byte-emitter.ts';
import { buildFlagsModule } from '../../../runtime/recompiler/flags-module.ts';
import { Recipes } from '../../../runtime/recompiler/recipes.ts';
import { flagRuleNamed } from '../../../runtime/x86/instructions/rules.ts';
import { cpuState } from '../../../runtime/x86/state.ts';
import { freshSeed, random } from '../../support/random.ts';

const test = suite('runtime/recompiler/flags-module');

const state = 0x1000;
const fallback = 0x1234;
const widths: readonly Width[] = [8, 16, 32, 64];
const edges = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fff_ffffn,
  0x8000_0000n,
  (1n << 63n) - 1n,
  1n << 63n,
];

const layout = {
  mode: 64,
  state,
  pageFlags: 0,
  codeMap: 0,
  run: { lo: 0n, host: 0 },
} as const;

test('rules of arithmetic, at every width, give the same bits as the evaluator', () => {
  const recipes = new Recipes();
  for (const name of ['add', 'sub', 'logic', 'imul'])
    for (const width of widths) {
      const rule = flagRuleNamed(name);
      if (rule === undefined) throw new TypeError(`no flag rule ${name}`);
      recipes.numberOf(
        rule,
        Array.from({ length: rule.flags.length || 2 }, () => width),
      );
    }
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = buildFlagsModule(new ByteEmitter(1), layout, recipes);
  const { allFlags } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    machine: { memory, flags: () => fallback },
  }).exports;
  if (typeof allFlags !== 'function') throw new TypeError('no function of flags');
  const view = new DataView(memory.buffer, state);
  const seed = freshSeed();
  const next = random(seed);
  let compared = 0;

  for (let number = 1; number < recipes.count; number++) {
    const recipe = recipes.recipe(number);
    if (recipe === undefined) continue;
    for (let i = 0; i < 200; i++) {
      const inputs = recipe.widths.map((width) => {
        const drawn = next.bigint64();
        const value = next.below(3) === 0 ? (edges[next.below(edges.length)] ?? 0n) : drawn;
        return { width, value: BigInt.asUintN(width, value) };
      });
      view.setUint32(cpuState.flagRecipe, number, true);
      inputs.forEach(({ value }, slot) => {
        view.setBigUint64(cpuState.flagInput0 + 8 * slot, value, true);
      });
      const flags = evaluateFlagRule(recipe.rule, inputs);
      const expected = flagNames.reduce(
        (packed, name) => packed | (flags[name] === true ? 1 << flagBits[name] : 0),
        0,
      );
      const mask = flagNames.reduce(
        (packed, name) => packed | (flags[name] === undefined ? 0 : 1 << flagBits[name]),
        0,
      );
      assert.is(
        Number(allFlags()) & mask,
        expected,
        `seed ${seed}: ${recipe.rule.name} of ${inputs.map(({ value }) => value).join(', ')}`,
      );
      compared++;
    }
  }
  assert.ok(compared > 1000);
});

test('flags that are there already are given back, and what came later is asked of the host', () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const bytes = buildFlagsModule(new ByteEmitter(1), layout, new Recipes());
  const { allFlags } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    machine: { memory, flags: () => fallback },
  }).exports;
  if (typeof allFlags !== 'function') throw new TypeError('no function of flags');
  const view = new DataView(memory.buffer, state);

  view.setUint32(cpuState.flagInput0, 0x8d5, true);
  assert.is(allFlags(), 0x8d5);
  view.setUint32(cpuState.flagRecipe, 1, true);
  assert.is(allFlags(), fallback);
});

test.run();

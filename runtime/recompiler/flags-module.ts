/**
 * A module that computes the arithmetic flags from what the state block keeps of them: a case a recipe, from the same rules
 * as everywhere. Code that is entered where flags live asks it; the host knows the recipes that came later.
 */
import * as v from '../ir/build.ts';
import { flagBits } from '../ir/builder.ts';
import { flagNames } from '../ir/ops.ts';
import type { Value } from '../ir/value.ts';
import { cpuState } from '../x86/state.ts';
import { loadOps } from './carrier.ts';
import type { Emitter, Expression, WasmType } from './emit/emitter.ts';
import type { Layout } from './layout.ts';
import { rules } from './lower/lower.ts';
import { floatRules } from './lower/lower-float.ts';
import { Values } from './lower/values.ts';
import type { Recipe, Recipes } from './recipes.ts';
import { SharedFunctions } from './shared-functions.ts';

export function buildFlagsModule(e: Emitter, layout: Layout, recipes: Recipes): Uint8Array {
  e.importFunction('flags', [], ['i32']);
  const locals: WasmType[] = [];
  const shared = new SharedFunctions(e);
  const state = (offset: number): Expression => e.load('i32.load', layout.state + offset, e.i32(0));
  const cases = [[e.return(state(cpuState.flagInput0))]];
  for (let number = 1; number < recipes.count; number++) {
    const recipe = recipes.recipe(number);
    if (recipe !== undefined) cases.push(writeCase({ e, layout, shared, locals }, recipe));
  }
  const labels = cases.map((_, i) => `c${i}`);
  const table = e.branchTable(labels, 'later', state(cpuState.flagRecipe));
  let body: Expression[] = [e.block('later', [table]), e.return(e.call('flags', [], 'i32'))];
  cases.forEach((code, i) => {
    body = [e.block(`c${i}`, body), ...code];
  });
  e.addFunction('allFlags', [], ['i32'], locals, e.block(undefined, [...body, e.unreachable()]));
  shared.write();
  e.exportFunction('allFlags');
  return e.finish();
}

interface FlagsFunction {
  readonly e: Emitter;
  readonly layout: Layout;
  readonly shared: SharedFunctions;
  readonly locals: WasmType[];
}

/** Returns the flags of a recipe as EFLAGS holds them. */
function writeCase(
  { e, layout, shared, locals }: FlagsFunction,
  { rule, widths }: Recipe,
): Expression[] {
  const statements: Expression[] = [];
  const refuse = ({ op }: Value): never => {
    throw new TypeError(`flag rule ${rule.name} reads ${op}`);
  };
  const values = new Values(
    {
      emitter: e,
      local: (type) => locals.push(type) - 1,
      statement: (expression) => statements.push(expression),
      register: refuse,
      half: () => undefined,
      flag: refuse,
      loadCpu: (value) =>
        e.load(
          loadOps[value.width],
          layout.state,
          e.i32(Number(v.constantOf(value.args[0] ?? value))),
        ),
      subroutine: (subroutine) => shared.subroutine(subroutine),
      support: (name) => shared.support(name),
    },
    { rules, floatRules },
  );
  const inputs = widths.map((width, i) =>
    v.node('loadCpu', width, [v.constant(32, cpuState.flagInput0 + 8 * i)]),
  );
  const flags = rule.flags(...inputs);
  let packed = v.constant(32, 0);
  for (const name of flagNames) {
    const flag = flags[name];
    if (flag !== undefined) packed = v.or(v.shiftLeft(v.resize(flag, 32), flagBits[name]), packed);
  }
  values.count(packed);
  const result = values.emit(packed);
  return [...statements, e.return(result)];
}

/**
 * Numbers for lazy flags. What set the flags last is kept as a recipe number and at most three inputs; only who asks
 * computes the flags. A module carries its list of recipes by name, since numbers are given as modules are made.
 */
import type { Width } from '../ir/ops.ts';
import type { FlagRule } from '../ir/value.ts';

export interface Recipe {
  readonly rule: FlagRule;
  readonly widths: readonly Width[];
}

/** The vCPU's recipes: number → rule and widths of the inputs. Number 0: the first input is EFLAGS itself. */
export class Recipes {
  readonly #numbers = new Map<string, number>();
  readonly #recipes: (Recipe | undefined)[] = [undefined];

  numberOf(rule: FlagRule, widths: readonly Width[]): number {
    const key = `${rule.name} ${widths.join(' ')}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#recipes.push({ rule, widths }) - 1;
    this.#numbers.set(key, number);
    return number;
  }

  /** Numbers are below this. */
  get count(): number {
    return this.#recipes.length;
  }

  recipe(number: number): Recipe | undefined {
    return this.#recipes[number];
  }

  /** What a module's custom section keeps: numbers are places in the list, from 1 on. */
  names(): string[] {
    return this.#recipes
      .slice(1)
      .map((r) => (r === undefined ? '' : `${r.rule.name} ${r.widths.join(' ')}`));
  }

  /** Takes a kept list over; only into a fresh object. */
  restore(names: readonly string[], ruleOf: (name: string) => FlagRule | undefined): boolean {
    for (const name of names) {
      const [ruleName = '', ...widths] = name.split(' ');
      const rule = ruleOf(ruleName);
      if (rule === undefined) return false;
      this.numberOf(rule, widths.map(Number) as Width[]);
    }
    return true;
  }
}

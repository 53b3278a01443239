/** Every flag rule by name: how kept translations find them again. */
import { packedFlags } from '../../ir/builder.ts';
import type { FlagRule } from '../../ir/value.ts';
import { bitTestRule, countRule, popcntRule, scanRule } from './bit.ts';
import { andnRule, bextrRule, blsiRule, blsrRule, bzhiRule } from './bmi.ts';
import { asciiRule, digitRule, packedRule } from './decimal.ts';
import { sahfRule } from './flag-control.ts';
import {
  adcRule,
  addRule,
  decRule,
  incRule,
  logicRule,
  negRule,
  sbbRule,
  subRule,
  undefinedRule,
} from './flag-rules.ts';
import { imulRule, mulRule } from './multiply-divide.ts';
import { rclRule, rcrRule, rolRule, rorRule } from './rotate.ts';
import { sarRule, shldRule, shlRule, shrdRule, shrRule } from './shift.ts';
import { floatOrder } from './sse-float.ts';
import { testFlags } from './sse41-integer.ts';
import { stringFlags } from './sse42.ts';
import { fcomiRule } from './x87-comparison.ts';

const rules: readonly FlagRule[] = [
  packedFlags,
  bitTestRule,
  scanRule,
  countRule,
  popcntRule,
  andnRule,
  bextrRule,
  blsiRule,
  blsrRule,
  bzhiRule,
  asciiRule,
  digitRule,
  packedRule,
  sahfRule,
  addRule,
  adcRule,
  subRule,
  sbbRule,
  negRule,
  incRule,
  decRule,
  logicRule,
  undefinedRule,
  mulRule,
  imulRule,
  rolRule,
  rorRule,
  rclRule,
  rcrRule,
  shlRule,
  shrRule,
  sarRule,
  shldRule,
  shrdRule,
  floatOrder,
  testFlags,
  stringFlags,
  fcomiRule,
];

const byName: ReadonlyMap<string, FlagRule> = new Map(rules.map((rule) => [rule.name, rule]));

export const flagRuleNamed = (name: string): FlagRule | undefined => byName.get(name);

/** The sixteen conditions of Jcc, SETcc and CMOVcc, by suffix (SDM vol. 1, appendix B). */
import * as v from '../../ir/build.ts';
import type { Builder } from '../../ir/builder.ts';
import type { Condition, Value } from '../../ir/value.ts';

export type Test = (b: Builder) => Value;

const holds =
  (condition: Condition): Test =>
  (b) =>
    b.condition(condition);
const fails =
  (condition: Condition): Test =>
  (b) =>
    v.not(b.condition(condition));

// biome-ignore format: a table
export const conditions = {
  O: holds('O'), NO: fails('O'),
  B: holds('B'), AE: fails('B'),
  E: holds('E'), NE: fails('E'),
  BE: holds('BE'), A: fails('BE'),
  S: holds('S'), NS: fails('S'),
  P: holds('P'), NP: fails('P'),
  L: holds('L'), GE: fails('L'),
  LE: holds('LE'), G: fails('LE'),
} as const;

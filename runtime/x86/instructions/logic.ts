/** AND OR XOR NOT TEST (SDM vol. 1, 5.1.3 and 5.1.6). */
import * as v from '../../ir/build.ts';
import type { Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { logicRule } from './flag-rules.ts';
import { place, placeAndSource, readPair } from './operands.ts';

/** DEST := DEST op SRC. */
const logical =
  (compute: (x: Value, y: Value) => Value): Semantics =>
  (b, [destination, source]) => {
    const { x, y, write } = placeAndSource(b, destination, source);
    const result = compute(x, y);
    write(result);
    b.setFlags(logicRule, result);
  };

const and = (x: Value, y: Value): Value => (x === y ? x : v.and(x, y));
const or = (x: Value, y: Value): Value => (x === y ? x : v.or(x, y));
const xor = (x: Value, y: Value): Value => (x === y ? v.constant(x.width, 0) : v.xor(x, y));

/** DEST := NOT DEST; flags stay. */
const not: Semantics = (b, [destination]) => {
  const { value, write } = place(b, destination);
  write(v.not(value));
};

/** AND without its result. */
const test: Semantics = (b, [first, second]) => {
  b.setFlags(logicRule, and(...readPair(b, first, second)));
};

export const logic = {
  AND: logical(and),
  NOT: not,
  OR: logical(or),
  TEST: test,
  XOR: logical(xor),
} as const satisfies InstructionTable;

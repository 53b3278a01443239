/** Binary arithmetic but for products and quotients: ADD ADC SUB SBB CMP NEG INC DEC (SDM vol. 1, 5.1.2). */
import * as v from '../../ir/build.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { adcRule, addRule, decRule, incRule, negRule, sbbRule, subRule } from './flag-rules.ts';
import { difference, place, placeAndSource, readPair } from './operands.ts';

/** DEST := DEST + SRC. */
const add: Semantics = (b, [destination, source]) => {
  const { x, y, write } = placeAndSource(b, destination, source);
  const sum = v.add(x, y);
  write(sum); // may fault, so nothing is changed before it
  b.setFlags(addRule, x, sum);
};

/** DEST := DEST + SRC + CF. */
const adc: Semantics = (b, [destination, source]) => {
  const { x, y, write } = placeAndSource(b, destination, source);
  const sum = v.add(v.add(x, y), v.resize(b.flag('CF'), x.width));
  write(sum);
  b.setFlags(adcRule, x, y, sum);
};

/** DEST := DEST - SRC. */
const sub: Semantics = (b, [destination, source]) => {
  const { x, y, write } = placeAndSource(b, destination, source);
  write(difference(x, y));
  b.setFlags(subRule, x, y);
};

/** DEST := DEST - (SRC + CF). */
const sbb: Semantics = (b, [destination, source]) => {
  const { x, y, write } = placeAndSource(b, destination, source);
  const result = v.sub(difference(x, y), v.resize(b.flag('CF'), x.width));
  write(result);
  b.setFlags(sbbRule, x, y, result);
};

/** SUB without its result. */
const cmp: Semantics = (b, [first, second]) => {
  b.setFlags(subRule, ...readPair(b, first, second));
};

/** DEST := -DEST. */
const neg: Semantics = (b, [destination]) => {
  const { value, write } = place(b, destination);
  const result = v.neg(value);
  write(result);
  b.setFlags(negRule, result);
};

/** DEST := DEST + 1; CF stays. */
const inc: Semantics = (b, [destination]) => {
  const { value, write } = place(b, destination);
  const result = v.add(value, v.constant(value.width, 1));
  write(result);
  b.setFlags(incRule, result, b.flag('CF'));
};

/** DEST := DEST - 1; CF stays. */
const dec: Semantics = (b, [destination]) => {
  const { value, write } = place(b, destination);
  const result = v.add(value, v.constant(value.width, -1));
  write(result);
  b.setFlags(decRule, result, b.flag('CF'));
};

export const arithmetic = {
  ADC: adc,
  ADD: add,
  CMP: cmp,
  DEC: dec,
  INC: inc,
  NEG: neg,
  SBB: sbb,
  SUB: sub,
} as const satisfies InstructionTable;

/** CLC STC CMC CLD STD LAHF SAHF and SALC (SDM vol. 1, 5.1.11; SALC: AMD's APM vol. 3, appendix A). */
import * as v from '../../ir/build.ts';
import type { FlagRule, Value } from '../../ir/value.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { cpuState } from '../state.ts';
import { accumulator, accumulatorHigh } from './operands.ts';

const setDirection =
  (down: 0 | 1): Semantics =>
  (b) =>
    b.storeCpu(cpuState.direction, v.constant(8, down));

/** SF ZF 0 AF 0 PF 1 CF. */
const lahf: Semantics = (b) => {
  const low = v.resize(b.packedFlags(), 8);
  b.write(accumulatorHigh(8), v.or(low, v.constant(8, 2)));
};

/** OF stays. */
export const sahfRule: FlagRule = {
  name: 'sahf',
  flags: (image: Value, overflow: Value) => ({
    CF: v.bit(image, 0),
    PF: v.bit(image, 2),
    AF: v.bit(image, 4),
    ZF: v.bit(image, 6),
    SF: v.bit(image, 7),
    OF: overflow,
  }),
};

const sahf: Semantics = (b) => b.setFlags(sahfRule, b.read(accumulatorHigh(8)), b.flag('OF'));

/** AL := CF in every bit. */
const salc: Semantics = (b) => b.write(accumulator(8), v.neg(v.resize(b.flag('CF'), 8)));

export const flagControl = {
  CLC: (b) => b.setSomeFlags({ CF: v.zero }),
  CLD: setDirection(0),
  CMC: (b) => b.setSomeFlags({ CF: v.not(b.flag('CF')) }),
  LAHF: lahf,
  SAHF: sahf,
  SALC: salc,
  STC: (b) => b.setSomeFlags({ CF: v.one }),
  STD: setDirection(1),
} as const satisfies InstructionTable;

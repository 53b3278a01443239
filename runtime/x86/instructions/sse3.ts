/** SSE3: sums and differences across lanes, duplicating moves (SDM vol. 1, 5.7); FISTTP stands with the x87. */
import * as v from '../../ir/build.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import {
  type Binary,
  type FloatWidth,
  laneOf,
  packed,
  shuffleLanes,
  upTo,
  vectorOf,
} from './simd.ts';
import { sse3Moves } from './sse-move.ts';

/** Even lanes are subtracted, odd ones added. */
const addSubtract = (width: FloatWidth): Semantics =>
  packed((a, b) => {
    const compute = (i: number): Binary => v.float(i & 1 ? 'floatAdd' : 'floatSub', width);
    return vectorOf(
      upTo(128 / width).map((i) => compute(i)(laneOf(a, i, width), laneOf(b, i, width))),
    );
  });

/** Neighbouring lanes of a, then of b: the first of a pair is the first operand. */
const horizontal = (op: 'floatAdd' | 'floatSub', width: FloatWidth): Semantics =>
  packed((a, b) => {
    const pairs = upTo(128 / width).map((i) => 2 * i);
    const even = shuffleLanes(width, a, b, pairs);
    const odd = shuffleLanes(
      width,
      a,
      b,
      pairs.map((i) => i + 1),
    );
    return v.float(op, width)(even, odd);
  });

export const sse3 = {
  ...sse3Moves,
  ADDSUBPS: addSubtract(32),
  ADDSUBPD: addSubtract(64),
  HADDPS: horizontal('floatAdd', 32),
  HADDPD: horizontal('floatAdd', 64),
  HSUBPS: horizontal('floatSub', 32),
  HSUBPD: horizontal('floatSub', 64),
} as const satisfies InstructionTable;

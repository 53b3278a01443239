/** x87 constants (SDM vol. 1, 5.2.5). */
import * as v from '../../ir/build.ts';
import type { InstructionTable, Semantics } from '../semantics.ts';
import { enter, push } from './x87-stack.ts';

const exact =
  (high: number, significand: bigint): Semantics =>
  (b) => {
    push(b, enter(b), v.pack(v.constant(64, significand), v.constant(64, high)));
  };

/** An irrational one, by rounding control; `significand` is the one below. */
const rounded =
  (exponent: number, significand: bigint, nearest: 'below' | 'above'): Semantics =>
  (b) => {
    const fpu = enter(b);
    const rounding = v.and(v.shiftRight(fpu.control, 10), v.constant(32, 3));
    const up = v.equal(rounding, v.constant(32, 2));
    const above = nearest === 'above' ? v.or(up, v.isZero(rounding)) : up;
    const value = v.add(v.constant(64, significand), v.resize(above, 64));
    push(b, fpu, v.pack(value, v.constant(64, exponent)));
  };

export const x87Constants = {
  FLD1: exact(0x3fff, 1n << 63n),
  FLDZ: exact(0, 0n),
  FLDPI: rounded(0x4000, 0xc90f_daa2_2168_c234n, 'above'),
  FLDL2E: rounded(0x3fff, 0xb8aa_3b29_5c17_f0bbn, 'above'),
  FLDLN2: rounded(0x3ffe, 0xb172_17f7_d1cf_79abn, 'above'),
  FLDL2T: rounded(0x4000, 0xd49a_784b_cd1b_8afen, 'below'),
  FLDLG2: rounded(0x3ffd, 0x9a20_9a84_fbcf_f798n, 'above'),
} as const satisfies InstructionTable;

/** What the rules of evaluate.ts are: an op's meaning as a function of its node and its arguments. */
import type { Op } from './ops.ts';
import type { Subroutine, Value } from './value.ts';

/** MXCSR as float ops meet it (SDM vol. 1, 10.2.3). */
export interface FloatControl {
  readonly mxcsr: number;
  /** Exception flags found in operands, and those of the result. They take effect once the instruction has them all. */
  note(before: number, after: number): void;
}

/** What an evaluation knows beside the arguments of the node at hand. */
export interface Frame {
  readonly inputs: readonly bigint[];
  /** Registers and flags, as they were at the block's entry. */
  leaf(node: Value): bigint;
  readonly float: FloatControl;
  call(subroutine: Subroutine, args: readonly bigint[]): bigint;
}

/** Arguments are zero-extended; the result is cut to the node's width afterwards. */
export type Rule = (node: Value, args: readonly bigint[], frame: Frame) => bigint;

export type VectorOp = Extract<Op, `lane${string}` | 'shuffle' | 'swizzle'>;
export type FloatOp = Extract<Op, `float${string}`>;
export type FrameOp =
  | 'constant'
  | 'undefined'
  | 'input'
  | 'register'
  | 'flag'
  | 'load'
  | 'loadCpu'
  | 'bulkCopy'
  | 'bulkFill'
  | 'call';
export type IntegerOp = Exclude<Op, VectorOp | FloatOp | FrameOp>;

export const at = <T>(list: readonly T[], index: number): T => {
  const element = list[index];
  if (element === undefined) throw new TypeError(`no element ${index} among ${list.length}`);
  return element;
};

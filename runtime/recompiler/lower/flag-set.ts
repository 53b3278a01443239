/** Sets of arithmetic flags, a bit each: a block's plan has several, and a Set of flags would be hundreds of bytes. */
import { type Flag, flagNames } from '../../ir/ops.ts';

export type FlagSet = number;

export const bitOfFlag: Readonly<Record<Flag, number>> = {
  ...{ CF: 1, PF: 2, AF: 4 },
  ...{ ZF: 8, SF: 16, OF: 32 },
};

export const flagsIn = (set: FlagSet): readonly Flag[] =>
  set === 0 ? [] : flagNames.filter((flag) => (set & bitOfFlag[flag]) !== 0);

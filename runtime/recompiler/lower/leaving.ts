/** Which statements of a block may leave before their instruction, and so show registers and flags. */
import type { Statement } from '../../ir/value.ts';
import type { BlockPlan } from './plan.ts';

/** `at`: its place in the block. A jump out of a repetition shows nothing: it goes on in the function. */
export function mayLeave(
  { chunk, checks }: Pick<BlockPlan, 'chunk' | 'checks'>,
  { kind }: Statement,
  at: number,
): boolean {
  if (chunk?.kind === 'unchecked') return false;
  if (kind === 'load' || kind === 'store') return checks?.mayLeave(at) ?? true;
  return kind === 'raiseIf';
}

/** Whether it may leave on its way out, before the block that it goes to. */
export const looksAhead = ({ checks }: Pick<BlockPlan, 'checks'>): boolean =>
  checks !== undefined && checks.ahead.size > 0;

/** Where a block may leave, and so show registers and flags, and where it only goes on. */
import type { Statement, Terminator } from '../../ir/value.ts';
import type { BlockPlan } from './plan.ts';

/** Whether a statement may leave before its instruction; `at` is its place in the block. */
export function mayLeave(
  { chunk, checks }: Pick<BlockPlan, 'chunk' | 'checks'>,
  { kind }: Statement,
  at: number,
): boolean {
  if (chunk?.kind === 'unchecked') return false;
  if (kind === 'load' || kind === 'store') return checks?.mayLeave(at) ?? true;
  return kind === 'raiseIf';
}

/** The same of a statement that may go elsewhere, be it in the function: a repetition's jump out does. */
export const mayGo = (
  plan: Pick<BlockPlan, 'chunk' | 'checks'>,
  s: Statement,
  at: number,
): boolean => s.kind === 'jumpIf' || mayLeave(plan, s, at);

/** Goes from block to block and does nothing else. */
export const isJump = ({ kind }: Terminator): boolean => kind === 'jump' || kind === 'branch';

/** Whether a block may leave on its way out, before the block that it goes to. */
export const looksAhead = ({ checks }: Pick<BlockPlan, 'checks'>): boolean =>
  checks !== undefined && checks.ahead.size > 0;

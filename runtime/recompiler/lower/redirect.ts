/** Blocks that stand for others go on at blocks that stand for others. */
import type { Terminator } from '../../ir/value.ts';

/** The terminator with the blocks of its function that it jumps to replaced; calls and returns are as they were. */
export function redirect(terminator: Terminator, to: (target: bigint) => bigint): Terminator {
  if (terminator.kind === 'jump') return { ...terminator, target: to(terminator.target) };
  if (terminator.kind !== 'branch') return terminator;
  return { ...terminator, taken: to(terminator.taken), otherwise: to(terminator.otherwise) };
}

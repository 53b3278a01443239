/** Where polls are spent the host is asked for more, while frames stand: most of the time its slice is not over yet. */
import type { Emitter, Expression } from '../emit/emitter.ts';

/** A function of the dispatcher's: not 0 where there are polls again. */
export const morePolls = 'morePolls';

/** Leaves if there are no more. */
export const unlessMore = (e: Emitter, leave: readonly Expression[]): Expression =>
  e.ifThen(e.op('i32.eqz', e.call(morePolls, [], 'i32')), leave);

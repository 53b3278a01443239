/** That something is refused in one line which a person can act on. */
import * as assert from 'uvu/assert';
import { UserError } from '../../runtime/errors.ts';

export async function assertRefused(
  attempt: () => unknown,
  message: string | RegExp,
): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (typeof message === 'string') assert.is(error.message, message);
    else assert.match(error.message, message);
    assert.not.match(error.message, /\n/);
    assert.is(error.status, 125);
    return;
  }
  assert.unreachable(`not refused; expected: ${message}`);
}

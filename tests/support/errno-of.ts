/** The errno that something fails with. */
import { XenError } from '../../runtime/errors.ts';

export function errnoOf(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (error instanceof XenError) return error.errno;
    throw error;
  }
  return 'no error';
}

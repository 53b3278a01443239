/**
 * How many requests of lists a guest may make each time it enters Xen. Xen goes on with long lists after a look at what else is to
 * do; here a call is done at once, and lists of lists may not hold the host. Nobody who boots asks for as many.
 */
import { XenError } from '../errors.ts';

export const mostRequests = 1 << 18;

export class RequestAllowance {
  #left = mostRequests;

  /** The guest has entered Xen anew. */
  renew(): void {
    this.#left = mostRequests;
  }

  /** XenError(EINVAL), before anything is done, where a list is longer than what is left. */
  take(requests: number, what: string): void {
    if (requests > this.#left)
      throw new XenError(
        'EINVAL',
        `${what}: a list of ${requests}; ${this.#left} requests are left`,
      );
    this.#left -= requests;
  }

  /** How many of a list's requests may be done now, for calls that say how far they came. */
  upTo(requests: number): number {
    const count = Math.min(requests, this.#left);
    this.#left -= count;
    return count;
  }
}

/**
 * How many requests of lists a guest may make each time it enters Xen. As Xen does, it goes on with long lists after a look at what
 * else is to do; what cannot be gone on with is done at once, and lists of lists may not hold the host.
 */
import { XenError } from '../errors.ts';

export const mostRequests = 1 << 18;
/** Of a list that can be gone on with: some tens of milliseconds. */
export const portion = 1 << 13;

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

  /** How many of a list's requests may be done now, for calls that can go on. */
  upTo(requests: number): number {
    const count = Math.min(requests, portion, this.#left);
    this.#left -= count;
    return count;
  }
}

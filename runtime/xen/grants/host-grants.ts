/** Memory that a guest has granted to the host, where back-ends are: domain 0 as the guest names it. */

import { GNTST } from '../../abi/grant-table.ts';
import type { GrantedAccess, GrantedMemory, GrantMapping } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { FrameTable } from '../frames.ts';
import { GrantError } from './grant-error.ts';
import type { GrantTable, GrantUse, PinnedGrant } from './grant-table.ts';

export class HostGrants implements GrantedMemory {
  readonly #table: GrantTable;
  readonly #frames: FrameTable;

  constructor(table: GrantTable, frames: FrameTable) {
    this.#table = table;
    this.#frames = frames;
  }

  map(reference: number, access: GrantedAccess): GrantMapping {
    const pinned = this.#pin(reference, access);
    const host = this.#frames.hostOf(pinned.frame);
    if (host === undefined) throw new RangeError(`granted frame ${pinned.frame} is nowhere`);
    return { host, unmap: () => pinned.release() };
  }

  #pin(reference: number, access: GrantedAccess): PinnedGrant {
    const use: GrantUse = { by: 0, readOnly: access === 'read', as: ['host'], isMapping: true };
    try {
      return this.#table.pin(reference, use, () => undefined);
    } catch (cause) {
      if (!(cause instanceof GrantError)) throw cause;
      const isUnknown = cause.status === GNTST.bad_gntref || cause.status === GNTST.bad_page;
      const error = new XenError(
        isUnknown ? 'EINVAL' : 'EACCES',
        `grant ${reference} of d${this.#table.domid}: ${cause.message}`,
      );
      error.cause = cause;
      throw error;
    }
  }
}

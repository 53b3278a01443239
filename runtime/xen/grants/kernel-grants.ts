/** The grants of a domain whose kernel is in here: its own table, and what it maps of others'. */
import { GNTST, GNTTAB_NR_RESERVED_ENTRIES, GTF } from '../../abi/grant-table.ts';
import type { DomainGrants, ForeignPage } from '../../domain/domain-grants.ts';
import type { GrantedAccess } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { FrameTable } from '../frames.ts';
import { GrantError } from './grant-error.ts';
import type { GrantPeers, GrantTable, GrantUse, PinnedGrant } from './grant-table.ts';

/** What Mini-OS asks for at its start (NR_GRANT_FRAMES). */
const tableFrames = 4;
const inUse = GTF.reading | GTF.writing;

export class KernelGrants implements DomainGrants {
  readonly first = GNTTAB_NR_RESERVED_ENTRIES;
  readonly #table: GrantTable;
  readonly #frames: FrameTable;
  readonly #peers: GrantPeers;
  readonly #mapped = new Set<PinnedGrant>();

  constructor(table: GrantTable, frames: FrameTable, peers: GrantPeers) {
    this.#table = table;
    this.#frames = frames;
    this.#peers = peers;
  }

  get end(): number {
    this.#table.entries.grow(tableFrames);
    return this.#table.entries.count;
  }

  grant(reference: number, to: number, frame: number, access: GrantedAccess): void {
    this.#check(reference);
    const flags = GTF.permit_access | (access === 'read' ? GTF.readonly : 0);
    this.#table.entries.writeEntry(reference, flags, to, frame);
  }

  acceptTransfer(reference: number, from: number): void {
    this.#check(reference);
    this.#table.entries.writeEntry(reference, GTF.accept_transfer, from, 0);
  }

  transferred(reference: number): number | undefined {
    this.#check(reference);
    const { flags, frame } = this.#table.entries.entry(reference);
    const isDone =
      (flags & GTF.type_mask) === GTF.accept_transfer && (flags & GTF.transfer_completed) !== 0;
    return isDone ? Number(frame) : undefined;
  }

  isInUse(reference: number): boolean {
    this.#check(reference);
    return (this.#table.entries.statusOf(reference) & inUse) !== 0;
  }

  revoke(reference: number): boolean {
    if (this.isInUse(reference)) return false;
    this.#table.entries.writeEntry(reference, 0, 0, 0);
    return true;
  }

  map(domid: number, reference: number, access: GrantedAccess): ForeignPage {
    const pinned = this.#pin(domid, reference, access);
    this.#mapped.add(pinned);
    const host = this.#frames.hostOf(pinned.frame);
    if (host === undefined) throw new RangeError(`granted frame ${pinned.frame} is nowhere`);
    return {
      ...{ frame: pinned.frame, host },
      unmap: () => {
        if (this.#mapped.delete(pinned)) pinned.release();
      },
    };
  }

  /** At the domain's end. */
  releaseAll(): void {
    for (const pinned of this.#mapped) pinned.release();
    this.#mapped.clear();
  }

  #pin(domid: number, reference: number, access: GrantedAccess): PinnedGrant {
    const table = this.#peers(domid);
    if (table === undefined) throw new XenError('ESRCH', `there is no domain ${domid}`);
    const by = this.#table.domid;
    const use: GrantUse = { by, readOnly: access === 'read', as: ['host'], isMapping: true };
    try {
      return table.pin(reference, use, this.#peers);
    } catch (cause) {
      if (!(cause instanceof GrantError)) throw cause;
      const isUnknown = cause.status === GNTST.bad_gntref || cause.status === GNTST.bad_page;
      throw new XenError(
        isUnknown ? 'EINVAL' : 'EACCES',
        `grant ${reference} of d${domid}: ${cause.message}`,
        { cause },
      );
    }
  }

  #check(reference: number): void {
    if (reference < this.first || reference >= this.end)
      throw new XenError('EINVAL', `there is no grant ${reference} of d${this.#table.domid}'s own`);
  }
}

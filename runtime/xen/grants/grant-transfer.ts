/** GNTTABOP_transfer: a page changes its owner. */
import { GNTST, GTF, type gnttab_transfer } from '../../abi/grant-table.ts';
import { type FrameTable, frameTypes } from '../frames.ts';
import type { GrantPeers, GrantTable } from './grant-table.ts';

type Transfer = ReturnType<ReturnType<typeof gnttab_transfer.layout>['at']>;

export class GrantTransfer {
  readonly #domid: number;
  readonly #frames: FrameTable;
  readonly #peers: GrantPeers;

  constructor(domid: number, frames: FrameTable, peers: GrantPeers) {
    this.#domid = domid;
    this.#frames = frames;
    this.#peers = peers;
  }

  /** The status. A page that nobody takes is lost to its giver all the same. */
  run({ mfn, domid, ref }: Transfer): number {
    const frame = mfn < 1n << 32n ? Number(mfn) : -1;
    if (!this.#isFree(frame)) return GNTST.bad_page;
    const other = this.#peers(domid);
    if (other === undefined) return this.#lose(frame, GNTST.bad_domain);
    if (!this.#isAwaited(other, ref)) return this.#lose(frame, GNTST.general_error);
    other.entries.commitTransfer(ref);
    const pfn = other.entries.entry(ref).frame;
    this.#frames.setOwner(frame, other.domid);
    this.#frames.setType(frame, frameTypes.none);
    this.#frames.setPseudoPhysical(frame, pfn);
    other.entries.completeTransfer(ref, frame);
    return GNTST.okay;
  }

  /** The giver's own, and nothing refers to it any more. */
  #isFree(frame: number): boolean {
    return (
      this.#frames.ownerOf(frame) === this.#domid &&
      this.#frames.referencesOf(frame) === 0 &&
      this.#frames.typeCountOf(frame) === 0
    );
  }

  #isAwaited({ entries }: GrantTable, ref: number): boolean {
    if (ref >= entries.count) return false;
    const { flags, domid } = entries.entry(ref);
    return flags === GTF.accept_transfer && domid === this.#domid;
  }

  #lose(frame: number, status: number): number {
    this.#frames.giveUp(frame);
    return status;
  }
}

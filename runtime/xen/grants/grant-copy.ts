/** GNTTABOP_copy: bytes from page to page, each granted or the caller's own. */
import { GNTCOPY, GNTST, type gnttab_copy } from '../../abi/grant-table.ts';
import { DOMID } from '../../abi/xen.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { FrameTable } from '../frames.ts';
import { GrantError } from './grant-error.ts';
import type { GrantPeers, PinnedGrant } from './grant-table.ts';
import { holdFrame, releaseFrame } from './held-frame.ts';

type Copy = ReturnType<ReturnType<typeof gnttab_copy.layout>['at']>;
type CopyEnd = Copy['source'];

export class GrantCopy {
  readonly #domid: number;
  readonly #frames: FrameTable;
  readonly #peers: GrantPeers;

  constructor(domid: number, frames: FrameTable, peers: GrantPeers) {
    this.#domid = domid;
    this.#frames = frames;
    this.#peers = peers;
  }

  /** The status; nothing is copied unless all can be. */
  run(copy: Copy): number {
    const held: PinnedGrant[] = [];
    try {
      this.#checkEnds(copy);
      const source = this.#claim(copy.source, (copy.flags & GNTCOPY.source_gref) !== 0, true);
      held.push(source);
      const target = this.#claim(copy.dest, (copy.flags & GNTCOPY.dest_gref) !== 0, false);
      held.push(target);
      this.#move(copy, source, target);
      return GNTST.okay;
    } catch (error) {
      if (error instanceof GrantError) return error.status;
      throw error;
    } finally {
      for (const grant of held) grant.release();
    }
  }

  /** Who has no grant may name only frames of its own. */
  #checkEnds({ source, dest, flags }: Copy): void {
    const ends = [
      { domid: source.domid, isGranted: (flags & GNTCOPY.source_gref) !== 0 },
      { domid: dest.domid, isGranted: (flags & GNTCOPY.dest_gref) !== 0 },
    ];
    for (const { domid, isGranted } of ends)
      if (!isGranted && domid !== DOMID.SELF)
        throw new GrantError('permission_denied', `frames of d${domid} are not named`);
    for (const { domid } of ends)
      if (this.#peers(this.#resolve(domid)) === undefined)
        throw new GrantError('bad_domain', `there is no domain ${domid}`);
  }

  #claim({ u, domid }: CopyEnd, isGranted: boolean, readOnly: boolean): PinnedGrant {
    if (!isGranted) return this.#ownFrame(u, readOnly);
    const table = this.#peers(this.#resolve(domid));
    if (table === undefined) throw new GrantError('bad_domain', `there is no domain ${domid}`);
    const ref = Number(BigInt.asUintN(32, u));
    const use = { by: this.#domid, readOnly, as: ['host'] as const, isMapping: false };
    return table.pin(ref, use, this.#peers);
  }

  #ownFrame(number: bigint, readOnly: boolean): PinnedGrant {
    const frame = number < 1n << 32n ? Number(number) : -1;
    if (this.#frames.ownerOf(frame) !== this.#domid)
      throw new GrantError('bad_page', `machine frame ${number} is not d${this.#domid}'s`);
    if (!holdFrame(this.#frames, frame, !readOnly))
      throw new GrantError('general_error', `machine frame ${number} is no page to write to`);
    return {
      ...{ frame, offset: 0, length: pageSize },
      release: () => releaseFrame(this.#frames, frame, !readOnly),
    };
  }

  #move({ source, dest, len }: Copy, from: PinnedGrant, to: PinnedGrant): void {
    if (source.offset + len > pageSize || dest.offset + len > pageSize)
      throw new GrantError('bad_copy_arg', 'the copy goes on beyond its page');
    checkPart(source.offset, len, from);
    checkPart(dest.offset, len, to);
    const { memory } = this.#frames;
    const target = this.#host(to.frame) + dest.offset;
    const origin = this.#host(from.frame) + source.offset;
    memory.willWrite(target, len);
    memory.bytes().copyWithin(target, origin, origin + len);
  }

  #host(frame: number): number {
    const host = this.#frames.hostOf(frame);
    if (host === undefined) throw new GrantError('bad_page', `machine frame ${frame} is nowhere`);
    return host;
  }

  #resolve(domid: number): number {
    return domid === DOMID.SELF ? this.#domid : domid;
  }
}

function checkPart(offset: number, length: number, granted: PinnedGrant): void {
  if (offset < granted.offset || offset + length > granted.offset + granted.length)
    throw new GrantError('general_error', 'the copy leaves the part that is granted');
}

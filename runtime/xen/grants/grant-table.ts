/**
 * What a domain grants, and who uses it (grant_table.h). A grant that is in use is pinned: its frame stays what it was when
 * the first user came, whatever the guest writes into the entry meanwhile.
 */
import { GNTTAB_NR_RESERVED_ENTRIES, GTF } from '../../abi/grant-table.ts';
import type { FrameTable } from '../frames.ts';
import { GrantError } from './grant-error.ts';
import { holdFrame, releaseFrame } from './held-frame.ts';
import { type GrantEntry, SharedEntries } from './shared-entries.ts';

/** How a grant is used: a mapping may be the processor's, a device's, or both, and Xen counts each. */
export interface GrantUse {
  readonly by: number;
  readonly readOnly: boolean;
  readonly as: readonly ('host' | 'device')[];
  /** Of whole pages alone. */
  readonly isMapping: boolean;
}

/** Pinned, until it is let go. */
export interface PinnedGrant {
  readonly frame: number;
  /** The part of the page that is granted. */
  readonly offset: number;
  readonly length: number;
  release(): void;
}

/** Domains' tables by number; undefined where there is no such domain. */
export type GrantPeers = (domid: number) => GrantTable | undefined;

interface Granted {
  readonly frame: number;
  readonly offset: number;
  readonly length: number;
  /** Part of a page, or what another has granted: not to be mapped. */
  readonly isPart: boolean;
}

interface Active extends Granted {
  readonly by: number;
  readonly readers: Pins;
  readonly writers: Pins;
}

type Pins = Record<'host' | 'device', number>;

/** Xen's counters have 8 bits, of which the highest must stay clear. */
const mostPins = 0x80;

export class GrantTable {
  readonly domid: number;
  readonly entries: SharedEntries;
  readonly #frames: FrameTable;
  readonly #active = new Map<number, Active>();

  constructor(domid: number, frames: FrameTable) {
    this.domid = domid;
    this.entries = new SharedEntries(domid, frames);
    this.#frames = frames;
  }

  isInUse(ref: number): boolean {
    return this.#active.has(ref);
  }

  /** Whether anything is in use but what is reserved for the tools. */
  get isBusy(): boolean {
    return [...this.#active.keys()].some((ref) => ref >= GNTTAB_NR_RESERVED_ENTRIES);
  }

  /** Whether that domain has that frame of ours by any grant. */
  isGranted(frame: number, to: number): boolean {
    return [...this.#active.values()].some((active) => active.frame === frame && active.by === to);
  }

  pin(ref: number, use: GrantUse, peers: GrantPeers): PinnedGrant {
    return this.#pin(ref, use, peers, 'transitive');
  }

  #pin(ref: number, use: GrantUse, peers: GrantPeers, depth: 'transitive' | 'own'): PinnedGrant {
    if (ref >= this.entries.count) throw new GrantError('bad_gntref', `there is no grant ${ref}`);
    const active = this.#active.get(ref);
    if (active !== undefined) checkActive(active, use);
    const entry = this.entries.entry(ref);
    if (active === undefined || (!use.readOnly && users(active.writers) === 0))
      checkEntry(entry, use, active !== undefined, this.entries.version);
    const behind = isTransitive(entry, this.entries.version)
      ? this.#behind(entry, use, peers, depth)
      : undefined;
    try {
      const granted = active ?? this.#granted(entry, behind);
      if (behind !== undefined && behind.frame !== granted.frame)
        throw new GrantError('general_error', `grant ${ref} is in use for another page`);
      return this.#hold(ref, use, granted, behind);
    } catch (error) {
      behind?.release();
      throw error;
    }
  }

  /** One level deep: what is behind must be the other's own. */
  #behind(
    { transitiveDomain, transitiveReference }: GrantEntry,
    use: GrantUse,
    peers: GrantPeers,
    depth: 'transitive' | 'own',
  ): PinnedGrant {
    if (use.isMapping || depth === 'own' || transitiveDomain === this.domid)
      throw new GrantError('general_error', 'no transitive grant is used so');
    const other = peers(transitiveDomain);
    if (other === undefined)
      throw new GrantError('general_error', `there is no domain ${transitiveDomain}`);
    return other.#pin(transitiveReference, { ...use, by: this.domid }, peers, 'own');
  }

  #granted(entry: GrantEntry, behind: PinnedGrant | undefined): Granted {
    if (behind !== undefined) {
      const { frame, offset, length } = behind;
      return { frame, offset, length, isPart: true };
    }
    const frame = entry.frame < 1n << 32n ? Number(entry.frame) : -1;
    if (this.#frames.ownerOf(frame) !== this.domid)
      throw new GrantError('bad_page', `machine frame ${entry.frame} is not d${this.domid}'s`);
    const isPart = this.entries.version === 2 && (entry.flags & GTF.sub_page) !== 0;
    return { frame, offset: entry.offset, length: entry.length, isPart };
  }

  #hold(
    ref: number,
    use: GrantUse,
    granted: Granted,
    behind: PinnedGrant | undefined,
  ): PinnedGrant {
    const { frame, offset, length } = granted;
    // Whoever is behind has held the page already.
    if (behind === undefined && !holdFrame(this.#frames, frame, !use.readOnly))
      throw new GrantError('general_error', `machine frame ${frame} is no page to write to`);
    this.#count(ref, use, granted);
    let isHeld = true;
    return {
      ...{ frame, offset, length },
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#uncount(ref, use);
        if (behind === undefined) releaseFrame(this.#frames, frame, !use.readOnly);
        else behind.release();
      },
    };
  }

  #count(ref: number, use: GrantUse, granted: Granted): void {
    const { frame, offset, length, isPart } = granted;
    const active = this.#active.get(ref) ?? {
      ...{ frame, offset, length, isPart, by: use.by, readers: noPins(), writers: noPins() },
    };
    this.#active.set(ref, active);
    const pins = use.readOnly ? active.readers : active.writers;
    for (const kind of use.as) pins[kind]++;
    this.entries.setInUse(ref, use.readOnly ? GTF.reading : GTF.reading | GTF.writing);
  }

  #uncount(ref: number, use: GrantUse): void {
    const active = this.#active.get(ref);
    if (active === undefined) return;
    const pins = use.readOnly ? active.readers : active.writers;
    for (const kind of use.as) pins[kind]--;
    const isWritten = users(active.writers) > 0;
    if (!isWritten && !use.readOnly) this.entries.clearInUse(ref, GTF.writing);
    if (isWritten || users(active.readers) > 0) return;
    this.entries.clearInUse(ref, GTF.reading);
    this.#active.delete(ref);
  }
}

const noPins = (): Pins => ({ host: 0, device: 0 });

const users = ({ host, device }: Pins): number => host + device;

/** What it is used for already must go together with what it is to be used for. */
function checkActive(active: Active, use: GrantUse): void {
  if (active.by !== use.by)
    throw new GrantError('general_error', `the grant is in use by d${active.by}`);
  const counts = [active.readers, active.writers].flatMap(({ host, device }) => [host, device]);
  if (counts.some((count) => count >= mostPins))
    throw new GrantError('general_error', 'the grant is in use too often');
  if (use.isMapping && active.isPart)
    throw new GrantError('general_error', 'a part of a page is not mapped');
}

const isTransitive = ({ flags }: GrantEntry, version: number): boolean =>
  version === 2 && (flags & GTF.type_mask) === GTF.transitive;

/** Type and domain count for the first user alone, permission to write for the first that writes. */
function checkEntry(entry: GrantEntry, use: GrantUse, isPinned: boolean, version: number): void {
  const { flags, domid } = entry;
  const mask = use.isMapping ? GTF.type_mask | GTF.sub_page : GTF.type_mask;
  const isOpen = (flags & mask) === GTF.permit_access || isTransitive(entry, version);
  if (!isPinned && (!isOpen || domid !== use.by))
    throw new GrantError(
      'general_error',
      `flags 0x${flags.toString(16)} for d${domid} grant nothing to d${use.by}`,
    );
  if (!use.readOnly && (flags & GTF.readonly) !== 0)
    throw new GrantError('general_error', 'the grant is for reading alone');
}

/** Extents of memory_op: frames that a domain gives back or takes, one extent after the other until one cannot be had. */
import type { xen_memory_reservation } from '../../abi/memory.ts';
import { UserError, XenError } from '../../errors.ts';
import type { DomainContext } from '../domain-context.ts';
import type { Mmu } from '../mmu/mmu.ts';

export interface Memory {
  readonly mmu: Mmu;
  /** What the domain was given at its start. */
  readonly pages: number;
  /** What it may have at the most. */
  readonly mostPages: number;
  readonly isThere: (domid: number) => boolean;
}

export type Reservation = ReturnType<ReturnType<typeof xen_memory_reservation.layout>['at']>;

/** Domains without devices get no larger extents. */
export const mostOrder = 9;

export const extentAt = ({ width }: DomainContext, list: bigint, index: number): bigint =>
  BigInt.asUintN(width, list + BigInt((index * width) / 8));

/** Which of a list; the end is behind the last. */
export interface Extents {
  readonly start: number;
  readonly end: number;
}

/** Calls for one extent after the other; at which it was when one failed, or could not be read or written. */
function eachExtent(
  { start, end }: Extents,
  { extent_order }: Reservation,
  call: (index: number) => boolean,
): number {
  if (extent_order > mostOrder) return start;
  for (let index = start; index < end; index++) {
    try {
      if (!call(index)) return index;
    } catch (error) {
      if (error instanceof XenError) return index;
      throw error;
    }
  }
  return end;
}

/** A frame that is mapped or granted stays until that ends; a page table is unpinned. What Xen shares stays where Xen writes to it. */
function giveUp({ mmu }: Memory, frame: number): boolean {
  const { frames } = mmu;
  if (!mmu.isOwn(frame)) return false;
  if (frames.isShared(frame)) return true;
  if (frames.isPinned(frame)) mmu.unpin(frame);
  frames.giveUp(frame);
  return true;
}

export function decreaseReservation(
  memory: Memory,
  domain: DomainContext,
  reservation: Reservation,
  extents: Extents,
): number {
  const { extent_start, extent_order } = reservation;
  const done = eachExtent(extents, reservation, (index) => {
    const place = extentAt(domain, extent_start, index);
    const first = Number(domain.guest.readWord(place, domain.width));
    for (let i = 0; i < 2 ** extent_order; i++) if (!giveUp(memory, first + i)) return false;
    return true;
  });
  // What knew the frames by the guest's addresses must not find their next owner there.
  memory.mmu.tables.flush();
  return done;
}

/** The first frame of an extent; undefined where the domain may have no more, or the machine has none. */
function takeExtent(memory: Memory, domain: DomainContext, order: number): number | undefined {
  const count = 2 ** order;
  if (domain.frames.countOf(domain.id) + count > memory.mostPages) return undefined;
  try {
    return domain.frames.allocate(domain.id, count, count);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

export function increaseReservation(
  memory: Memory,
  domain: DomainContext,
  reservation: Reservation,
  extents: Extents,
): number {
  const { extent_start, extent_order } = reservation;
  return eachExtent(extents, reservation, (index) => {
    const first = takeExtent(memory, domain, extent_order);
    if (first === undefined) return false;
    if (extent_start === 0n) return true;
    const place = extentAt(domain, extent_start, index);
    domain.guest.writeWord(place, BigInt(first), domain.width);
    return true;
  });
}

export function populatePhysmap(
  memory: Memory,
  domain: DomainContext,
  reservation: Reservation,
  extents: Extents,
): number {
  const { guest, width, frames } = domain;
  const { extent_start, extent_order } = reservation;
  return eachExtent(extents, reservation, (index) => {
    const place = extentAt(domain, extent_start, index);
    const pfn = guest.readWord(place, width);
    const first = takeExtent(memory, domain, extent_order);
    if (first === undefined) return false;
    for (let i = 0; i < 2 ** extent_order; i++)
      frames.setPseudoPhysical(first + i, pfn + BigInt(i));
    guest.writeWord(place, BigInt(first), width);
    return true;
  });
}

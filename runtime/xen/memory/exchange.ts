/** XENMEM_exchange (memory.h): frames for as many others, in extents of another size. All of a chunk is exchanged, or none. */
import type { xen_memory_exchange } from '../../abi/memory.ts';
import { DOMID } from '../../abi/xen.ts';
import { UserError, XenError } from '../../errors.ts';
import type { DomainContext } from '../domain-context.ts';
import { extentAt, type Memory, mostOrder } from './reservation.ts';

type Exchange = ReturnType<ReturnType<typeof xen_memory_exchange.layout>['at']>;

export function exchange(
  memory: Memory,
  domain: DomainContext,
  wanted: Exchange,
  exchanged: (extents: number) => void,
): void {
  checkSizes(wanted);
  if (wanted.nr_exchanged === wanted.in.nr_extents) {
    exchanged(Number(wanted.nr_exchanged));
    return;
  }
  checkPlaces(domain, wanted);
  domain.requests.take(Number(wanted.in.nr_extents + wanted.out.nr_extents), 'XENMEM_exchange');
  const { in: given, out: taken } = wanted;
  const order = Math.max(given.extent_order, taken.extent_order);
  const perChunk = {
    given: 2 ** (order - given.extent_order),
    taken: 2 ** (order - taken.extent_order),
  };
  const chunks = Number(given.nr_extents) / perChunk.given;
  exchanged(Number(wanted.nr_exchanged));
  for (let chunk = Number(wanted.nr_exchanged) / perChunk.given; chunk < chunks; chunk++) {
    const frames = chunkFrames(memory, domain, given, chunk * perChunk.given, perChunk.given);
    const others = takeExtents(domain, taken.extent_order, perChunk.taken);
    for (const frame of frames) domain.frames.giveUp(frame);
    for (const [i, first] of others.entries())
      nameExtent(domain, taken, chunk * perChunk.taken + i, first);
    exchanged((chunk + 1) * perChunk.given);
  }
  memory.mmu.tables.flush();
}

function checkSizes({ in: given, out: taken }: Exchange): void {
  const size = ({ nr_extents, extent_order }: Exchange['in']): bigint =>
    nr_extents << BigInt(extent_order);
  const orders = [given.extent_order, taken.extent_order];
  if (orders.some((order) => order > mostOrder))
    throw new XenError('EPERM', `extents of order ${orders.join(' and ')}`);
  if (given.domid !== taken.domid || size(given) !== size(taken))
    throw new XenError('EINVAL', 'an exchange that does not come out even');
}

function checkPlaces(
  { id }: DomainContext,
  { in: given, out: taken, nr_exchanged }: Exchange,
): void {
  const isOwn = given.domid === DOMID.SELF || given.domid === id;
  const isWhole = nr_exchanged % BigInt(2 ** Math.max(0, taken.extent_order - given.extent_order));
  if (!isOwn || isWhole !== 0n)
    throw new XenError(
      'EINVAL',
      'an exchange of others’ frames, or one that goes on within a chunk',
    );
}

/** Frames of the domain's own that nobody refers to. */
function chunkFrames(
  { mmu }: Memory,
  domain: DomainContext,
  given: Exchange['in'],
  firstExtent: number,
  count: number,
): number[] {
  const frames: number[] = [];
  for (let i = 0; i < count; i++) {
    const place = extentAt(domain, given.extent_start, firstExtent + i);
    const first = Number(domain.guest.readWord(place, domain.width));
    for (let j = 0; j < 2 ** given.extent_order; j++) frames.push(first + j);
  }
  const isFree = (frame: number): boolean =>
    mmu.isOwn(frame) &&
    domain.frames.referencesOf(frame) === 0 &&
    domain.frames.typeCountOf(frame) === 0;
  if (new Set(frames).size !== frames.length || !frames.every(isFree))
    throw new XenError('EINVAL', 'a frame that is in use, or not the domain’s');
  return frames;
}

/** The first frame of each. ENOMEM, and nothing is taken, where the machine has no more. */
function takeExtents({ frames, id }: DomainContext, order: number, count: number): number[] {
  const taken: number[] = [];
  try {
    for (let i = 0; i < count; i++) taken.push(frames.allocate(id, 2 ** order, 2 ** order));
    return taken;
  } catch (cause) {
    for (const first of taken) for (let i = 0; i < 2 ** order; i++) frames.giveUp(first + i);
    if (!(cause instanceof UserError)) throw cause;
    throw new XenError('ENOMEM', 'the machine has no more memory', { cause });
  }
}

function nameExtent(
  domain: DomainContext,
  taken: Exchange['out'],
  index: number,
  first: number,
): void {
  const { frames, guest, width } = domain;
  const place = extentAt(domain, taken.extent_start, index);
  const pfn = guest.readWord(place, width);
  for (let i = 0; i < 2 ** taken.extent_order; i++)
    frames.setPseudoPhysical(first + i, pfn + BigInt(i));
  guest.writeWord(place, BigInt(first), width);
}

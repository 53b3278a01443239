/** HYPERVISOR_memory_op (memory.h): a domain gives frames back, takes others, and asks what there is. Answers are those of Xen 4.17. */
import {
  XENMEM,
  xen_machphys_mapping,
  xen_machphys_mfn_list,
  xen_memory_exchange,
  xen_memory_map,
  xen_memory_reservation,
} from '../../abi/memory.ts';
import { DOMID, HYPERVISOR_VIRT_START, MACH2PHYS_VIRT_END, shared_info } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { DomainContext } from '../domain-context.ts';
import { m2pEntryBytes } from '../frames.ts';
import { readStruct } from '../guest-array.ts';
import { Continuation, type Hypercall, type HypercallResult } from '../hypercalls/hypercall.ts';
import { exchange } from './exchange.ts';
import {
  decreaseReservation,
  type Extents,
  increaseReservation,
  type Memory,
  populatePhysmap,
} from './reservation.ts';

type Operation = (memory: Memory, domain: DomainContext, argument: bigint) => HypercallResult;
type Adjusting = (
  memory: Memory,
  domain: DomainContext,
  argument: bigint,
  start: number,
) => HypercallResult;

/** The operation's number; what is above says at which extent a list that was interrupted goes on. */
const numberBits = 6;
/** More extents than that could not be gone on with. */
const mostExtents = 0x3ff_ffffn;
const extents = 2 ** 21;

/** Undefined: the domain itself. */
function checkDomain({ id }: DomainContext, memory: Memory, domid: number): void {
  if (domid === DOMID.SELF || domid === id) return;
  if (memory.isThere(domid)) throw new XenError('EPERM', `domain ${domid} is not this one`);
  throw new XenError('ESRCH', `there is no domain ${domid}`);
}

/** `argument` points at a domain's number. */
const ofDomain =
  (answer: (memory: Memory, domain: DomainContext) => number): Operation =>
  (memory, domain, argument) => {
    const domid = domain.guest.readU32(argument) & 0xffff;
    checkDomain(domain, memory, domid);
    return answer(memory, domain);
  };

type Reservation = ReturnType<ReturnType<typeof xen_memory_reservation.layout>['at']>;
type Adjust = (
  memory: Memory,
  domain: DomainContext,
  reservation: Reservation,
  extents: Extents,
) => number;

/** Gives how many extents it came through; what is wrong with the whole is answered as if it were none more. */
const adjusting =
  (number: number, adjust: Adjust): Adjusting =>
  (memory, domain, argument, start) => {
    let reservation: Reservation;
    try {
      reservation = readStruct(domain.guest, xen_memory_reservation, domain.width, argument);
      checkDomain(domain, memory, reservation.domid);
    } catch (error) {
      if (error instanceof XenError) return start;
      throw error;
    }
    const { nr_extents } = reservation;
    if (nr_extents > mostExtents || BigInt(start) >= nr_extents) return start;
    const end = start + domain.requests.upTo(Number(nr_extents) - start);
    const done = adjust(memory, domain, reservation, { start, end });
    if (done < end || BigInt(end) === nr_extents) return done;
    return new Continuation([BigInt(number + end * 2 ** numberBits), argument]);
  };

const refused =
  (errno: string): Operation =>
  () => {
    throw new XenError(errno, 'not for a domain like this one');
  };

const copyOut = ({ guest }: DomainContext, argument: bigint, bytes: Uint8Array): undefined => {
  guest.writeBytes(argument, bytes);
};

const machphysMapping: Operation = (_, domain, argument) => {
  const { width } = domain;
  const { size, at } = xen_machphys_mapping.layout(width);
  const bytes = new Uint8Array(size);
  const mapping = at(bytes, 0);
  const start = HYPERVISOR_VIRT_START[width];
  // The table of 32-bit guests of a 64-bit Xen is longer than the header says.
  const end = width === 64 ? MACH2PHYS_VIRT_END[64] : 0xffe0_0000n;
  mapping.v_start = start;
  mapping.v_end = end;
  mapping.max_mfn = (end - start) / BigInt(m2pEntryBytes[width]) - 1n;
  return copyOut(domain, argument, bytes);
};

/** Frames at which each 2 MiB of the table begin. */
const machphysList: Operation = (_, domain, argument) => {
  const { frames, guest, width } = domain;
  const type = xen_machphys_mfn_list;
  const list = readStruct(guest, type, width, argument);
  const wanted = Math.ceil(frames.m2pBytes(width) / extents);
  const count = Math.min(list.max_extents, wanted);
  const first = frames.frameOf(frames.m2p(width));
  for (let i = 0; i < count; i++) {
    const place = list.extent_start + BigInt((i * width) / 8);
    guest.writeWord(place, BigInt(first + (i * extents) / pageSize), width);
  }
  guest.writeU32(argument + BigInt(type.layout(width).offsets.nr_extents), count);
  return undefined;
};

/** E820: one stretch of RAM, as Xen's tools say of a PV domain. */
const memoryMap: Operation = (memory, domain, argument) => {
  const { guest, width } = domain;
  const map = readStruct(guest, xen_memory_map, width, argument);
  const count = Math.min(map.nr_entries, 1);
  if (count > 0) {
    const bytes = new Uint8Array(20);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(8, BigInt(memory.pages * pageSize), true);
    view.setUint32(16, 1, true);
    guest.writeBytes(map.buffer, bytes);
  }
  guest.writeU32(argument, count);
  return undefined;
};

const maximumGpfn = ofDomain((_, { memory, sharedInfo, width }) => {
  const info = shared_info.layout(width).at(memory, sharedInfo);
  return Math.max(Number(BigInt.asUintN(32, info.arch.max_pfn)) - 1, 0);
});

const nothing: Operation = () => 0;

/** Those that can be gone on with. */
const lists = new Map<number, Adjusting>([
  [XENMEM.increase_reservation, adjusting(XENMEM.increase_reservation, increaseReservation)],
  [XENMEM.decrease_reservation, adjusting(XENMEM.decrease_reservation, decreaseReservation)],
  [XENMEM.populate_physmap, adjusting(XENMEM.populate_physmap, populatePhysmap)],
]);

/** Those that tell so where they are to go on; the others are not known then, or answer as ever. */
const neverGoOn: ReadonlySet<number> = new Set([
  ...[XENMEM.maximum_ram_page, XENMEM.current_reservation, XENMEM.maximum_reservation],
  ...[XENMEM.maximum_gpfn, XENMEM.exchange, XENMEM.remove_from_physmap, XENMEM.get_vnumainfo],
]);
const asEver: ReadonlySet<number> = new Set([
  ...[XENMEM.add_to_physmap, XENMEM.add_to_physmap_batch, XENMEM.claim_pages, XENMEM.access_op],
  ...[XENMEM.reserved_device_memory_map, XENMEM.acquire_resource],
]);

// biome-ignore format: a line for each line of memory.h
const operations = new Map<number, Operation>([
  [XENMEM.maximum_ram_page, (_, { frames }) => frames.end - 1],
  [XENMEM.current_reservation, ofDomain((_, { frames, id }) => frames.countOf(id))],
  [XENMEM.maximum_reservation, ofDomain(({ mostPages }) => mostPages)],
  [XENMEM.maximum_gpfn, maximumGpfn],
  [XENMEM.machphys_mfn_list, machphysList],
  [XENMEM.machphys_mapping, machphysMapping],
  [XENMEM.memory_map, memoryMap],
  [XENMEM.machine_memory_map, refused('EPERM')],
  [XENMEM.set_memory_map, nothing],
  [XENMEM.exchange, exchangeOperation],
  [XENMEM.add_to_physmap, refused('EACCES')],
  [XENMEM.add_to_physmap_batch, refused('EACCES')],
  [XENMEM.remove_from_physmap, refused('EACCES')],
  [XENMEM.set_pod_target, refused('EINVAL')],
  [XENMEM.get_pod_target, refused('EINVAL')],
  [XENMEM.claim_pages, claimPages],
  [XENMEM.get_sharing_freed_pages, nothing],
  [XENMEM.get_sharing_shared_pages, nothing],
  [XENMEM.access_op, refused('EINVAL')],
  [XENMEM.machphys_compat_mfn_list, refused('EOPNOTSUPP')],
  [XENMEM.get_vnumainfo, refused('EOPNOTSUPP')],
  [XENMEM.reserved_device_memory_map, refused('EINVAL')],
  [XENMEM.acquire_resource, acquireResource],
]);

/** Of domains that it serves: there is none, and DOMID_SELF is none to it. */
function acquireResource({ isThere }: Memory, { guest, id }: DomainContext, at: bigint): never {
  const domid = guest.readU32(at) & 0xffff;
  const isKnown = domid === id || isThere(domid);
  throw new XenError(isKnown ? 'EPERM' : 'ESRCH', `resources of domain ${domid}`);
}

/** What it claims for is looked at before whether it may; DOMID_SELF is no domain to it. 32-bit guests have no such call. */
function claimPages({ isThere }: Memory, domain: DomainContext, argument: bigint): never {
  const { guest, width } = domain;
  if (width === 32) throw new XenError('ENOSYS', 'claim_pages is for 64-bit callers');
  const claim = readStruct(guest, xen_memory_reservation, width, argument);
  const isPlain = claim.extent_start === 0n && claim.extent_order === 0 && claim.mem_flags === 0;
  if (!isPlain || claim.domid === DOMID.SELF || !isThere(claim.domid))
    throw new XenError('EINVAL', `a claim for domain ${claim.domid}`);
  throw new XenError('EPERM', `d${domain.id} claims nothing for others`);
}

/** How far it came is written back even where it fails. */
function exchangeOperation(
  memory: Memory,
  domain: DomainContext,
  argument: bigint,
): HypercallResult {
  const { guest, width } = domain;
  const { offsets } = xen_memory_exchange.layout(width);
  const wanted = readStruct(guest, xen_memory_exchange, width, argument);
  if (wanted.nr_exchanged > wanted.in.nr_extents)
    throw new XenError('EINVAL', `${wanted.nr_exchanged} extents exchanged already`);
  let done = 0;
  try {
    exchange(memory, domain, wanted, (count) => {
      done = count;
    });
  } finally {
    guest.writeWord(argument + BigInt(offsets.nr_exchanged), BigInt(done), width);
  }
  return undefined;
}

export function memoryOp(memory: Memory): Hypercall {
  return {
    arguments: 2,
    call: (domain, [rawCommand = 0n, argument = 0n]) => {
      const command = Number(BigInt.asUintN(32, rawCommand));
      const number = command % 2 ** numberBits;
      const start = command >>> numberBits;
      const list = lists.get(number);
      if (list !== undefined) return list(memory, domain, argument, start);
      if (start > 0 && neverGoOn.has(number))
        throw new XenError('EINVAL', `operation ${number} of memory_op does not go on`);
      const found = start > 0 && !asEver.has(number) ? undefined : operations.get(number);
      if (found === undefined)
        throw new XenError('ENOSYS', `memory_op has no operation ${command}`);
      return found(memory, domain, argument);
    },
  };
}

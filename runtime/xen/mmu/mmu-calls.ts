/** mmu_update, update_va_mapping and mmuext_op (xen.h): lists of changes to page tables, and what goes with them. */
import { DOMID, MMUEXT, mmu_update, mmuext_op, UVMF } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { DomainContext } from '../domain-context.ts';
import { frameTypes } from '../frames.ts';
import { readStruct } from '../guest-array.ts';
import { Continuation, type Hypercall, type HypercallHandlers } from '../hypercalls/hypercall.ts';
import type { PvCpu } from '../pv-cpu.ts';
import type { Mmu } from './mmu.ts';

/** Set in a count that is the rest of an interrupted list, whose requests are counted on. */
const preempted = 0x8000_0000;
const mostDescriptors = 8192;

/** A request with its list index; throws as Xen answers. */
type Request = (
  domain: DomainContext,
  list: bigint,
  index: number,
  owner: number | undefined,
) => void;

/** `list, count, where to put how many were done, domain`. */
const listed = (
  type: typeof mmu_update | typeof mmuext_op,
  isThere: (domid: number) => boolean,
  request: Request,
): Hypercall => ({
  arguments: 4,
  call: (domain, [list = 0n, rawCount = 0n, done = 0n, rawForeign = 0n]) => {
    const foreign = Number(BigInt.asUintN(32, rawForeign));
    const wanted = Number(BigInt.asUintN(32, rawCount));
    // How Xen asks itself to go on giving up a table: what it answered then.
    if (wanted === preempted && list === 0n) return foreign | 0;
    const count = wanted % preempted;
    const before = wanted >= preempted ? (quietly(() => domain.guest.readU32(done)) ?? 0) : 0;
    const owner = ownerOf(domain, foreign, isThere);
    const end = domain.requests.upTo(count);
    let index = 0;
    try {
      for (; index < end; index++) request(domain, list, index, owner);
    } finally {
      if (done !== 0n) quietly(() => domain.guest.writeU32(done, (before + index) >>> 0));
    }
    if (end === count) return undefined;
    const rest = list + BigInt(end * type.size(domain.width));
    return new Continuation([rest, BigInt(count - end + preempted), done, rawForeign]);
  },
});

/** A place that cannot be used is passed over, and nobody is told. */
function quietly<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch (error) {
    if (error instanceof XenError) return undefined;
    throw error;
  }
}

/** Whose frames a list is about; undefined: the guest's own. A guest has no right to any other domain's. */
function ownerOf(
  { id }: DomainContext,
  foreign: number,
  isThere: (domid: number) => boolean,
): number | undefined {
  const [mapped, tables] = [foreign & 0xffff, foreign >>> 16];
  const refuse = (domid: number): never => {
    const isKnown = domid === DOMID.XEN || isThere(domid);
    throw new XenError(isKnown ? 'EPERM' : 'ESRCH', `domain ${id} may not use domain ${domid}'s`);
  };
  if (tables !== 0 && tables - 1 !== id && tables - 1 !== DOMID.SELF) refuse(tables - 1);
  if (mapped === DOMID.SELF || mapped === id) return undefined;
  return mapped === DOMID.IO ? DOMID.IO : refuse(mapped);
}

export function mmuHandlers(
  mmu: Mmu,
  pv: PvCpu,
  isThere: (domid: number) => boolean,
): HypercallHandlers {
  return {
    mmu_update: listed(mmu_update, isThere, (domain, list, index, owner) => {
      const { ptr, val } = readStruct(domain.guest, mmu_update, domain.width, list, index);
      mmu.update(ptr, val, owner);
    }),
    update_va_mapping: {
      arguments: 4,
      call: (domain, args) => updateMapping(mmu, domain, args, undefined),
    },
    update_va_mapping_otherdomain: {
      arguments: 5,
      call: (domain, args) => {
        const foreign = args[domain.width === 64 ? 3 : 4] ?? 0n;
        updateMapping(mmu, domain, args, ownerOf(domain, Number(foreign & 0xffffn), isThere));
      },
    },
    mmuext_op: notOfNone(
      listed(mmuext_op, isThere, (domain, list, index) => {
        const op = readStruct(domain.guest, mmuext_op, domain.width, list, index);
        extended(mmu, pv, domain, op);
      }),
    ),
  };
}

/** A 32-bit guest's list of none is not looked at. */
const notOfNone = (hypercall: Hypercall): Hypercall => ({
  ...hypercall,
  call: (domain, args) =>
    domain.width === 32 && args[1] === 0n ? undefined : hypercall.call(domain, args),
});

/** 32-bit guests give the entry in two registers. */
function updateMapping(
  mmu: Mmu,
  { width }: DomainContext,
  args: readonly bigint[],
  owner: number | undefined,
): undefined {
  const [address = 0n, low = 0n, third = 0n, fourth = 0n] = args;
  const value = width === 64 ? low : low | (third << 32n);
  const flags = Number((width === 64 ? third : fourth) & BigInt(UVMF.FLUSHTYPE_MASK));
  mmu.updateMapping(address, value, owner);
  if (flags === UVMF.TLB_FLUSH) mmu.tables.flush();
  if (flags === UVMF.INVLPG) mmu.tables.invalidate(address);
}

interface ExtendedOperation {
  readonly cmd: number;
  readonly arg1: bigint;
  readonly arg2: bigint;
}

type Extended = (mmu: Mmu, op: ExtendedOperation, pv: PvCpu, domain: DomainContext) => void;

const frame = ({ arg1 }: ExtendedOperation): number => Number(arg1 & 0xff_ffff_ffffn);

const pin =
  (type: (typeof frameTypes)['l1' | 'l2' | 'l3' | 'l4']): Extended =>
  (mmu, op) =>
    mmu.pin(frame(op), type);

const flush: Extended = ({ tables }) => tables.flush();
const invalidate: Extended = ({ tables }, { arg1 }) => tables.invalidate(arg1);
const only64 =
  (call: Extended): Extended =>
  (mmu, op, pv, domain) => {
    if (domain.width === 32) throw new XenError('EOPNOTSUPP', `mmuext_op ${op.cmd}`);
    call(mmu, op, pv, domain);
  };

/** A frame of the guest's own that it may write, as a host offset. */
function withPage(mmu: Mmu, page: number, writes: boolean, use: (host: number) => void): void {
  const { types, frames } = mmu;
  if (writes) types.getType(page, frameTypes.writable);
  else types.get(page);
  try {
    const host = frames.hostOf(page) ?? 0;
    if (writes) frames.memory.willWrite(host, pageSize);
    use(host);
  } finally {
    if (writes) types.putType(page);
    else types.put(page);
  }
}

const setLdt: Extended = ({ tables }, { arg1, arg2 }, pv) => {
  const entries = Number(arg2 & 0xffff_ffffn);
  if ((arg1 & BigInt(pageSize - 1)) !== 0n || entries > mostDescriptors)
    throw new XenError('EINVAL', `an LDT of ${entries} descriptors at 0x${arg1.toString(16)}`);
  pv.ldt = { base: arg1, entries };
  tables.flush();
};

const notPrivileged: Extended = (_, { cmd }) => {
  throw new XenError('EACCES', `mmuext_op ${cmd} is for domains with devices`);
};

const refusedAsInvalid: Extended = (_, { cmd }) => {
  throw new XenError('EINVAL', `mmuext_op ${cmd} is for domains with devices`);
};

const unsupported: Extended = (_, { cmd }) => {
  throw new XenError('EOPNOTSUPP', `mmuext_op ${cmd}`);
};

const extendedOperations = new Map<number, Extended>([
  [MMUEXT.PIN_L1_TABLE, pin(frameTypes.l1)],
  [MMUEXT.PIN_L2_TABLE, pin(frameTypes.l2)],
  [MMUEXT.PIN_L3_TABLE, pin(frameTypes.l3)],
  [MMUEXT.PIN_L4_TABLE, only64(pin(frameTypes.l4))],
  [MMUEXT.UNPIN_TABLE, (mmu, op) => mmu.unpin(frame(op))],
  [MMUEXT.NEW_BASEPTR, (mmu, op) => mmu.setKernelRoot(frame(op))],
  [MMUEXT.NEW_USER_BASEPTR, only64((mmu, op) => mmu.setUserRoot(frame(op)))],
  [MMUEXT.TLB_FLUSH_LOCAL, flush],
  [MMUEXT.TLB_FLUSH_MULTI, flush],
  [MMUEXT.TLB_FLUSH_ALL, flush],
  [MMUEXT.INVLPG_LOCAL, invalidate],
  [MMUEXT.INVLPG_MULTI, invalidate],
  [MMUEXT.INVLPG_ALL, invalidate],
  [MMUEXT.FLUSH_CACHE, notPrivileged],
  [MMUEXT.FLUSH_CACHE_GLOBAL, refusedAsInvalid],
  [MMUEXT.SET_LDT, setLdt],
  [MMUEXT.MARK_SUPER, unsupported],
  [MMUEXT.UNMARK_SUPER, unsupported],
  [
    MMUEXT.CLEAR_PAGE,
    (mmu, op) =>
      withPage(mmu, frame(op), true, (host) => {
        mmu.frames.memory.bytes().fill(0, host, host + pageSize);
      }),
  ],
  [
    MMUEXT.COPY_PAGE,
    (mmu, op) =>
      withPage(mmu, Number(op.arg2 & 0xff_ffff_ffffn), false, (from) =>
        withPage(mmu, frame(op), true, (to) => {
          mmu.frames.memory.bytes().copyWithin(to, from, from + pageSize);
        }),
      ),
  ],
]);

function extended(mmu: Mmu, pv: PvCpu, domain: DomainContext, op: ExtendedOperation): void {
  const call = extendedOperations.get(op.cmd);
  if (call === undefined) throw new XenError('ENOSYS', `mmuext_op has no operation ${op.cmd}`);
  call(mmu, op, pv, domain);
}

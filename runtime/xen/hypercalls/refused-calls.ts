/** Hypercalls that a domain without privileges is refused, each with the error that Xen 4.17 gives it. */
import {
  XEN_DOMCTL_INTERFACE_VERSION,
  XEN_SYSCTL_INTERFACE_VERSION,
  XENPF_INTERFACE_VERSION,
} from '../../abi/control.ts';
import { DOMID } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { Hypercall, HypercallHandlers } from './hypercall.ts';

const refused = (errno: string, why: string): Hypercall => ({
  arguments: 3,
  call: () => {
    throw new XenError(errno, why);
  },
});

/** A struct of a command and a version; who does not speak the version is told that first. */
const ofToolstack = (version: number): Hypercall => ({
  arguments: 1,
  call: ({ id, guest }, [at = 0n]) => {
    guest.readU32(at);
    if (guest.readU32(at + 4n) !== version) throw new XenError('EACCES', 'another version');
    throw new XenError('EPERM', `d${id} is no toolstack`);
  },
});

/** xenoprof.h: the last operation, and the two that ask what counters the machine has. */
const lastProfiling = 17n;
const asksForCounters: ReadonlySet<bigint> = new Set([0n, 14n]);

/** Lists of buffers are of two at most. */
const mostBuffers = 2n;

export const refusedHypercalls = (isThere: (domid: number) => boolean): HypercallHandlers => ({
  /** A Xen that is not built for debugging drops what is written. */
  console_io: refused('EPERM', 'the console of the machine is not the domain’s'),
  domctl: ofToolstack(XEN_DOMCTL_INTERFACE_VERSION),
  sysctl: ofToolstack(XEN_SYSCTL_INTERFACE_VERSION),
  platform_op: ofToolstack(XENPF_INTERFACE_VERSION),
  kexec_op: refused('EPERM', 'the machine is not the domain’s to restart'),
  hypfs_op: refused('EPERM', 'Xen’s own files'),
  xenpmu_op: refused('EOPNOTSUPP', 'there are no performance counters'),
  xenoprof_op: {
    arguments: 2,
    call: ({ id }, [rawOperation = 0n]) => {
      const operation = BigInt.asUintN(32, rawOperation);
      if (operation > lastProfiling) throw new XenError('EINVAL', `no operation ${operation}`);
      if (asksForCounters.has(operation)) throw new XenError('ENODEV', 'there are no counters');
      throw new XenError('EPERM', `d${id} profiles nobody`);
    },
  },
  dm_op: {
    arguments: 3,
    call: (_, [rawDomid = 0n, rawCount = 0n]) => {
      const count = BigInt.asUintN(32, rawCount);
      if (count > mostBuffers) throw new XenError('E2BIG', `${count} buffers`);
      if (count === 0n) throw new XenError('ENODATA', 'no operation');
      const domid = Number(rawDomid & 0xffffn);
      if (domid !== DOMID.SELF && !isThere(domid))
        throw new XenError('ESRCH', `there is no domain ${domid}`);
      throw new XenError('EPERM', `d${domid} has its devices from elsewhere`);
    },
  },
});

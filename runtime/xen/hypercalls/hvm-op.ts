/** HYPERVISOR_hvm_op: xen/include/public/hvm/hvm_op.h, as a PV domain finds it: nearly all of it is of others. */
import { HVMOP } from '../../abi/hvm-op.ts';
import { DOMID } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { SystemTime } from '../time/system-time.ts';
import { type Hypercall, multiplexed, type Operation } from './hypercall.ts';

/** Trace events that a guest may make, and how many bytes of its own go with one. */
const mostTraceEvent = 0xfff;
const mostTraceBytes = 28;

export function hvmOp(time: SystemTime, isThere: (domid: number) => boolean): Hypercall {
  /** The struct begins with the number of a domain, which is no HVM one. */
  const ofDomain = (number: number, errnoOfOthers: string): Operation => ({
    number,
    call: ({ guest, id }, at) => {
      const domid = (guest.readU32(at) & 0xffff) >>> 0;
      const isOwn = domid === DOMID.SELF || domid === id;
      if (!isOwn && !isThere(domid)) throw new XenError('ESRCH', `there is no domain ${domid}`);
      throw new XenError(isOwn ? 'EINVAL' : errnoOfOthers, `d${domid} is no HVM domain`);
    },
  });
  const refused = (number: number, errno: string): Operation => ({
    number,
    call: () => {
      throw new XenError(errno, 'not for a PV domain');
    },
  });

  return multiplexed('hvm_op', {
    set_param: ofDomain(HVMOP.set_param, 'EINVAL'),
    get_param: ofDomain(HVMOP.get_param, 'EINVAL'),
    flush_tlbs: refused(HVMOP.flush_tlbs, 'EINVAL'),
    pagetable_dying: ofDomain(HVMOP.pagetable_dying, 'EOPNOTSUPP'),
    get_time: {
      number: HVMOP.get_time,
      call: ({ guest }, at) => {
        guest.writeU64(at, time.now());
        return 0;
      },
    },
    /** Event and bytes, 16 bits each; nobody traces. */
    xentrace: {
      number: HVMOP.xentrace,
      call: ({ guest }, at) => {
        const word = guest.readU32(at);
        if ((word & 0xffff) > mostTraceEvent || word >>> 16 > mostTraceBytes)
          throw new XenError('EINVAL', 'no event of a guest');
        return 0;
      },
    },
    get_mem_type: ofDomain(HVMOP.get_mem_type, 'EPERM'),
    set_evtchn_upcall_vector: refused(HVMOP.set_evtchn_upcall_vector, 'EINVAL'),
    guest_request_vm_event: {
      number: HVMOP.guest_request_vm_event,
      call: (_, at) => {
        if (at !== 0n) throw new XenError('EINVAL', 'a request takes no argument');
        return 0;
      },
    },
    altp2m: refused(HVMOP.altp2m, 'EOPNOTSUPP'),
  });
}

/** HYPERVISOR_vcpu_op: xen/include/public/vcpu.h, for domains of one vCPU. */

import { SHUTDOWN } from '../../abi/sched.ts';
import {
  VCPUOP,
  vcpu_register_runstate_memory_area,
  vcpu_register_time_memory_area,
  vcpu_register_vcpu_info,
  vcpu_set_periodic_timer,
  vcpu_set_singleshot_timer,
} from '../../abi/vcpu.ts';
import { vcpu_info } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import { pageSize } from '../../memory/machine-memory.ts';
import type { DomainContext } from '../domain-context.ts';
import type { EventBits } from '../events/event-bits.ts';
import { frameTypes } from '../frames.ts';
import { type Hypercall, multiplexed, type Operation, operation } from '../hypercalls/hypercall.ts';
import type { VcpuTime } from '../time/vcpu-time.ts';
import type { VcpuTimers } from '../time/vcpu-timers.ts';

/** Between 1 ms and what Xen's timers can be set to. */
const shortestPeriod = 1_000_000n;
const longestPeriod = (1n << 62n) - 1n;

export interface VcpuParts {
  readonly bits: EventBits;
  readonly vcpuTime: VcpuTime;
  readonly timers: VcpuTimers;
  readonly sendNmi: () => void;
}

const plain = (number: number, call: Operation['call']): Operation => ({ number, call });

type Operations = Readonly<Record<string, Operation>>;

export function vcpuOp(parts: VcpuParts): Hypercall {
  const operations = multiplexed('vcpu_op', {
    ...stateOperations(parts),
    ...timerOperations(parts),
    ...areaOperations(parts),
  });
  return {
    arguments: 3,
    call: (domain, [number = 0n, vcpu = 0n, argument = 0n]) => {
      if (BigInt.asUintN(32, vcpu) !== 0n) throw new XenError('ENOENT', `there is no vCPU ${vcpu}`);
      return operations.call(domain, [number, argument]);
    },
  };
}

const stateOperations = ({ sendNmi }: VcpuParts): Operations => ({
  initialise: plain(VCPUOP.initialise, (domain, context) => {
    domain.guest.readBytes(context, 1);
    throw new XenError('EEXIST', 'the vCPU runs already');
  }),
  up: plain(VCPUOP.up, () => 0),
  down: plain(VCPUOP.down, ({ vcpu }) => {
    vcpu.shutdown ??= vcpu.shutdownCode ?? SHUTDOWN.poweroff;
    return 0;
  }),
  is_up: plain(VCPUOP.is_up, () => 1),
  send_nmi: plain(VCPUOP.send_nmi, (_, argument) => {
    if (argument !== 0n) throw new XenError('EINVAL', 'an NMI takes no argument');
    sendNmi();
    return 0;
  }),
  get_physid: plain(VCPUOP.get_physid, () => {
    throw new XenError('EINVAL', 'the vCPU is bound to no processor');
  }),
});

const timerOperations = ({ timers }: VcpuParts): Operations => ({
  set_periodic_timer: operation(
    VCPUOP.set_periodic_timer,
    vcpu_set_periodic_timer,
    (_, { period_ns }) => {
      if (period_ns < shortestPeriod || period_ns > longestPeriod)
        throw new XenError('EINVAL', `no period of ${period_ns} ns`);
      timers.setPeriod(period_ns);
      return 0;
    },
  ),
  stop_periodic_timer: plain(VCPUOP.stop_periodic_timer, () => {
    timers.setPeriod(undefined);
    return 0;
  }),
  /** Whatever VCPU_SSHOTTMR_future says: the event of a time that is past comes at once. */
  set_singleshot_timer: operation(
    VCPUOP.set_singleshot_timer,
    vcpu_set_singleshot_timer,
    (_, { timeout_abs_ns }) => {
      timers.setSingleshot(BigInt.asIntN(64, timeout_abs_ns));
      return 0;
    },
  ),
  stop_singleshot_timer: plain(VCPUOP.stop_singleshot_timer, () => {
    timers.setSingleshot(undefined);
    return 0;
  }),
});

const areaOperations = (parts: VcpuParts): Operations => ({
  get_runstate_info: plain(VCPUOP.get_runstate_info, ({ guest }, at) => {
    guest.writeBytes(at, parts.vcpuTime.runstate());
    return 0;
  }),
  register_runstate_memory_area: operation(
    VCPUOP.register_runstate_memory_area,
    vcpu_register_runstate_memory_area,
    ({ width }, { addr }) => {
      parts.vcpuTime.registerRunstateArea(BigInt.asUintN(width, addr));
      return 0;
    },
  ),
  register_vcpu_info: operation(
    VCPUOP.register_vcpu_info,
    vcpu_register_vcpu_info,
    (domain, { mfn, offset }) => {
      moveVcpuInfo(domain, parts, mfn, offset);
      return 0;
    },
  ),
  register_vcpu_time_memory_area: operation(
    VCPUOP.register_vcpu_time_memory_area,
    vcpu_register_time_memory_area,
    ({ width }, { addr }) => {
      parts.vcpuTime.registerTimeArea(BigInt.asUintN(width, addr));
      return 0;
    },
  ),
});

/** Once in a vCPU's life. What it holds goes along, and all words of the selector are set, so that the guest looks at each. */
function moveVcpuInfo(
  { id, frames, memory, vcpu, width }: DomainContext,
  { bits, vcpuTime }: VcpuParts,
  mfn: bigint,
  offset: number,
): void {
  const size = vcpu_info.size(width);
  if (offset > pageSize - size || offset % vcpu_info.alignment(width) !== 0)
    throw new XenError('ENXIO', `no vcpu_info at ${offset} of a page`);
  if (vcpu.hasMovedInfo) throw new XenError('EINVAL', 'vcpu_info has its place already');
  const frame = mfn < 2n ** 32n ? Number(mfn) : -1;
  const host = frames.hostOf(frame);
  if (host === undefined || frames.ownerOf(frame) !== id)
    throw new XenError('EINVAL', `machine frame ${mfn} is not the domain's`);
  const type = frames.typeOf(frame);
  if (type !== frameTypes.writable && frames.typeCountOf(frame) > 0)
    throw new XenError('EINVAL', `machine frame ${mfn} is not writable`);
  frames.setType(frame, frameTypes.writable);
  frames.addTypeCount(frame, 1);
  frames.addReference(frame, 1);
  memory.willWrite(host + offset, size);
  memory.bytes().copyWithin(host + offset, vcpu.info, vcpu.info + size);
  vcpu.info = host + offset;
  vcpu.hasMovedInfo = true;
  bits.selectAll();
  vcpuTime.update();
}

/** A domain with all that a vCPU's hypercalls act on, whose guest is the test. */
import type { Width } from '../../runtime/memory/layout.ts';
import type { HypercallHandlers } from '../../runtime/xen/hypercalls/hypercall.ts';
import { schedulerHypercalls } from '../../runtime/xen/scheduler/sched-op.ts';
import { vcpuOp } from '../../runtime/xen/scheduler/vcpu-op.ts';
import { SystemTime } from '../../runtime/xen/time/system-time.ts';
import { VcpuTime } from '../../runtime/xen/time/vcpu-time.ts';
import { VcpuTimers } from '../../runtime/xen/time/vcpu-timers.ts';
import { type EventDomain, eventDomains } from './event-domain.ts';

export interface VcpuDomain extends EventDomain {
  readonly time: SystemTime;
  readonly timers: VcpuTimers;
  readonly handlers: HypercallHandlers;
}

export function vcpuDomain(width: Width, sendNmi = (): void => {}): VcpuDomain {
  const { one } = eventDomains(width);
  const { domain, clock, channels, bits } = one;
  const time = new SystemTime(clock);
  const timers = new VcpuTimers(time, domain.vcpu, (virq) => channels.sendVirq(virq));
  const vcpuTime = new VcpuTime(domain, time);
  const isThere = (domid: number): boolean => domid <= 2;
  const handlers = {
    ...schedulerHypercalls({ channels, time, timers, isThere }),
    vcpu_op: vcpuOp({ bits, vcpuTime, timers, sendNmi }),
  };
  return { ...one, time, timers, handlers };
}

/** HYPERVISOR_sched_op, its predecessor and set_timer_op: xen/include/public/sched.h. */
import {
  SCHEDOP,
  sched_poll,
  sched_remote_shutdown,
  sched_shutdown,
  sched_watchdog,
} from '../../abi/sched.ts';
import { DOMID } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import type { DomainContext } from '../domain-context.ts';
import type { EventBits } from '../events/event-bits.ts';
import type { EventChannels } from '../events/event-channels.ts';
import {
  type HypercallHandlers,
  multiplexed,
  type Operation,
  operation,
} from '../hypercalls/hypercall.ts';
import type { SystemTime } from '../time/system-time.ts';
import type { VcpuTimers } from '../time/vcpu-timers.ts';

const mostPolledPorts = 128;
/** A timer 2^50 ns or further away is taken for a counter that wrapped, and comes after this long. */
const wrappedTimer = 100_000_000n;

export interface SchedulerParts {
  readonly channels: EventChannels;
  readonly time: SystemTime;
  readonly timers: VcpuTimers;
  readonly isThere: (domid: number) => boolean;
}

export function schedulerHypercalls(parts: SchedulerParts): HypercallHandlers {
  const plain = (number: number, call: (domain: DomainContext) => void): Operation => ({
    number,
    call: (domain) => {
      call(domain);
      return 0;
    },
  });
  const block = plain(SCHEDOP.block, (domain) => blockVcpu(domain, parts));
  const yieldSlice = plain(SCHEDOP.yield, ({ vcpu }) => {
    vcpu.hasYielded = true;
  });

  return {
    sched_op: multiplexed('sched_op', {
      yield: yieldSlice,
      block,
      shutdown: operation(SCHEDOP.shutdown, sched_shutdown, (domain, { reason }) => {
        shutDown(domain, reason);
        return 0;
      }),
      poll: operation(SCHEDOP.poll, sched_poll, (domain, { ports, nr_ports, timeout }) => {
        poll(domain, parts, { ports, count: nr_ports, timeout });
        return 0;
      }),
      remote_shutdown: operation(
        SCHEDOP.remote_shutdown,
        sched_remote_shutdown,
        (domain, { domain_id }) => refuseRemote(domain, parts, domain_id),
      ),
      shutdown_code: operation(SCHEDOP.shutdown_code, sched_shutdown, (domain, { reason }) => {
        domain.vcpu.shutdownCode ??= reason & 0xff;
        return 0;
      }),
      watchdog: operation(SCHEDOP.watchdog, sched_watchdog, (_, { id, timeout }) =>
        parts.timers.watchdog(id, timeout),
      ),
      pin_override: plain(SCHEDOP.pin_override, ({ id }) => {
        throw new XenError('EPERM', `d${id} may not choose its processor`);
      }),
    }),
    sched_op_compat: multiplexed('sched_op_compat', {
      yield: yieldSlice,
      block,
      shutdown: {
        number: SCHEDOP.shutdown,
        call: (domain, reason) => {
          shutDown(domain, Number(reason & 0xffn));
          return 0;
        },
      },
    }),
    set_timer_op: {
      arguments: 2,
      call: ({ width }, [low = 0n, high = 0n]) => {
        const at = width === 64 ? low : (high << 32n) | low;
        setTimer(parts, BigInt.asIntN(64, at));
        return 0;
      },
    },
  };
}

/** Only what the low byte says is kept; what was said first by SCHEDOP_shutdown_code holds. */
function shutDown({ vcpu }: DomainContext, reason: number): void {
  vcpu.shutdown ??= vcpu.shutdownCode ?? reason & 0xff;
}

/** Events are enabled first, as by `sti; hlt`. */
function blockVcpu({ vcpu }: DomainContext, { channels: { bits } }: SchedulerParts): void {
  bits.enableUpcalls();
  if (bits.isDeliverable) return;
  vcpu.waiting = { isOver: () => bits.isDeliverable, until: undefined };
}

interface Polled {
  readonly ports: bigint;
  readonly count: number;
  /** By system time; 0: for ever. */
  readonly timeout: bigint;
}

function poll(
  { guest, vcpu }: DomainContext,
  { channels, time }: SchedulerParts,
  { ports, count, timeout }: Polled,
): void {
  const { bits } = channels;
  if (count > mostPolledPorts) throw new XenError('EINVAL', `${count} ports to poll`);
  if (bits.isDeliverable) return;
  let last = 0;
  for (let i = 0; i < count; i++) {
    last = guest.readU32(ports + BigInt(4 * i));
    const { state } = channels.channel(last);
    if (state === 'free' || state === 'reserved')
      throw new XenError('EINVAL', `port ${last} is not bound`);
    if (bits.isPending(last)) return;
  }
  vcpu.waiting = {
    isOver: wakesFor(bits, count === 1 ? last : undefined),
    until: timeout === 0n ? undefined : time.toMonotonic(BigInt.asIntN(64, timeout)),
  };
}

/** Xen remembers one port; who polls more, or none, is woken by every event, and an upcall that becomes pending wakes all. */
function wakesFor(bits: EventBits, port: number | undefined): () => boolean {
  const { arrivals, isUpcallPending } = bits;
  return () =>
    (port === undefined ? bits.arrivals !== arrivals : bits.isPending(port)) ||
    bits.isDeliverable ||
    (!isUpcallPending && bits.isUpcallPending);
}

function refuseRemote({ id }: DomainContext, { isThere }: SchedulerParts, other: number): never {
  if (other === DOMID.SELF || !isThere(other))
    throw new XenError('ESRCH', `there is no domain ${other}`);
  throw new XenError('EPERM', `d${id} has no power over d${other}`);
}

function setTimer({ time, timers }: SchedulerParts, at: bigint): void {
  const now = time.now();
  const offset = at - now;
  if (at === 0n) timers.setSingleshot(undefined);
  else if (at < 0n || (offset > 0n && offset >> 50n !== 0n))
    timers.setSingleshot(now + wrappedTimer);
  else timers.setSingleshot(at);
}

/** HYPERVISOR_event_channel_op: xen/include/public/event_channel.h, as a domain without privileges finds it. */
import {
  EVTCHNOP,
  EVTCHNSTAT,
  evtchn_alloc_unbound,
  evtchn_bind_interdomain,
  evtchn_bind_ipi,
  evtchn_bind_pirq,
  evtchn_bind_vcpu,
  evtchn_bind_virq,
  evtchn_close,
  evtchn_expand_array,
  evtchn_init_control,
  evtchn_reset,
  evtchn_send,
  evtchn_set_priority,
  evtchn_status,
  evtchn_unmask,
} from '../../abi/event-channel.ts';
import { DOMID } from '../../abi/xen.ts';
import { XenError } from '../../errors.ts';
import {
  type Hypercall,
  type HypercallHandlers,
  multiplexed,
  operation,
} from '../hypercalls/hypercall.ts';
import type { Channel, EventPeers } from './channel.ts';
import type { EventChannels } from './event-channels.ts';

/** Lines of the interrupt controllers of the machine that results were recorded on, and 32 more. */
const physicalInterrupts = 56;

export function eventHypercalls(channels: EventChannels, peers: EventPeers): HypercallHandlers {
  const event_channel_op = eventChannelOp(channels, peers);
  return {
    event_channel_op,
    /** A struct with the operation's number in front of its argument. */
    event_channel_op_compat: {
      arguments: 1,
      call: (domain, [at = 0n]) => {
        const number = domain.guest.readU32(at);
        if (number > EVTCHNOP.unmask)
          throw new XenError('ENOSYS', `event_channel_op_compat has no operation ${number}`);
        return event_channel_op.call(domain, [BigInt(number), at + 4n]);
      },
    },
  };
}

/** `peers` are the domains that there are: asking about one of them is refused otherwise than about none. */
const eventChannelOp = (channels: EventChannels, peers: EventPeers): Hypercall => {
  const own = (domid: number, port = 0): void => {
    if (domid === DOMID.SELF || domid === channels.domid) return;
    const peer = peers(domid);
    if (peer === undefined) throw new XenError('ESRCH', `there is no domain ${domid}`);
    if (!peer.isValid(port)) throw new XenError('EINVAL', `d${domid} has no port ${port}`);
    throw new XenError('EPERM', `d${channels.domid} has no power over d${domid}`);
  };

  return multiplexed('event_channel_op', {
    bind_interdomain: operation(EVTCHNOP.bind_interdomain, evtchn_bind_interdomain, (_, a) => {
      a.local_port = channels.bindInterdomain(a.remote_dom, a.remote_port);
    }),
    bind_virq: operation(EVTCHNOP.bind_virq, evtchn_bind_virq, (_, a) => {
      a.port = channels.bindVirq(a.virq, a.vcpu);
    }),
    bind_pirq: operation(EVTCHNOP.bind_pirq, evtchn_bind_pirq, (_, { pirq }) => {
      if (pirq >= physicalInterrupts) throw new XenError('EINVAL', `there is no PIRQ ${pirq}`);
      throw new XenError('EPERM', `d${channels.domid} may use no PIRQ`);
    }),
    close: operation(EVTCHNOP.close, evtchn_close, (_, { port }) => {
      channels.close(port);
    }),
    send: operation(EVTCHNOP.send, evtchn_send, (_, { port }) => {
      channels.send(port);
    }),
    status: operation(EVTCHNOP.status, evtchn_status, (_, a) => {
      own(a.dom, a.port);
      const channel = channels.channel(a.port);
      a.status = statusOf(channel);
      a.vcpu = 0;
      a.u = detailOf(channel, a.u[0] ?? 0);
    }),
    alloc_unbound: operation(EVTCHNOP.alloc_unbound, evtchn_alloc_unbound, (_, a) => {
      own(a.dom);
      a.port = channels.allocateUnbound(a.remote_dom);
    }),
    bind_ipi: operation(EVTCHNOP.bind_ipi, evtchn_bind_ipi, (_, a) => {
      a.port = channels.bindIpi(a.vcpu);
    }),
    bind_vcpu: operation(EVTCHNOP.bind_vcpu, evtchn_bind_vcpu, (_, { port, vcpu }) => {
      channels.bindVcpu(port, vcpu);
    }),
    unmask: operation(EVTCHNOP.unmask, evtchn_unmask, (_, { port }) => {
      channels.unmask(port);
    }),
    reset: operation(EVTCHNOP.reset, evtchn_reset, (_, { dom }) => {
      own(dom);
      channels.reset();
    }),
    init_control: operation(EVTCHNOP.init_control, evtchn_init_control, () => noFifo()),
    expand_array: operation(EVTCHNOP.expand_array, evtchn_expand_array, () => noFifo()),
    set_priority: operation(EVTCHNOP.set_priority, evtchn_set_priority, (_, { port }) => {
      channels.channel(port);
      noFifo();
    }),
  });
};

/** Guests fall back to the two-level ABI, as they do on a Xen before 4.4. */
function noFifo(): never {
  throw new XenError('ENOSYS', 'there is only the two-level event ABI');
}

// biome-ignore format: a table
const statuses = {
  free: EVTCHNSTAT.closed, reserved: EVTCHNSTAT.closed, unbound: EVTCHNSTAT.unbound, interdomain: EVTCHNSTAT.interdomain,
  virq: EVTCHNSTAT.virq, ipi: EVTCHNSTAT.ipi,
} as const satisfies Record<Channel['state'], number>;

const statusOf = ({ state }: Channel): number => statuses[state];

/** The words of evtchn_status's union; what a state does not say stays as the guest gave it: a domid is half a word. */
function detailOf(channel: Channel, given: number): number[] {
  const domid = (number: number): number => ((given & 0xffff_0000) | number) >>> 0;
  switch (channel.state) {
    case 'unbound':
      return [domid(channel.domid)];
    case 'interdomain':
      return [domid(channel.remote.domid), channel.remote.port];
    case 'virq':
      return [channel.virq];
    default:
      return [];
  }
}

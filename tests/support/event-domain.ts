/** Domains with event channels, whose guest is the test. */
import type { Width } from '../../runtime/memory/layout.ts';
import type { EventPeer, EventPeers } from '../../runtime/xen/events/channel.ts';
import { EventBits } from '../../runtime/xen/events/event-bits.ts';
import { EventChannels } from '../../runtime/xen/events/event-channels.ts';
import { HostEvents } from '../../runtime/xen/events/host-events.ts';
import { type TestDomain, testDomain } from './xen-domain.ts';

export interface EventDomain extends TestDomain {
  readonly channels: EventChannels;
  readonly bits: EventBits;
  /** How often a vCPU that waits would have looked again. */
  readonly wakes: () => number;
}

/** d1 and d2, beside the host. */
export function eventDomains(width: Width): {
  one: EventDomain;
  two: EventDomain;
  host: HostEvents;
  peers: EventPeers;
} {
  const peers = new Map<number, EventPeer>();
  const host = new HostEvents();
  peers.set(0, host);
  const make = (id: number): EventDomain => {
    const parts = testDomain(width, id);
    const { memory, sharedInfo, vcpu } = parts.domain;
    let wakes = 0;
    const bits = new EventBits(memory, width, sharedInfo, vcpu);
    const channels = new EventChannels({
      ...{ domid: id, bits, peers: (domid) => peers.get(domid) },
      changed: () => {
        wakes++;
      },
    });
    peers.set(id, channels);
    return { ...parts, channels, bits, wakes: () => wakes };
  };
  return { one: make(1), two: make(2), host, peers: (domid) => peers.get(domid) };
}

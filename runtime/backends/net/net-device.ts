/** A virtual network interface: its nodes in the store (xen/io/netif.h, and those that libxl writes), and a back-end while it is connected. */
import type { Clock } from '../../domain/clock.ts';
import type { EventPort, EventPorts } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import { macText } from '../../network/addresses.ts';
import { type Link, mtu } from '../../network/frame.ts';
import type { Trace } from '../../trace.ts';
import type { StoreClient } from '../../xenstore/client.ts';
import { GrantCache } from '../grant-cache.ts';
import { Backend, type BackendDevice, type FrontendNodes } from '../handshake.ts';
import { allOrNothing, type Held } from '../held.ts';
import { createDevice, type Device, type DeviceNodes } from '../xenbus.ts';
import { NetBackend, type NetPorts } from './net-backend.ts';
import type { ReceiverFeatures } from './receiver.ts';

/** Of a front-end that grants its pages once, as those of blkif may (`feature-persistent`): as many as both rings have. */
const mostKept = 512;

export interface NetDeviceSpecification {
  /** Counts a domain's interfaces from 0. */
  readonly handle: number;
  /** Six bytes. */
  readonly mac: Uint8Array;
  /** The guest's end of its cable. */
  readonly link: Link;
  /** As the tools write it for front-ends that ask: Mini-OS's takes it for its own. */
  readonly ip?: string | undefined;
  readonly bridge?: string | undefined;
}

export interface NetDeviceParts {
  readonly specification: NetDeviceSpecification;
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly ports: EventPorts;
  readonly clock: Clock;
  readonly trace?: Trace | undefined;
}

/** Makes the device's directories for that domain and serves it. The link is still its owner's. */
export function serveNetDevice(store: StoreClient, domain: number, parts: NetDeviceParts): Backend {
  const { handle, mac, ip, bridge } = parts.specification;
  const place: Device = { type: 'vif', frontend: domain, backend: 0, id: handle };
  createDevice(store, place, {
    frontend: { handle, mac: macText(mac), mtu, trusted: 1 },
    backend: {
      ...{ script: '', mac: macText(mac), bridge: bridge ?? '', handle, type: 'vif' },
      ...(ip === undefined ? {} : { ip }),
    },
  });
  const device = new NetDevice(parts, `vif${domain}.${handle}`, (reason) =>
    backend.fail(new XenError('EINVAL', reason)),
  );
  const backend = new Backend({ store, place, device });
  return backend;
}

interface Connection {
  readonly backend: NetBackend;
  readonly held: Held;
}

class NetDevice implements BackendDevice {
  readonly #parts: NetDeviceParts;
  readonly #name: string;
  readonly #onBroken: (reason: string) => void;
  #connection: Connection | undefined;

  constructor(parts: NetDeviceParts, name: string, onBroken: (reason: string) => void) {
    this.#parts = parts;
    this.#name = name;
    this.#onBroken = onBroken;
  }

  advertise(): DeviceNodes {
    return {
      'feature-sg': 1,
      'feature-gso-tcpv4': 1,
      'feature-gso-tcpv6': 1,
      'feature-ipv6-csum-offload': 1,
      'feature-rx-copy': 1,
      'feature-rx-flip': 0,
      'feature-split-event-channels': 1,
      'feature-persistent': 1,
    };
  }

  connect(front: FrontendNodes): DeviceNodes {
    const { memory, granted, ports, clock, trace, specification } = this.#parts;
    if (front.find('request-rx-copy') !== '1')
      throw new XenError('EOPNOTSUPP', 'request-rx-copy: pages are not flipped, only copied into');
    const most = front.find('feature-persistent') === '1' ? mostKept : 0;
    const { held, ...rings } = allOrNothing((held) => {
      const page = (name: string): number => held.page(granted, front.reference(name));
      const pages = { transmit: page('tx-ring-ref'), receive: page('rx-ring-ref') };
      const kept = held.keep(new GrantCache(granted, most), (cache) => cache.close());
      return { held, pages, granted: kept, ports: bindPorts(held, ports, front) };
    });
    const backend = new NetBackend({
      ...{ name: this.#name, memory, clock, trace, link: specification.link },
      ...rings,
      features: featuresOf(front),
      onBroken: this.#onBroken,
    });
    this.#connection = { backend, held };
    // Frames may be there already; what they bring must not come between us and being connected.
    queueMicrotask(() => backend.serve());
    return { 'hotplug-status': 'connected' };
  }

  disconnect(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    connection.backend.close();
    connection.held.release();
  }
}

/** One for both directions, or one for each. */
function bindPorts(held: Held, ports: EventPorts, front: FrontendNodes): NetPorts {
  const bind = (name: string): EventPort => held.port(ports, front.port(name));
  if (front.find('event-channel-tx') !== undefined)
    return { transmit: bind('event-channel-tx'), receive: bind('event-channel-rx') };
  const both = bind('event-channel');
  return { transmit: both, receive: both };
}

function featuresOf(front: FrontendNodes): ReceiverFeatures {
  const has = (name: string): boolean => front.find(name) === '1';
  const scatters = has('feature-sg');
  return {
    scatters,
    segments: { 4: scatters && has('feature-gso-tcpv4'), 6: scatters && has('feature-gso-tcpv6') },
    checksums: { 4: !has('feature-no-csum-offload'), 6: has('feature-ipv6-csum-offload') },
  };
}

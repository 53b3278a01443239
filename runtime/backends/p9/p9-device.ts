/** A folder that a guest mounts by 9P: its nodes in the store (xen/io/9pfs.h, and those that libxl writes), and its sessions. */
import { mostRingReferences, xen_9pfs_data_intf } from '../../abi/io/9pfs.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EventPorts } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { StoreClient } from '../../xenstore/client.ts';
import type { Folder } from '../folder/folder.ts';
import { Backend, type BackendDevice, type FrontendNodes } from '../handshake.ts';
import { allOrNothing, type Held } from '../held.ts';
import { createDevice, type Device, type DeviceNodes } from '../xenbus.ts';
import { ByteRings } from './byte-rings.ts';
import { P9Backend } from './p9-backend.ts';
import { NinePSession } from './session.ts';

const mostRings = 4;
/** 2^9 pages: two halves of 1 MiB. */
const mostRingOrder = 9;

export interface P9Specification {
  /** What the guest mounts it by. */
  readonly tag: string;
  readonly folder: Folder;
  readonly isReadOnly: boolean;
  /** For whoever looks into the store. */
  readonly path?: string | undefined;
}

export interface P9DeviceParts {
  readonly specification: P9Specification;
  /** Counts a domain's folders from 0. */
  readonly id: number;
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly ports: EventPorts;
  readonly clock: Clock;
}

export function serveP9Device(store: StoreClient, domain: number, parts: P9DeviceParts): Backend {
  const { tag, path = '' } = parts.specification;
  const place: Device = { type: '9pfs', frontend: domain, backend: 0, id: parts.id };
  createDevice(store, place, { frontend: { tag }, backend: { path, security_model: 'none' } });
  const device = new P9Device(parts, (reason) => backend.fail(new XenError('EINVAL', reason)));
  const backend = new Backend({ store, place, device });
  return backend;
}

interface Connection {
  readonly backend: P9Backend;
  readonly held: Held;
}

class P9Device implements BackendDevice {
  readonly #parts: P9DeviceParts;
  readonly #onBroken: (reason: string) => void;
  #session: NinePSession | undefined;
  #connections: Connection[] = [];

  constructor(parts: P9DeviceParts, onBroken: (reason: string) => void) {
    this.#parts = parts;
    this.#onBroken = onBroken;
  }

  advertise(): DeviceNodes {
    return { versions: '1', 'max-rings': mostRings, 'max-ring-page-order': mostRingOrder };
  }

  connect(front: FrontendNodes): DeviceNodes {
    const version = front.find('version');
    if (version !== '1') throw new XenError('EINVAL', `version: expected 1, not ${version}`);
    const count = front.number('num-rings', mostRings);
    if (count === 0) throw new XenError('EINVAL', 'num-rings: none');
    allOrNothing((held) => {
      held.keep(this, (device) => device.disconnect());
      for (let n = 0; n < count; n++) this.#connections.push(this.#open(front, n));
    });
    for (const { backend } of this.#connections) queueMicrotask(() => backend.serve());
    return {};
  }

  disconnect(): void {
    const connections = this.#connections;
    this.#connections = [];
    for (const { backend, held } of connections) {
      backend.close();
      held.release();
    }
    this.#session?.close();
    this.#session = undefined;
  }

  /** All rings are one session, as one mount. */
  #open(front: FrontendNodes, n: number): Connection {
    const { memory, granted, ports, clock } = this.#parts;
    return allOrNothing((held) => {
      const page = held.page(granted, front.reference(`ring-ref${n}`));
      const pages = ringReferences(memory, page).map((reference) => held.page(granted, reference));
      const rings = new ByteRings({ memory, interface: page, pages });
      this.#session ??= this.#newSession(rings.size);
      const port = held.port(ports, front.port(`event-channel-${n}`));
      const parts = { rings, port, clock, session: this.#session, onBroken: this.#onBroken };
      return { backend: new P9Backend(parts), held };
    });
  }

  #newSession(longest: number): NinePSession {
    const { folder, isReadOnly } = this.#parts.specification;
    const now = (): bigint => this.#parts.clock.realtime();
    return new NinePSession({ folder, isReadOnly, longest, now });
  }
}

/** Read once. */
function ringReferences(memory: MachineMemory, host: number): number[] {
  const layout = xen_9pfs_data_intf.layout(64);
  const page = layout.at(memory.bytes().slice(host, host + layout.size), 0);
  const order = page.ring_order;
  if (order < 1 || order > mostRingOrder || 2 ** order > mostRingReferences)
    throw new XenError('EINVAL', `ring_order ${order}: expected 1 to ${mostRingOrder}`);
  return page.ref.slice(0, 2 ** order);
}

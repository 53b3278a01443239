/** A virtual block device: its nodes in the store (xen/io/blkif.h, and those that libxl writes), and a back-end while it is connected. */
import { VDISK } from '../../abi/io/blkif.ts';
import { XEN_IO_PROTO_ABI } from '../../abi/io/protocols.ts';
import type { Clock } from '../../domain/clock.ts';
import type { EventPorts } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { Width } from '../../memory/layout.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { Trace } from '../../trace.ts';
import type { StoreClient } from '../../xenstore/client.ts';
import { Backend, type BackendDevice, type FrontendNodes } from '../handshake.ts';
import { allOrNothing, type Held } from '../held.ts';
import { createDevice, type Device, type DeviceNodes } from '../xenbus.ts';
import { BlockBackend } from './block-backend.ts';
import { deviceNumber } from './device-number.ts';
import { type Disk, sectorSize } from './disk.ts';
import { type Protocol, protocols } from './protocol.ts';
import { mostIndirectSegments } from './transfer.ts';

/** A ring has 2^4 pages at most, as with Linux's back-end. */
const mostPageOrder = 4;

/** A disk, and how a guest is to see it. */
export interface BlockDeviceSpecification {
  /** As xl has it: `xvda`, `sda1`, `hdc`. */
  readonly vdev: string;
  readonly disk: Disk;
  /** Where its sectors come from, for whoever looks into the store. */
  readonly target?: string;
  /** What the target is; raw, if not given. */
  readonly format?: 'raw' | 'qcow2';
  readonly isCdrom?: boolean;
  /** Whether discarding is offered, where the disk knows it; yes, if not given. */
  readonly discards?: boolean;
  readonly isDirectIoSafe?: boolean;
}

/** A CD-ROM drive with nothing in it. */
export interface EmptyDrive {
  readonly vdev: string;
  readonly disk: undefined;
}

export interface BlockDeviceParts {
  readonly specification: BlockDeviceSpecification;
  /** Of the guest: the protocol of a front-end that names none. */
  readonly width: Width;
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly ports: EventPorts;
  readonly clock: Clock;
  readonly trace?: Trace | undefined;
}

/** Makes the device's directories for that domain and serves it. The disk is still its owner's to close. */
export function serveBlockDevice(
  store: StoreClient,
  domain: number,
  parts: BlockDeviceParts,
): Backend {
  const { vdev } = parts.specification;
  const place: Device = { type: 'vbd', frontend: domain, backend: 0, id: deviceNumber(vdev) };
  createDevice(store, place, nodesOf(parts.specification, place.id));
  const device = new BlockDevice(parts, (reason) => backend.fail(new XenError('EINVAL', reason)));
  const backend = new Backend({ store, place, device });
  return backend;
}

/** As under xl: it is in the store, and nobody ever serves it. */
export function createEmptyDrive(store: StoreClient, domain: number, { vdev }: EmptyDrive): void {
  const id = deviceNumber(vdev);
  const nodes = { 'virtual-device': id, 'device-type': 'cdrom', trusted: 1 };
  const backend = { removable: 1, bootable: 1, dev: vdev, type: 'qdisk', mode: 'r' };
  createDevice(
    store,
    { type: 'vbd', frontend: domain, backend: 0, id },
    { frontend: nodes, backend: { params: 'aio:', ...backend, 'device-type': 'cdrom' } },
  );
}

function nodesOf(
  {
    vdev,
    disk,
    target,
    format,
    isCdrom = false,
    discards,
    isDirectIoSafe,
  }: BlockDeviceSpecification,
  id: number,
): { frontend: DeviceNodes; backend: DeviceNodes } {
  const type = isCdrom ? 'cdrom' : 'disk';
  return {
    frontend: { 'virtual-device': id, 'device-type': type, trusted: 1 },
    backend: {
      ...(target === undefined
        ? {}
        : { params: `${format === 'qcow2' ? format : 'aio'}:${target}` }),
      ...{ removable: Number(isCdrom), bootable: 1, dev: vdev, type: 'qdisk' },
      ...{ mode: disk.isReadOnly ? 'r' : 'w', 'device-type': type },
      ...(discards === undefined ? {} : { 'discard-enable': Number(discards) }),
      ...(isDirectIoSafe ? { 'direct-io-safe': 1 } : {}),
    },
  };
}

/** What a connected front-end has given. */
interface Connection {
  readonly backend: BlockBackend;
  readonly held: Held;
}

class BlockDevice implements BackendDevice {
  readonly #parts: BlockDeviceParts;
  readonly #onBroken: (reason: string) => void;
  #connection: Connection | undefined;

  constructor(parts: BlockDeviceParts, onBroken: (reason: string) => void) {
    this.#parts = parts;
    this.#onBroken = onBroken;
  }

  get #discards(): boolean {
    const { disk, discards = true } = this.#parts.specification;
    return discards && disk.discardGranularity > 0;
  }

  advertise(): DeviceNodes {
    const { disk } = this.#parts.specification;
    return {
      'feature-barrier': 1,
      'feature-flush-cache': 1,
      'feature-discard': Number(this.#discards),
      ...(this.#discards
        ? {
            'discard-granularity': disk.discardGranularity,
            'discard-alignment': 0,
            'discard-secure': 0,
          }
        : {}),
      'feature-persistent': 1,
      'feature-max-indirect-segments': mostIndirectSegments,
      'max-ring-page-order': mostPageOrder,
      'max-ring-pages': 2 ** mostPageOrder,
    };
  }

  connect(front: FrontendNodes): DeviceNodes {
    const { memory, granted, ports, clock, trace, specification } = this.#parts;
    const protocol = this.#protocolOf(front);
    const isPersistent = front.find('feature-persistent') === '1';
    const { held, ...ring } = allOrNothing((held) => ({
      held,
      pages: ringReferences(front).map((reference) => held.page(granted, reference)),
      port: held.port(ports, front.port('event-channel')),
    }));
    const backend = new BlockBackend({
      ...{ name: specification.vdev, memory, granted, disk: specification.disk, protocol },
      ...{ isPersistent, discards: this.#discards, clock, trace },
      ...ring,
      onBroken: this.#onBroken,
    });
    this.#connection = { backend, held };
    // Requests may be there already; what they do must not come between us and being connected.
    queueMicrotask(() => backend.serve());
    return this.#properties();
  }

  async disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    await connection.backend.close();
    connection.held.release();
  }

  #properties(): DeviceNodes {
    const { disk, isCdrom } = this.#parts.specification;
    const info =
      (isCdrom ? VDISK.CDROM | VDISK.REMOVABLE : 0) | (disk.isReadOnly ? VDISK.READONLY : 0);
    return {
      ...{ sectors: disk.sectors, 'sector-size': sectorSize, 'physical-sector-size': sectorSize },
      info,
    };
  }

  #protocolOf(front: FrontendNodes): Protocol {
    const { X86_32, X86_64 } = XEN_IO_PROTO_ABI;
    const native = this.#parts.width === 64 ? X86_64 : X86_32;
    const name = front.find('protocol') || native;
    const protocol = Object.hasOwn(protocols, name) ? protocols[name] : undefined;
    if (protocol === undefined) throw new XenError('EINVAL', `protocol: no ${name}`);
    return protocol;
  }
}

/** One page's reference is in `ring-ref`, those of several in `ring-ref0` and so on; older front-ends count in pages. */
function ringReferences(front: FrontendNodes): number[] {
  if (
    front.find('multi-queue-num-queues') !== undefined &&
    front.number('multi-queue-num-queues', 1) !== 1
  )
    throw new XenError('EINVAL', 'multi-queue-num-queues: none were offered');
  const count = pageCount(front);
  if (count === 1 && front.find('ring-ref') !== undefined) return [front.reference('ring-ref')];
  return Array.from({ length: count }, (_, n) => front.reference(`ring-ref${n}`));
}

function pageCount(front: FrontendNodes): number {
  if (front.find('ring-page-order') !== undefined)
    return 2 ** front.number('ring-page-order', mostPageOrder);
  if (front.find('num-ring-pages') === undefined) return 1;
  const count = front.number('num-ring-pages', 2 ** mostPageOrder);
  if (count === 0 || (count & (count - 1)) !== 0)
    throw new XenError('EINVAL', `num-ring-pages: ${count} is no power of 2`);
  return count;
}

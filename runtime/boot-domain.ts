/** From a domain image to a PV domain that runs: Xen, xenstore and the console's ring around one guest. */
import { GNTTAB_RESERVED } from './abi/grant-table.ts';
import {
  type BlockDeviceSpecification,
  createEmptyDrive,
  type EmptyDrive,
  serveBlockDevice,
} from './backends/block/block-device.ts';
import type { Console } from './backends/console/console.ts';
import { ConsoleRing } from './backends/console/console-ring.ts';
import type { Tier } from './cpu/translations-options.ts';
import type { Vcpu } from './cpu/vcpu.ts';
import { type Clock, systemClock } from './domain/clock.ts';
import { Domain } from './domain/domain.ts';
import type { EventPort, EventPorts } from './domain/event-port.ts';
import type { GrantedMemory } from './domain/granted-memory.ts';
import { Signal } from './domain/signal.ts';
import type { ElfImage } from './elf/image.ts';
import { MachineMemory } from './memory/machine-memory.ts';
import type { Trace } from './trace.ts';
import { domainImage } from './xen/builder/domain-image.ts';
import { FrameTable } from './xen/frames.ts';
import { XenMappings } from './xen/mmu/xen-mappings.ts';
import { PvDomain } from './xen/pv-domain.ts';
import { XenWorld } from './xen/xen-world.ts';
import { createDomainNodes, createHostNodes } from './xenstore/domain-nodes.ts';
import { Xenstored } from './xenstore/xenstored.ts';

export interface DomainBootOptions {
  /** Bytes. */
  readonly memory: number;
  readonly commandLine: string;
  readonly ramdisk?: Uint8Array | undefined;
  readonly disks?: readonly (BlockDeviceSpecification | EmptyDrive)[] | undefined;
  readonly console: Console;
  readonly clock?: Clock | undefined;
  readonly trace?: Trace | undefined;
  readonly budget?: number | undefined;
  readonly tier?: Tier | undefined;
  /** For a person: what the guest asked for in vain. */
  readonly log: (line: string) => void;
}

export interface PlacedDomain {
  readonly domain: Domain;
  readonly cpu: Vcpu;
  readonly store: Xenstored;
  /** How back-ends meet it. */
  readonly events: EventPorts;
  readonly grants: GrantedMemory;
  readonly memory: MachineMemory;
  readonly id: number;
  /** The guest runs no more: what it printed is still on its way. */
  readonly finish: () => Promise<void>;
}

/** Ports as Xen's tools allocate them, before the domain runs; start info names them. */
const ports = { xenstore: 1, console: 2 } as const;
const domid = 1;

export function placeDomain(image: ElfImage, options: DomainBootOptions): PlacedDomain {
  const { clock = systemClock(), budget } = options;
  const frames = new FrameTable(new MachineMemory());
  const { memory } = frames;
  const changed = new Signal();
  const world = new XenWorld(frames, clock);
  const pv = new PvDomain(domainImage(image), frames, new XenMappings(frames), {
    ...{ id: domid, name: image.name, ports, clock, changed, log: options.log },
    ...{ memory: options.memory, commandLine: options.commandLine, ramdisk: options.ramdisk },
    ...{ tier: options.tier, trace: options.trace, timestamp: () => world.time.timestamp() },
  });
  const { context, built, cpu } = pv;
  const parts = world.join(context, pv.hooks);
  world.openTools(parts, { store: built.xenstore, console: built.console });
  const kernel = pv.kernel({ ...parts, isThere: (id) => id === 0 || id === domid });
  const { eventPorts: events, grantedMemory: grants } = parts;
  const ring = new ConsoleRing({
    ...{ memory, host: grants.map(GNTTAB_RESERVED.CONSOLE, 'write').host },
    console: options.console,
    port: events.bind(ports.console),
  });
  const store = makeStore(image, options, {
    ...{ memory, clock, port: events.bind(ports.xenstore) },
    host: grants.map(GNTTAB_RESERVED.XENSTORE, 'write').host,
    frames: { store: built.xenstore, console: built.console },
  });
  const own = { name: image.name, cpu, kernel, clock, changed };
  const domain = new Domain(budget === undefined ? own : { ...own, budget });
  const tools = store.connect();
  const { width } = image;
  const backends = (options.disks ?? []).flatMap((specification) => {
    if (specification.disk === undefined) {
      createEmptyDrive(tools, domid, specification);
      return [];
    }
    return serveBlockDevice(tools, domid, {
      ...{ specification, width, memory, granted: grants, ports: events, clock },
      trace: options.trace,
    });
  });
  const finish = async (): Promise<void> => {
    for (const backend of backends) await backend.close();
    await ring.finish();
    store.shutDown(domid);
    world.leave(domid);
  };
  return { domain, cpu, store, events, grants, memory, id: domid, finish };
}

interface StoreParts {
  readonly memory: MachineMemory;
  readonly host: number;
  readonly port: EventPort;
  /** Machine frames of the two rings, as start info names them. */
  readonly frames: { readonly store: number; readonly console: number };
  readonly clock: Clock;
}

/** xenstore with what Xen's tools write for a domain. */
function makeStore(image: ElfImage, options: DomainBootOptions, parts: StoreParts): Xenstored {
  const { memory, host, port, frames, clock } = parts;
  const store = new Xenstored({ trace: options.trace });
  const client = store.connect();
  createHostNodes(client);
  store.addDomain(domid);
  createDomainNodes(client, {
    ...{ domid, name: image.name, vcpus: 1, kernel: image.name, commandLine: options.commandLine },
    uuid: '00000000-0000-0000-0000-000000000001',
    memoryKiB: Math.floor(options.memory / 1024),
    startTime: Number(clock.realtime() / 1_000_000n) / 1000,
    store: { ringRef: frames.store, port: ports.xenstore },
    console: { ringRef: frames.console, port: ports.console },
  });
  store.serve(domid, { memory, host, port });
  return store;
}

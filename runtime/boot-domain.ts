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
import { type NetDeviceSpecification, serveNetDevice } from './backends/net/net-device.ts';
import type { Tier } from './cpu/translations-options.ts';
import type { Vcpu } from './cpu/vcpu.ts';
import { Domain } from './domain/domain.ts';
import { Signal } from './domain/signal.ts';
import type { ElfImage } from './elf/image.ts';
import type { MachineWorld } from './machine-world.ts';
import type { Trace } from './trace.ts';
import { domainImage } from './xen/builder/domain-image.ts';
import { XenMappings } from './xen/mmu/xen-mappings.ts';
import { PvDomain } from './xen/pv-domain.ts';
import type { StoreClient } from './xenstore/client.ts';

export interface DomainBootOptions {
  /** Bytes. */
  readonly memory: number;
  readonly commandLine: string;
  readonly ramdisk?: Uint8Array | undefined;
  readonly disks?: readonly (BlockDeviceSpecification | EmptyDrive)[] | undefined;
  readonly networks?: readonly NetDeviceSpecification[] | undefined;
  readonly console: Console;
  readonly trace?: Trace | undefined;
  readonly budget?: number | undefined;
  readonly tier?: Tier | undefined;
  /** For a person: what the guest asked for in vain. */
  readonly log: (line: string) => void;
}

export interface PlacedDomain {
  readonly domain: Domain;
  readonly cpu: Vcpu;
  /** The store as domain 0 has it. */
  readonly tools: StoreClient;
  readonly id: number;
  /** The guest runs no more: what it printed is still on its way. */
  readonly finish: () => Promise<void>;
}

/** Ports as Xen's tools allocate them, before the domain runs; start info names them. */
const ports = { xenstore: 1, console: 2 } as const;

export function placeDomain(
  image: ElfImage,
  options: DomainBootOptions,
  machine: MachineWorld,
): PlacedDomain {
  const { budget } = options;
  const { clock, frames, memory, store, xen: world } = machine;
  const domid = machine.takeDomid();
  const changed = new Signal();
  const pv = new PvDomain(domainImage(image), frames, new XenMappings(frames), {
    ...{ id: domid, name: image.name, ports, clock, changed, log: options.log },
    ...{ memory: options.memory, commandLine: options.commandLine, ramdisk: options.ramdisk },
    ...{ tier: options.tier, trace: options.trace, timestamp: () => world.time.timestamp() },
  });
  const { context, built, cpu } = pv;
  const parts = world.join(context, pv.hooks);
  world.openTools(parts, { store: built.xenstore, console: built.console });
  const kernel = pv.kernel({ ...parts, isThere: (id) => world.isThere(id) });
  const { eventPorts: events, grantedMemory: grants } = parts;
  const ring = new ConsoleRing({
    ...{ memory, host: grants.map(GNTTAB_RESERVED.CONSOLE, 'write').host },
    console: options.console,
    port: events.bind(ports.console),
  });
  machine.describe(domid, {
    ...{ name: image.name, memory: options.memory, commandLine: options.commandLine },
    store: { ringRef: built.xenstore, port: ports.xenstore },
    console: { ringRef: built.console, port: ports.console },
  });
  store.serve(domid, {
    ...{ memory, port: events.bind(ports.xenstore) },
    host: grants.map(GNTTAB_RESERVED.XENSTORE, 'write').host,
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
  const interfaces = (options.networks ?? []).map((specification) =>
    serveNetDevice(tools, domid, {
      ...{ specification, memory, granted: grants, ports: events, clock },
      trace: options.trace,
    }),
  );
  const finish = async (): Promise<void> => {
    for (const backend of [...backends, ...interfaces]) await backend.close();
    await ring.finish();
    machine.end(domid);
  };
  return { domain, cpu, tools, id: domid, finish };
}

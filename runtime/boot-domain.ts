/**
 * From a domain image, or from what was saved of a domain, to a PV domain that runs: Xen, xenstore and the console's ring around
 * one guest.
 */
import { GNTTAB_RESERVED } from './abi/grant-table.ts';
import type { Console } from './backends/console/console.ts';
import { ConsoleRing } from './backends/console/console-ring.ts';
import type { Tier } from './cpu/translations-options.ts';
import type { Vcpu } from './cpu/vcpu.ts';
import { Domain } from './domain/domain.ts';
import { Signal } from './domain/signal.ts';
import { type DeviceOptions, type Display, serveDevices } from './domain-devices.ts';
import type { ElfImage } from './elf/image.ts';
import type { MachineWorld } from './machine-world.ts';
import type { Trace } from './trace.ts';
import { domainImage } from './xen/builder/domain-image.ts';
import { type DomainSource, fromImage, fromSaved } from './xen/domain-source.ts';
import { HostFrames } from './xen/host-frames.ts';
import { XenMappings } from './xen/mmu/xen-mappings.ts';
import { PvDomain } from './xen/pv-domain.ts';
import type { SavedImage } from './xen/save/restore-domain.ts';
import type { StoreClient } from './xenstore/client.ts';

export interface DomainBootOptions extends DeviceOptions {
  readonly name: string;
  /** Bytes. */
  readonly memory: number;
  readonly commandLine: string;
  readonly ramdisk?: Uint8Array | undefined;
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
  readonly displays: readonly Display[];
  readonly suspending: Suspending;
}

/** A domain that suspends itself when it is asked to, as Xen's tools have it. */
export interface Suspending {
  /** Resolves when the guest has suspended; rejects where it ends before. */
  expect(): Promise<void>;
  /** Piece by piece, while it is suspended. */
  save(): Iterable<Uint8Array>;
  /** It goes on where it is: its call returns 1. */
  resume(): void;
}

/** Ports as Xen's tools allocate them, before the domain runs; start info names them. */
const ports = { xenstore: 1, console: 2 } as const;

/** `image` as parsed, or what was saved of a domain. */
export function placeDomain(
  image: ElfImage | SavedImage,
  options: DomainBootOptions,
  machine: MachineWorld,
): PlacedDomain {
  const { budget, name } = options;
  const { clock, frames, memory, store, xen: world } = machine;
  const source = (id: number): DomainSource =>
    'records' in image
      ? fromSaved(image, { id, ports })
      : fromImage(domainImage(image), { ...options, id, ports });
  const domid = machine.takeDomid();
  const changed = new Signal();
  const pv = new PvDomain(source(domid), frames, new XenMappings(frames), {
    ...{ id: domid, name, commandLine: options.commandLine, clock, changed, log: options.log },
    ...{ tier: options.tier, trace: options.trace, timestamp: () => world.time.timestamp() },
  });
  const { context, laid, cpu } = pv;
  const parts = world.join(context, pv.hooks);
  world.openTools(parts, { store: laid.xenstore, console: laid.console });
  const kernel = pv.kernel({ ...parts, isThere: (id) => world.isThere(id) });
  const { eventPorts: events, grantedMemory: grants } = parts;
  const ring = new ConsoleRing({
    ...{ memory, host: grants.map(GNTTAB_RESERVED.CONSOLE, 'write').host },
    console: options.console,
    port: events.bind(ports.console),
  });
  machine.describe(domid, {
    ...{ name, memory: options.memory, commandLine: options.commandLine },
    store: { ringRef: laid.xenstore, port: ports.xenstore },
    console: { ringRef: laid.console, port: ports.console },
  });
  store.serve(domid, {
    ...{ memory, port: events.bind(ports.xenstore) },
    host: grants.map(GNTTAB_RESERVED.XENSTORE, 'write').host,
  });
  const own = { name, cpu, kernel, clock, changed };
  const domain = new Domain(budget === undefined ? own : { ...own, budget });
  const tools = store.connect();
  const devices = serveDevices(
    tools,
    {
      ...{ id: domid, width: context.width, memory, granted: grants, ports: events, clock },
      ...{ foreign: new HostFrames(domid, frames), trace: options.trace },
    },
    options,
  );
  const finish = async (): Promise<void> => {
    context.suspension.ended(name);
    await devices.close();
    await ring.finish();
    machine.end(domid);
  };
  return {
    ...{ domain, cpu, tools, id: domid, finish, displays: devices.displays },
    suspending: suspendingOf(pv, machine),
  };
}

function suspendingOf(pv: PvDomain, { store, xen }: MachineWorld): Suspending {
  const { id, suspension } = pv.context;
  return {
    expect: () => suspension.expect().then(() => store.shutDown(id)),
    save: () => pv.save(xen.time.now()),
    resume: () => {
      store.resume(id);
      pv.resume();
    },
  };
}

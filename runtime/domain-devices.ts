/** The virtual devices that a domain is given: their directories in the store, and who serves them while it lives. */
import {
  type BlockDeviceSpecification,
  createEmptyDrive,
  type EmptyDrive,
  serveBlockDevice,
} from './backends/block/block-device.ts';
import { type ConsoleSpecification, serveConsole } from './backends/console/console-device.ts';
import { serveFramebuffer } from './backends/fb/fb-device.ts';
import { FsDevice, type FsSpecification } from './backends/fs/fs-device.ts';
import type { Backend } from './backends/handshake.ts';
import { serveKeyboard } from './backends/kbd/kbd-device.ts';
import { type NetDeviceSpecification, serveNetDevice } from './backends/net/net-device.ts';
import { type P9Specification, serveP9Device } from './backends/p9/p9-device.ts';
import type { Input, Screen } from './display/screen.ts';
import type { Clock } from './domain/clock.ts';
import type { EventPorts } from './domain/event-port.ts';
import type { ForeignMemory } from './domain/foreign-memory.ts';
import type { GrantedMemory } from './domain/granted-memory.ts';
import type { Width } from './memory/layout.ts';
import type { MachineMemory } from './memory/machine-memory.ts';
import type { Trace } from './trace.ts';
import type { StoreClient } from './xenstore/client.ts';

export interface DeviceOptions {
  /** Whoever opened them closes them when the domain has ended. */
  readonly disks?: readonly (BlockDeviceSpecification | EmptyDrive)[] | undefined;
  readonly networks?: readonly NetDeviceSpecification[] | undefined;
  /** Folders that it mounts by 9P. */
  readonly p9?: readonly P9Specification[] | undefined;
  /** Folders that it reaches by fsif, Mini-OS's file system front-end. */
  readonly exports?: readonly FsSpecification[] | undefined;
  /** How many screens it has, each with a keyboard and a pointer; true is one. */
  readonly display?: boolean | number | undefined;
  /** Beside its first. */
  readonly consoles?: readonly ConsoleSpecification[] | undefined;
}

/** A domain's screen, and what a person in front of it does. */
export interface Display {
  readonly screen: Screen;
  readonly input: Input;
}

/** How back-ends meet the domain. */
export interface DeviceGuest {
  readonly id: number;
  readonly width: Width;
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly foreign: ForeignMemory;
  readonly ports: EventPorts;
  readonly clock: Clock;
  readonly trace?: Trace | undefined;
}

export interface DomainDevices {
  readonly displays: readonly Display[];
  /** Lets go of the domain, whatever it does. */
  close(): Promise<void>;
}

export function serveDevices(
  store: StoreClient,
  guest: DeviceGuest,
  options: DeviceOptions,
): DomainDevices {
  const { id } = guest;
  const { disks = [], networks = [], p9 = [], exports = [], consoles = [] } = options;
  const backends: Pick<Backend, 'close'>[] = [];
  for (const specification of disks)
    if (specification.disk === undefined) createEmptyDrive(store, id, specification);
    else backends.push(serveBlockDevice(store, id, { ...guest, specification }));
  for (const specification of networks)
    backends.push(serveNetDevice(store, id, { ...guest, specification }));
  for (const [n, specification] of p9.entries())
    backends.push(serveP9Device(store, id, { ...guest, specification, id: n }));
  for (const specification of exports)
    backends.push(new FsDevice(store, id, { ...guest, specification }));
  for (const specification of consoles)
    backends.push(serveConsole(store, id, { ...guest, specification }));
  const displays = Array.from({ length: Number(options.display ?? 0) }, (_, n) =>
    serveDisplay(store, guest, n, backends),
  );
  return {
    displays,
    close: async () => {
      for (const backend of backends) await backend.close();
    },
  };
}

function serveDisplay(
  store: StoreClient,
  guest: DeviceGuest,
  number: number,
  backends: Pick<Backend, 'close'>[],
): Display {
  const { backend, screen } = serveFramebuffer(store, guest.id, guest, number);
  const keyboard = serveKeyboard(store, guest.id, guest, number);
  backends.push(backend, keyboard.backend);
  return { screen, input: keyboard.input };
}

/** A console beside the first: its nodes in the store, as libxl makes them for a channel, and its ring while it is connected. */
import type { EventPorts } from '../../domain/event-port.ts';
import type { GrantedMemory } from '../../domain/granted-memory.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { StoreClient } from '../../xenstore/client.ts';
import { Backend, type BackendDevice, type FrontendNodes } from '../handshake.ts';
import { allOrNothing, type Held } from '../held.ts';
import { createDevice, type Device, type DeviceNodes } from '../xenbus.ts';
import type { Console } from './console.ts';
import { ConsoleRing } from './console-ring.ts';

export interface ConsoleSpecification {
  /** From 1 on: device/console/N; the first console is not one of these. */
  readonly id: number;
  /** For the guest to read in the store, as a channel has it. */
  readonly name?: string | undefined;
  readonly console: Console;
}

export interface ConsoleDeviceParts {
  readonly memory: MachineMemory;
  readonly granted: GrantedMemory;
  readonly ports: EventPorts;
  readonly specification: ConsoleSpecification;
}

export function serveConsole(
  store: StoreClient,
  domain: number,
  parts: ConsoleDeviceParts,
): Backend {
  const { id, name } = parts.specification;
  const place: Device = { type: 'console', frontend: domain, backend: 0, id };
  createDevice(store, place, {
    frontend: { limit: 1048576, type: 'ioemu', output: 'pty', ...(name !== undefined && { name }) },
    backend: { protocol: 'vt100' },
  });
  return new Backend({ store, place, device: new ConsoleDevice(parts) });
}

class ConsoleDevice implements BackendDevice {
  readonly #parts: ConsoleDeviceParts;
  #connection: { readonly held: Held; readonly ring: ConsoleRing } | undefined;

  constructor(parts: ConsoleDeviceParts) {
    this.#parts = parts;
  }

  advertise(): DeviceNodes {
    return {};
  }

  connect(front: FrontendNodes): DeviceNodes {
    const { memory, granted, ports, specification } = this.#parts;
    const { console } = specification;
    this.#connection = allOrNothing((held) => {
      const host = held.page(granted, front.reference('ring-ref'));
      // Which the ring closes.
      const port = ports.bind(front.port('port'));
      return { held, ring: new ConsoleRing({ memory, host, port, console }) };
    });
    this.#connection.ring.serve();
    return {};
  }

  /** What the front-end has written arrives, though it is gone. */
  async disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.ring.finish();
    connection?.held.release();
  }
}

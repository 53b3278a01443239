/** What back-ends do with a guest's event channels and grants, as lines of a trace; guests' own doings are hypercalls. */
import type { EventPort, EventPorts } from '../../domain/event-port.ts';
import type { GrantedAccess, GrantedMemory, GrantMapping } from '../../domain/granted-memory.ts';
import { XenError } from '../../errors.ts';
import type { Trace } from '../../trace.ts';

/** `d0 -> d1 port 4`: d0 has notified the guest's port 4; the other way round, it has heard from it. */
export function tracedPorts(ports: EventPorts, domid: number, trace: Trace): EventPorts {
  const tell = (text: string): void => trace({ kind: 'event', text });
  return {
    bind: (number) => {
      const port = answered(
        () => ports.bind(number),
        (end) => tell(`d0 binds d${domid} port ${number}${end}`),
      );
      return tracedPort(port, `d${domid} port ${number}`, tell);
    },
  };
}

const tracedPort = (port: EventPort, name: string, tell: (text: string) => void): EventPort => ({
  notify: () => {
    tell(`d0 -> ${name}`);
    port.notify();
  },
  listen: (onEvent) =>
    port.listen(() => {
      tell(`d0 <- ${name}`);
      onEvent();
    }),
  close: () => {
    tell(`d0 closes ${name}`);
    port.close();
  },
});

export function tracedGrants(memory: GrantedMemory, domid: number, trace: Trace): GrantedMemory {
  const tell = (text: string): void => trace({ kind: 'grant', text });
  return {
    map: (reference: number, access: GrantedAccess): GrantMapping => {
      const name = `d${domid} grant ${reference}`;
      const mapping = answered(
        () => memory.map(reference, access),
        (end) => tell(`d0 maps ${name} to ${access}${end}`),
      );
      const { host } = mapping;
      return {
        host,
        unmap: () => {
          tell(`d0 unmaps ${name}`);
          mapping.unmap();
        },
      };
    },
  };
}

/** Told with how it ended. */
function answered<T>(call: () => T, tell: (end: string) => void): T {
  try {
    const result = call();
    tell('');
    return result;
  } catch (error) {
    if (error instanceof XenError) tell(` = ${error.errno} (${error.message})`);
    throw error;
  }
}

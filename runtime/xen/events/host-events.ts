/** The host's ends of event channels, where back-ends are: domain 0 as guests see it. */
import type { EventPort, EventPorts } from '../../domain/event-port.ts';
import { XenError } from '../../errors.ts';
import type { EventPeer, RemoteEnd } from './channel.ts';

/** Domain 0 has ports of its own in use; ours begin behind them. */
const firstPort = 10;
const portsWithRoom = 64;

export class HostEvents implements EventPeer {
  #used = new Set<number>();

  /** Ports of one guest as a back-end binds to them. */
  portsOf(guest: EventPeer): EventPorts {
    return { bind: (port) => this.#bind(guest, port) };
  }

  isValid(port: number): boolean {
    return port < portsWithRoom;
  }

  /** No port of the host's waits for a guest to bind it: back-ends bind those of guests. */
  accept(): undefined {
    return undefined;
  }

  #bind(guest: EventPeer, port: number): EventPort {
    const end = new HostEnd(this.#take());
    const remote = guest.accept(port, end);
    if (remote === undefined) {
      this.#used.delete(end.port);
      throw new XenError('EINVAL', `port ${port} of the guest does not wait for the host`);
    }
    end.remote = remote;
    return {
      notify: () => end.remote?.notify(),
      listen: (onEvent) => end.listen(onEvent),
      close: () => {
        if (!this.#used.delete(end.port)) return;
        end.close();
      },
    };
  }

  #take(): number {
    let port = firstPort;
    while (this.#used.has(port)) port++;
    this.#used.add(port);
    return port;
  }
}

class HostEnd implements RemoteEnd {
  readonly domid = 0;
  readonly port: number;
  remote: RemoteEnd | undefined;
  #onEvent: (() => void) | undefined;
  #isPending = false;

  constructor(port: number) {
    this.port = port;
  }

  /** Told in a turn of its own, so that a back-end never works inside of a guest's hypercall; what comes before is one. */
  notify(): void {
    if (this.#isPending) return;
    this.#isPending = true;
    queueMicrotask(() => this.#tell());
  }

  unbind(): void {
    this.remote = undefined;
  }

  listen(onEvent: () => void): void {
    this.#onEvent = onEvent;
    if (this.#isPending) queueMicrotask(() => this.#tell());
  }

  close(): void {
    this.#onEvent = undefined;
    this.remote?.unbind();
    this.remote = undefined;
  }

  #tell(): void {
    if (this.#onEvent === undefined || !this.#isPending) return;
    this.#isPending = false;
    this.#onEvent();
  }
}

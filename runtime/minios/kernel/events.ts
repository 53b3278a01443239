/** Event channels of an application as Mini-OS's events.c has them: a handler a port, run as a callback. */
import type { DomainEvents } from '../../domain/domain-events.ts';
import { XenError } from '../../errors.ts';
import type { WakeSource } from './callback.ts';
import type { Callbacks } from './callbacks.ts';
import type { Ports } from './ports.ts';

interface Action {
  readonly handler: bigint;
  readonly data: bigint;
}

/** What bind_virq answers where there is none: (evtchn_port_t)-1. */
const noPort = 0xffff_ffff;

export interface EventsParts {
  readonly channels: DomainEvents;
  readonly ports: Ports;
  readonly callbacks: Callbacks;
}

export class Events implements WakeSource {
  readonly #channels: DomainEvents;
  readonly #ports: Ports;
  readonly #callbacks: Callbacks;
  readonly #actions = new Map<number, Action>();
  /** Ports whose handlers are about to run. */
  readonly #raised = new Set<number>();

  constructor({ channels, ports, callbacks }: EventsParts) {
    this.#channels = channels;
    this.#ports = ports;
    this.#callbacks = callbacks;
    ports.onReady = (port) => this.#raise(port);
    callbacks.sources.push(this);
  }

  deadline(): undefined {
    return undefined;
  }

  /** Whoever is at the other end may send. */
  isHopeful(): boolean {
    return this.#actions.size > 0;
  }

  look(): void {}

  bind(port: number, handler: bigint, data: bigint): number {
    this.#actions.set(port, { handler, data });
    if (this.#ports.isReady(port)) this.#raise(port);
    return port;
  }

  bindVirq(virq: number, handler: bigint, data: bigint): number {
    try {
      return this.bind(this.#channels.bindVirq(virq, 0), handler, data);
    } catch (error) {
      if (error instanceof XenError) return noPort;
      throw error;
    }
  }

  allocateUnbound(remote: number, handler: bigint, data: bigint): number {
    return this.bind(this.#channels.allocateUnbound(remote), handler, data);
  }

  bindInterdomain(domid: number, remotePort: number, handler: bigint, data: bigint): number {
    return this.bind(this.#channels.bindInterdomain(domid, remotePort), handler, data);
  }

  /** The port is masked, forgotten and closed; one that is not open stays so. */
  unbind(port: number): void {
    this.#ports.mask(port);
    this.#actions.delete(port);
    try {
      this.#channels.close(port);
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
    }
  }

  unbindAll(): void {
    for (const port of [...this.#actions.keys()]) this.unbind(port);
  }

  notify(port: number): void {
    this.#channels.send(port);
  }

  mask(port: number): void {
    this.#ports.mask(port);
  }

  unmask(port: number): void {
    this.#ports.unmask(port);
  }

  clear(port: number): void {
    this.#ports.clearPending(port);
  }

  #raise(port: number): void {
    if (this.#raised.has(port)) return;
    this.#raised.add(port);
    this.#callbacks.raise({
      what: `the handler of port ${port}`,
      isMaskable: true,
      enter: (top) => {
        this.#raised.delete(port);
        const action = this.#actions.get(port);
        if (action === undefined || !this.#ports.isReady(port)) return undefined;
        this.#ports.clearPending(port);
        const noRegisters = 0n;
        return {
          function: action.handler,
          arguments: [BigInt(port), noRegisters, action.data],
          top,
        };
      },
    });
  }
}

/** The host's ends of event channels, where back-ends are: domain 0 as guests see it. */
import type { EventPort, EventPorts } from '../../domain/event-port.ts';
import { XenError } from '../../errors.ts';
import type { EventPeer, RemoteEnd } from './channel.ts';

/** Domain 0 has ports of its own in use; ours begin behind them. */
const firstPort = 10;
const portsWithRoom = 64;

export class HostEvents implements EventPeer {
  #used = new Set<number>();
  /** Those that are to be told of an event. */
  readonly #pending = new Set<HostEnd>();

  /** Ports of one guest as a back-end binds to them. */
  portsOf(guest: EventPeer): EventPorts {
    return { bind: (port) => this.#bind(guest, port) };
  }

  isValid(port: number): boolean {
    return port < portsWithRoom;
  }

  /** Tells at once whom the guest has woken and nobody has told yet; whether one of them has answered. */
  tell(guest: EventPeer): boolean {
    const pending = [...this.#pending].filter((end) => end.guest === guest);
    return pending.filter((end) => end.tell()).length > 0;
  }

  /** No port of the host's waits for a guest to bind it: back-ends bind those of guests. */
  accept(): undefined {
    return undefined;
  }

  #bind(guest: EventPeer, port: number): EventPort {
    const end = new HostEnd(this.#take(), guest, this.#pending);
    const remote = guest.accept(port, end);
    if (remote === undefined) {
      this.#used.delete(end.port);
      throw new XenError('EINVAL', `port ${port} of the guest does not wait for the host`);
    }
    end.remote = remote;
    return {
      notify: () => end.wake(),
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
  readonly guest: EventPeer;
  remote: RemoteEnd | undefined;
  #hasAnswered = false;
  #onEvent: (() => void) | undefined;
  /** All that are to be told. */
  readonly #pending: Set<HostEnd>;

  constructor(port: number, guest: EventPeer, pending: Set<HostEnd>) {
    this.port = port;
    this.guest = guest;
    this.#pending = pending;
  }

  /**
   * Told in a turn of its own, or when the guest yields, so that a back-end never works inside of a guest's hypercall; what
   * comes before is one.
   */
  notify(): void {
    if (this.#pending.has(this)) return;
    this.#pending.add(this);
    queueMicrotask(() => this.tell());
  }

  wake(): void {
    this.#hasAnswered = true;
    this.remote?.notify();
  }

  unbind(): void {
    this.remote = undefined;
  }

  listen(onEvent: () => void): void {
    this.#onEvent = onEvent;
    if (this.#pending.has(this)) queueMicrotask(() => this.tell());
  }

  close(): void {
    this.#pending.delete(this);
    this.#onEvent = undefined;
    this.remote?.unbind();
    this.remote = undefined;
  }

  /** Whether the guest is woken at once: not where nobody listens yet, there is nothing to tell, or it takes longer. */
  tell(): boolean {
    if (this.#onEvent === undefined || !this.#pending.delete(this)) return false;
    this.#hasAnswered = false;
    this.#onEvent();
    return this.#hasAnswered;
  }
}

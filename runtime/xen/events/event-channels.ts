/**
 * A domain's event channels (event_channel.h): which ports are bound to what. Errors and their order are those of Xen 4.17 for
 * a domain without privileges; the bits that the guest looks at are in EventBits.
 */
import { DOMID, NR_VIRQS, VIRQ } from '../../abi/xen.ts';
import type { DomainEvents, PortBits } from '../../domain/domain-events.ts';
import { XenError } from '../../errors.ts';
import type { Channel, EventPeer, EventPeers, RemoteEnd } from './channel.ts';
import type { EventBits } from './event-bits.ts';

/** Highest port that Xen's tools allow a domain (xl.cfg: event_channels). */
const highestPort = 1023;
/** Xen makes room for ports by this many; those beyond are not even closed. */
const portsInBucket = 64;
/** VIRQs that a vCPU has for itself; of all others a domain has one. */
const vcpuVirqs: ReadonlySet<number> = new Set([VIRQ.TIMER, VIRQ.DEBUG, VIRQ.XENOPROF, 13]);

export interface EventChannelsOptions<B extends PortBits> {
  readonly domid: number;
  readonly bits: B;
  readonly peers: EventPeers;
  /** Something has become pending: a vCPU that waits looks again. */
  readonly changed: () => void;
}

export class EventChannels<B extends PortBits = EventBits> implements EventPeer, DomainEvents {
  readonly domid: number;
  readonly bits: B;
  readonly #peers: EventPeers;
  readonly #changed: () => void;
  readonly #channels: Channel[] = [];
  readonly #virqs = new Map<number, number>();

  constructor({ domid, bits, peers, changed }: EventChannelsOptions<B>) {
    this.domid = domid;
    this.bits = bits;
    this.#peers = peers;
    this.#changed = changed;
    this.#addBucket();
    this.#channels[0] = { state: 'reserved' };
  }

  /** Whether Xen has room for the port: what it is may still be free. */
  isValid(port: number): boolean {
    return port < this.#channels.length;
  }

  channel(port: number): Channel {
    const channel = this.#channels[port];
    if (channel === undefined) throw invalid(`there is no port ${port}`);
    return channel;
  }

  allocateUnbound(remote: number): number {
    const port = this.#freePort();
    this.#channels[port] = { state: 'unbound', domid: this.#resolve(remote) };
    return port;
  }

  bindInterdomain(remoteDomain: number, remotePort: number): number {
    const domid = this.#resolve(remoteDomain);
    const peer = this.#peers(domid);
    if (peer === undefined) throw new XenError('ESRCH', `there is no domain ${domid}`);
    const port = this.#freePort();
    // Looked at before the port is bound: a domain may bind to a port of its own.
    const remote = peer.accept(remotePort, this.#endOf(port));
    if (remote === undefined)
      throw invalid(`port ${remotePort} of d${domid} does not wait for d${this.domid}`);
    this.#channels[port] = { state: 'interdomain', remote };
    // Events that were sent before are lost: the guest is told to look.
    this.setPending(port);
    return port;
  }

  accept(port: number, end: RemoteEnd): RemoteEnd | undefined {
    const channel = this.#channels[port];
    if (channel?.state !== 'unbound' || channel.domid !== end.domid) return undefined;
    this.#channels[port] = { state: 'interdomain', remote: end };
    return this.#endOf(port);
  }

  bindVirq(virq: number, vcpu: number): number {
    if (virq >= NR_VIRQS) throw invalid(`there is no VIRQ ${virq}`);
    if (!vcpuVirqs.has(virq) && vcpu !== 0) throw invalid(`VIRQ ${virq} is of vCPU 0 alone`);
    checkVcpu(vcpu);
    if (this.#virqs.has(virq)) throw new XenError('EEXIST', `VIRQ ${virq} is bound already`);
    const port = this.#freePort();
    this.#channels[port] = { state: 'virq', virq };
    this.#virqs.set(virq, port);
    return port;
  }

  bindIpi(vcpu: number): number {
    checkVcpu(vcpu);
    const port = this.#freePort();
    this.#channels[port] = { state: 'ipi' };
    return port;
  }

  close(port: number): void {
    const channel = this.channel(port);
    switch (channel.state) {
      case 'free':
      case 'reserved':
        throw invalid(`port ${port} is not bound`);
      case 'virq':
        this.#virqs.delete(channel.virq);
        break;
      case 'interdomain':
        channel.remote.unbind();
        break;
    }
    // So that whoever is given the port next finds nothing of it.
    this.bits.clearPending(port);
    this.#channels[port] = { state: 'free' };
  }

  send(port: number): void {
    const channel = this.channel(port);
    switch (channel.state) {
      case 'interdomain':
        channel.remote.notify();
        break;
      case 'ipi':
        this.setPending(port);
        break;
      case 'unbound':
        break;
      default:
        throw invalid(`nothing is sent through port ${port}: it is ${channel.state}`);
    }
  }

  unmask(port: number): void {
    const { state } = this.channel(port);
    if (state === 'free' || state === 'reserved') return;
    this.bits.unmask(port);
    this.#changed();
  }

  bindVcpu(port: number, vcpu: number): void {
    checkVcpu(vcpu);
    const channel = this.channel(port);
    const { state } = channel;
    const mayMove =
      state === 'unbound' ||
      state === 'interdomain' ||
      (state === 'virq' && !vcpuVirqs.has(channel.virq));
    if (!mayMove) throw invalid(`port ${port} stays where it is: it is ${state}`);
  }

  /** Closes all that is open. */
  reset(): void {
    for (const [port, { state }] of this.#channels.entries())
      if (state !== 'free' && state !== 'reserved') this.close(port);
  }

  /** Nothing where the guest has not bound it. */
  sendVirq(virq: number): void {
    const port = this.#virqs.get(virq);
    if (port !== undefined) this.setPending(port);
  }

  setPending(port: number): void {
    this.bits.setPending(port);
    this.#changed();
  }

  #endOf(port: number): RemoteEnd {
    return {
      domid: this.domid,
      port,
      notify: () => this.setPending(port),
      unbind: () => {
        const channel = this.#channels[port];
        if (channel?.state === 'interdomain')
          this.#channels[port] = { state: 'unbound', domid: channel.remote.domid };
      },
    };
  }

  #resolve(domid: number): number {
    return domid === DOMID.SELF ? this.domid : domid;
  }

  #freePort(): number {
    const free = this.#channels.findIndex(({ state }) => state === 'free');
    if (free >= 0) return free;
    const next = this.#channels.length;
    if (next > highestPort) throw new XenError('ENOSPC', `d${this.domid} has all ports bound`);
    this.#addBucket();
    return next;
  }

  #addBucket(): void {
    for (let i = 0; i < portsInBucket; i++) this.#channels.push({ state: 'free' });
  }
}

/** A domain has one vCPU. */
function checkVcpu(vcpu: number): void {
  if (vcpu !== 0) throw new XenError('ENOENT', `there is no vCPU ${vcpu}`);
}

const invalid = (message: string): XenError => new XenError('EINVAL', message);

/** UDP between guests and the host's sockets: one socket for each port of a guest's, for as long as it is used. */
import type { Clock } from '../domain/clock.ts';
import type { Ipv4Address } from './addresses.ts';
import type { HostDatagrams, HostSockets } from './host-sockets.ts';
import type { Datagram } from './ipv4.ts';
import { type UdpMessage, writeUdp } from './udp.ts';

/** RFC 6335: from here on, ports are nobody's by name. */
const firstOwnPort = 49_152;
const mostClients = 1024;
const mostSockets = 256;
/** Whose answers are passed on, a socket. */
const mostPeers = 1024;
/** RFC 4787, REQ-5. */
const patience = 120_000_000_000n;

export interface UdpRelayParts {
  readonly clock: Clock;
  readonly sockets: HostSockets;
  /** Where the host finds that end; undefined where the guest is not to get there. */
  reach(address: Ipv4Address, port: number): HostPlace | undefined;
  send(datagram: Datagram): void;
}

interface Used {
  readonly socket: HostDatagrams;
  /** Whom the guest has sent to, by the host's name: who answers is to have that address. */
  readonly peers: Map<string, Ipv4Address>;
  since: bigint;
}

export interface HostPlace {
  readonly address: string;
  readonly port: number;
}

export interface GuestPlace {
  readonly address: Ipv4Address;
  readonly port: number;
}

/** Who has sent to a forwarded port of the host's. */
interface Client extends HostPlace {
  readonly guest: Ipv4Address;
  readonly from: Ipv4Address;
  readonly socket: HostDatagrams;
}

export class UdpRelay {
  readonly #parts: UdpRelayParts;
  /** By the port of ours that stands for them. */
  readonly #clients = new Map<number, Client>();
  #lastPort = firstOwnPort;
  readonly #used = new Map<string, Used>();

  constructor(parts: UdpRelayParts) {
    this.#parts = parts;
  }

  /** From a guest; false where it asks for what it is not to reach. */
  receive({ source, destination }: Datagram, message: UdpMessage): boolean {
    const client = this.#clients.get(message.destinationPort);
    if (destination === client?.from && source === client.guest) {
      client.socket.send(message.data, client.address, client.port);
      return true;
    }
    const where = this.#parts.reach(destination, message.destinationPort);
    if (where === undefined) return false;
    const used = this.#socketOf(source, message.sourcePort);
    used.since = this.#parts.clock.monotonic();
    const peer = `${where.address}:${where.port}`;
    const [oldest] = used.peers.keys();
    if (oldest !== undefined && used.peers.size >= mostPeers) used.peers.delete(oldest);
    used.peers.set(peer, destination);
    used.socket.send(message.data, where.address, where.port);
    return true;
  }

  /** What comes to a port of the host's goes on to the guest's, as from a port of `from`'s own for each sender. */
  async forward(host: HostPlace, guest: GuestPlace, from: Ipv4Address): Promise<HostDatagrams> {
    const { sockets, send } = this.#parts;
    const received = (data: Uint8Array, address: string, port: number): void => {
      const client: Client = { address, port, guest: guest.address, from, socket };
      const message = { sourcePort: this.#portOf(client), destinationPort: guest.port, data };
      send(writeUdp({ source: from, destination: guest.address }, message));
    };
    const socket = await sockets.bindDatagrams(host.address, host.port, received);
    return socket;
  }

  close(): void {
    for (const { socket } of this.#used.values()) socket.close();
    this.#used.clear();
  }

  #socketOf(guest: Ipv4Address, port: number): Used {
    const key = `${guest}:${port}`;
    const known = this.#used.get(key);
    if (known !== undefined) return known;
    this.#makeRoom();
    const peers = new Map<string, Ipv4Address>();
    const socket = this.#parts.sockets.datagrams((data, address, sourcePort) => {
      // Only whom the guest has asked may answer.
      const source = peers.get(`${address}:${sourcePort}`);
      if (source === undefined) return;
      const message = { sourcePort, destinationPort: port, data };
      this.#parts.send(writeUdp({ source, destination: guest }, message));
    });
    const used: Used = { socket, peers, since: 0n };
    this.#used.set(key, used);
    return used;
  }

  /** The port that stands for a client; the one that was used longest ago is taken from its owner. */
  #portOf(client: Client): number {
    for (const [port, known] of this.#clients)
      if (
        known.address === client.address &&
        known.port === client.port &&
        known.socket === client.socket
      )
        return port;
    this.#lastPort = firstOwnPort + ((this.#lastPort + 1 - firstOwnPort) % mostClients);
    this.#clients.set(this.#lastPort, client);
    return this.#lastPort;
  }

  #makeRoom(): void {
    const now = this.#parts.clock.monotonic();
    for (const [key, { since }] of this.#used) if (now - since > patience) this.#forget(key);
    const [oldest] = [...this.#used].sort(([, a], [, b]) => Number(a.since - b.since));
    if (oldest !== undefined && this.#used.size >= mostSockets) this.#forget(oldest[0]);
  }

  #forget(key: string): void {
    this.#used.get(key)?.socket.close();
    this.#used.delete(key);
  }
}

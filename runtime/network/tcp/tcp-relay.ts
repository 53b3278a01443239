/** All TCP connections between guests and the host's sockets: by their four numbers, bounded. */
import type { Clock } from '../../domain/clock.ts';
import type { Ipv4Address } from '../addresses.ts';
import type { HostSockets, HostStream, StreamEvents } from '../host-sockets.ts';
import type { Datagram } from '../ipv4.ts';
import type { GuestPlace, HostPlace } from '../udp-relay.ts';
import { Connection } from './connection.ts';
import { advance, kindOf, readSegment, type Segment, TCP_FLAG, writeSegment } from './segment.ts';

const mostConnections = 4096;
/** RFC 6335: from here on, ports are nobody's by name. */
const firstOwnPort = 49_152;

export interface TcpRelayParts {
  readonly clock: Clock;
  readonly sockets: HostSockets;
  readonly random: () => number;
  /** Where the host finds that end; undefined where the guest is not to get there. */
  reach(address: Ipv4Address, port: number): HostPlace | undefined;
  /** The datagram's checksum is blank; it may be longer than a frame, for segments of that much payload. */
  send(datagram: Datagram, segmentSize: number): void;
}

interface Ends {
  readonly guest: Ipv4Address;
  readonly guestPort: number;
  readonly other: Ipv4Address;
  readonly otherPort: number;
}

export class TcpRelay {
  readonly #parts: TcpRelayParts;
  readonly #connections = new Map<string, Connection>();
  #lastPort = firstOwnPort;

  constructor(parts: TcpRelayParts) {
    this.#parts = parts;
  }

  /** From a guest; false where it asks for what it is not to reach. */
  receive({ source, destination, payload }: Datagram): boolean {
    const segment = readSegment(payload);
    if (segment === undefined) return true;
    const ends: Ends = {
      ...{ guest: source, guestPort: segment.sourcePort },
      ...{ other: destination, otherPort: segment.destinationPort },
    };
    const connection = this.#connections.get(keyOf(ends));
    if (connection !== undefined) connection.receive(segment);
    else if (kindOf(segment.flags) === TCP_FLAG.SYN) return this.#begin(ends, segment);
    else this.#refuse(ends, segment);
    return true;
  }

  /** Connects a stream of the host's to a guest's port, as if `from` had asked. */
  open(guest: GuestPlace, from: Ipv4Address, attach: (events: StreamEvents) => HostStream): void {
    const ends: Ends = {
      ...{ guest: guest.address, guestPort: guest.port },
      ...{ other: from, otherPort: 0 },
    };
    const connection = this.#make(this.#withOwnPort(ends));
    connection.open(attach(connection));
  }

  close(): void {
    for (const connection of [...this.#connections.values()]) connection.reset();
  }

  #begin(ends: Ends, syn: Segment): boolean {
    const { sockets, reach } = this.#parts;
    const where = reach(ends.other, ends.otherPort);
    if (where === undefined) return false;
    if (this.#connections.size >= mostConnections) {
      this.#refuse(ends, syn);
      return true;
    }
    const connection = this.#make(ends);
    connection.accept(syn, sockets.connect(where.address, where.port, connection));
    return true;
  }

  #make(ends: Ends): Connection {
    const { clock, random } = this.#parts;
    const key = keyOf(ends);
    const connection = new Connection({
      clock,
      initialSequence: random() >>> 0,
      send: (segment, size) => this.#send(ends, segment, size),
      closed: () => this.#connections.delete(key),
    });
    this.#connections.set(key, connection);
    return connection;
  }

  #withOwnPort(ends: Ends): Ends {
    const ports = 0x1_0000 - firstOwnPort;
    for (let n = 0; n < ports; n++) {
      this.#lastPort = firstOwnPort + ((this.#lastPort + 1 - firstOwnPort) % ports);
      const own = { ...ends, otherPort: this.#lastPort };
      if (!this.#connections.has(keyOf(own))) return own;
    }
    return ends;
  }

  /** Says that there is no such connection, or none to be had (RFC 9293, 3.10.7.1). */
  #refuse(ends: Ends, { flags, sequence, acknowledgment, data }: Segment): void {
    const { RST, ACK, SYN, FIN } = TCP_FLAG;
    if ((flags & RST) !== 0) return;
    const length = data.length + Number((flags & SYN) !== 0) + Number((flags & FIN) !== 0);
    const answer =
      (flags & ACK) !== 0
        ? { flags: RST, sequence: acknowledgment, acknowledgment: 0 }
        : { flags: RST | ACK, sequence: 0, acknowledgment: advance(sequence, length) };
    this.#send(ends, { ...answer, window: 0, data: new Uint8Array(0) }, 0);
  }

  #send(
    { guest, guestPort, other, otherPort }: Ends,
    segment: Omit<Segment, 'sourcePort' | 'destinationPort'>,
    size: number,
  ): void {
    const whole = { ...segment, sourcePort: otherPort, destinationPort: guestPort };
    this.#parts.send(writeSegment({ source: other, destination: guest }, whole), size);
  }
}

const keyOf = ({ guest, guestPort, other, otherPort }: Ends): string =>
  `${guest}:${guestPort} ${other}:${otherPort}`;

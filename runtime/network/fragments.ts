/** Puts fragmented IPv4 datagrams together again (RFC 815's holes, RFC 791's bounds). */
import type { Clock } from '../domain/clock.ts';
import type { Packet } from './ipv4.ts';

/** Datagrams that may be incomplete at a time; the oldest goes first. */
const mostDatagrams = 16;
const mostPayload = 65_515;
/** RFC 1122, 3.3.2: between 60 and 120 seconds. */
const patience = 60_000_000_000n;

interface Incomplete {
  readonly since: bigint;
  readonly bytes: Uint8Array;
  /** Offsets, in eights, of what is there. */
  readonly there: Set<number>;
  length: number | undefined;
}

export class Reassembly {
  readonly #clock: Clock;
  readonly #incomplete = new Map<string, Incomplete>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The whole datagram, where the packet is one or completes one. */
  add(packet: Packet): Packet | undefined {
    const { offset, hasMore, payload } = packet;
    if (offset === 0 && !hasMore) return packet;
    if (offset + payload.length > mostPayload || (hasMore && payload.length % 8 !== 0))
      return undefined;
    const key = [packet.source, packet.destination, packet.protocol, packet.identification].join();
    const datagram = this.#find(key);
    datagram.bytes.set(payload, offset);
    for (let at = offset; at < offset + payload.length; at += 8) datagram.there.add(at);
    if (!hasMore) datagram.length = offset + payload.length;
    const { length, there, bytes } = datagram;
    if (length === undefined || there.size < Math.ceil(length / 8)) return undefined;
    this.#incomplete.delete(key);
    return { ...packet, offset: 0, hasMore: false, payload: bytes.subarray(0, length) };
  }

  #find(key: string): Incomplete {
    const now = this.#clock.monotonic();
    for (const [old, { since }] of this.#incomplete)
      if (now - since > patience) this.#incomplete.delete(old);
    const known = this.#incomplete.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#incomplete.keys();
    if (oldest !== undefined && this.#incomplete.size >= mostDatagrams)
      this.#incomplete.delete(oldest);
    const made: Incomplete = {
      since: now,
      bytes: new Uint8Array(mostPayload),
      there: new Set(),
      length: undefined,
    };
    this.#incomplete.set(key, made);
    return made;
  }
}

/**
 * The page that a domain shares with the store (docs/misc/xenstore-ring.txt): bytes either way around the ends of two
 * rings, whose indices the domain may set to anything, so they are read once for each use and checked.
 */
import {
  XENSTORE_CONNECTED,
  XENSTORE_ERROR,
  XENSTORE_RECONNECT,
  XENSTORE_RING_SIZE,
  XENSTORE_SERVER_FEATURE,
  xenstore_domain_interface,
} from '../abi/io/xs-wire.ts';
import type { EventPort } from '../domain/event-port.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';

/** Where a domain shares its page, and how it and the store wake each other. */
export interface StoreRing {
  readonly memory: MachineMemory;
  /** Host offset of the page. */
  readonly host: number;
  readonly port: EventPort;
}

/** The same at both widths. */
const { offsets } = xenstore_domain_interface.layout(64);

type Word = Exclude<keyof typeof offsets, 'req' | 'rsp'>;

/** The indices of a ring are too far apart. */
export const broken = -1;

export class RingPage {
  readonly #ring: StoreRing;

  constructor(ring: StoreRing) {
    this.#ring = ring;
  }

  get port(): EventPort {
    return this.#ring.port;
  }

  get wantsToReconnect(): boolean {
    return this.#word('connection') === XENSTORE_RECONNECT;
  }

  /** Empty, connected, without an error. */
  reset(): void {
    const { RECONNECTION, ERROR } = XENSTORE_SERVER_FEATURE;
    for (const name of ['req_cons', 'req_prod', 'rsp_cons', 'rsp_prod'] as const)
      this.#setWord(name, 0);
    this.#setWord('server_features', RECONNECTION | ERROR);
    this.#setWord('error', XENSTORE_ERROR.NONE);
    this.#setWord('connection', XENSTORE_CONNECTED);
  }

  setError(error: number): void {
    this.#setWord('error', error);
  }

  /** Takes as much of what the domain has sent as there is room for: bytes, or `broken`. */
  receive(to: Uint8Array): number {
    const { memory, host } = this.#ring;
    const [consumer, producer] = [this.#word('req_cons'), this.#word('req_prod')];
    const available = (producer - consumer) >>> 0;
    if (available > XENSTORE_RING_SIZE) return broken;
    const count = Math.min(available, to.length);
    if (count === 0) return 0;
    const start = consumer % XENSTORE_RING_SIZE;
    const at = host + offsets.req;
    const first = Math.min(count, XENSTORE_RING_SIZE - start);
    to.set(memory.bytes().subarray(at + start, at + start + first));
    to.set(memory.bytes().subarray(at, at + count - first), first);
    this.#setWord('req_cons', consumer + count);
    return count;
  }

  /** Sends as much as there is room for: bytes, or `broken`. */
  send(from: Uint8Array): number {
    const { memory, host } = this.#ring;
    const [consumer, producer] = [this.#word('rsp_cons'), this.#word('rsp_prod')];
    const used = (producer - consumer) >>> 0;
    if (used > XENSTORE_RING_SIZE) return broken;
    const piece = from.subarray(0, XENSTORE_RING_SIZE - used);
    if (piece.length === 0) return 0;
    const start = producer % XENSTORE_RING_SIZE;
    const at = host + offsets.rsp;
    const first = piece.subarray(0, XENSTORE_RING_SIZE - start);
    memory.willWrite(at, XENSTORE_RING_SIZE);
    memory.bytes().set(first, at + start);
    memory.bytes().set(piece.subarray(first.length), at);
    this.#setWord('rsp_prod', producer + piece.length);
    return piece.length;
  }

  #word(name: Word): number {
    const { memory, host } = this.#ring;
    return memory.view().getUint32(host + offsets[name], true);
  }

  #setWord(name: Word, value: number): void {
    const { memory, host } = this.#ring;
    memory.willWrite(host + offsets[name], 4);
    memory.view().setUint32(host + offsets[name], value, true);
  }
}

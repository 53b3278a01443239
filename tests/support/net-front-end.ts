/** The guest's half of a network interface: two rings in granted pages, frames sent from pages and received into them. */
import {
  NETRXF,
  netif_extra_info,
  netif_rx_request,
  netif_rx_response,
  netif_tx_request,
  netif_tx_response,
} from '../../runtime/abi/io/netif.ts';
import { sring } from '../../runtime/abi/io/ring.ts';
import { NetBackend, type NetBackendParts } from '../../runtime/backends/net/net-backend.ts';
import { systemClock } from '../../runtime/domain/clock.ts';
import { MachineMemory } from '../../runtime/memory/machine-memory.ts';
import { cable, type Frame, type Link } from '../../runtime/network/frame.ts';
import { FakeEventPort } from './fake-event-port.ts';
import { FakeGrants } from './fake-grants.ts';

/** Entries: a page less its head holds 336 requests to send and 504 pages to receive. */
const slots = 256;
const head = 64;

export interface SentSlot {
  readonly gref: number;
  readonly offset: number;
  readonly flags: number;
  readonly id: number;
  readonly size: number;
}

export interface ReceivedSlot {
  readonly id: number;
  readonly offset: number;
  readonly flags: number;
  readonly status: number;
}

export class NetFrontEnd {
  readonly memory = new MachineMemory();
  readonly grants = new FakeGrants(this.memory);
  readonly port = new FakeEventPort();
  readonly backend: NetBackend;
  /** What came out at the other end of the cable. */
  readonly frames: Frame[] = [];
  readonly network: Link;
  broken: string | undefined;
  readonly #rings: { readonly tx: number; readonly rx: number };
  readonly #produced = { tx: 0, rx: 0 };
  readonly #consumed = { tx: 0, rx: 0 };
  /** Pages for frames to come, by id. */
  readonly #pages = new Map<number, number>();

  constructor(parts: Partial<NetBackendParts> = {}) {
    const [link, network] = cable();
    this.network = network;
    network.listen((frame) => this.frames.push(frame));
    this.#rings = { tx: this.grants.page().host, rx: this.grants.page().host };
    for (const ring of ['tx', 'rx'] as const) {
      this.setIndex(ring, 'req_event', 1);
      this.setIndex(ring, 'rsp_event', 1);
    }
    this.backend = new NetBackend({
      ...{ name: 'vif1.0', memory: this.memory, granted: this.grants, link },
      ports: { transmit: this.port, receive: this.port },
      pages: { transmit: this.#rings.tx, receive: this.#rings.rx },
      features: {
        ...{ scatters: true, segments: { 4: true, 6: true } },
        checksums: { 4: true, 6: true },
      },
      clock: { ...systemClock(), monotonic: () => 0n },
      onBroken: (reason) => {
        this.broken = reason;
      },
      ...parts,
    });
  }

  index(ring: 'tx' | 'rx', name: Index): number {
    return this.memory.view().getUint32(this.#rings[ring] + sring.layout(64).offsets[name], true);
  }

  setIndex(ring: 'tx' | 'rx', name: Index, value: number): void {
    const at = this.#rings[ring] + sring.layout(64).offsets[name];
    this.memory.view().setUint32(at, value, true);
  }

  /** A page with those bytes at that offset. */
  page(bytes: Uint8Array, offset = 0): number {
    const { gref, host } = this.grants.page('read');
    this.memory.bytes().set(bytes, host + offset);
    return gref;
  }

  queue(slot: SentSlot): void {
    Object.assign(netif_tx_request.layout(64).at(this.memory, this.#entry('tx')), slot);
  }

  queueExtra(info: { type: number; flags: number; size: number; gsoType: number }): void {
    const extra = netif_extra_info.layout(64).at(this.memory, this.#entry('tx'));
    Object.assign(extra, { type: info.type, flags: info.flags });
    Object.assign(extra.u, { size: info.size, type: info.gsoType, pad: 0, features: 0 });
  }

  /** Pages to receive into. */
  offer(ids: readonly number[]): void {
    for (const id of ids) {
      const { gref, host } = this.grants.page();
      this.#pages.set(id, host);
      this.offerGrant(id, gref);
    }
  }

  offerGrant(id: number, gref: number): void {
    Object.assign(netif_rx_request.layout(64).at(this.memory, this.#entry('rx')), { id, gref });
  }

  push(): void {
    for (const ring of ['tx', 'rx'] as const) this.setIndex(ring, 'req_prod', this.#produced[ring]);
    this.port.send();
  }

  /** Ids and statuses of what was sent. */
  sent(): [number, number][] {
    return this.#answers('tx', (at) => {
      const { id, status } = netif_tx_response.layout(64).at(this.memory, at);
      return [id, status];
    });
  }

  /** What has come, slot by slot; extra information as it stands in its slot. */
  received(): ReceivedSlot[] {
    return this.#answers('rx', (at) => {
      const { id, offset, flags, status } = netif_rx_response.layout(64).at(this.memory, at);
      return { id, offset, flags, status };
    });
  }

  /** The bytes of a frame that has come into these slots. */
  bytesOf(received: readonly ReceivedSlot[]): Uint8Array {
    const parts = received.map(({ id, offset, status }) => {
      const start = (this.#pages.get(id) ?? 0) + offset;
      return this.memory.bytes().slice(start, start + status);
    });
    return Uint8Array.from(parts.flatMap((part) => [...part]));
  }

  #entry(ring: 'tx' | 'rx'): number {
    const at = this.#place(ring, this.#produced[ring]);
    this.#produced[ring]++;
    return at;
  }

  #place(ring: 'tx' | 'rx', index: number): number {
    return this.#rings[ring] + head + (index & (slots - 1)) * (ring === 'tx' ? 12 : 8);
  }

  #answers<T>(ring: 'tx' | 'rx', read: (at: number) => T): T[] {
    const answers: T[] = [];
    for (; this.#consumed[ring] !== this.index(ring, 'rsp_prod'); this.#consumed[ring]++)
      answers.push(read(this.#place(ring, this.#consumed[ring])));
    this.setIndex(ring, 'rsp_event', this.#consumed[ring] + 1);
    return answers;
  }
}

type Index = 'req_prod' | 'req_event' | 'rsp_prod' | 'rsp_event';

export const hasExtra = ({ flags }: ReceivedSlot): boolean => (flags & NETRXF.extra_info) !== 0;

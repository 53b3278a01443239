/** A domain's side of the xenstore ring: sends requests byte by byte as it likes, and takes what comes. */
import {
  type RequestName,
  XENSTORE_RING_SIZE,
  XS,
  xenstore_domain_interface,
  xsd_sockmsg,
} from '../../runtime/abi/io/xs-wire.ts';
import { MachineMemory, pageSize } from '../../runtime/memory/machine-memory.ts';
import type { Xenstored } from '../../runtime/xenstore/xenstored.ts';
import { FakeEventPort } from './fake-event-port.ts';

export interface StoreMessage {
  /** Name of its type. */
  readonly type: string;
  readonly request: number;
  readonly transaction: number;
  /** As Latin-1. */
  readonly payload: string;
}

const { offsets } = xenstore_domain_interface.layout(64);
const header = xsd_sockmsg.layout(64);
const nameOf = (type: number): string =>
  Object.entries(XS).find(([, value]) => value === type)?.[0] ?? String(type);

export const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

export function storeMessage(
  type: number,
  payload: Uint8Array,
  { request = 7, transaction = 0 } = {},
): Uint8Array {
  const bytes = new Uint8Array(header.size + payload.length);
  const fields = { type, req_id: request, tx_id: transaction, len: payload.length };
  Object.assign(header.at(bytes, 0), fields);
  bytes.set(payload, header.size);
  return bytes;
}

export class StoreGuest {
  readonly memory = new MachineMemory();
  /** The page lies between two others. */
  readonly host = this.memory.allocate(3 * pageSize) + pageSize;
  readonly port = new FakeEventPort();
  readonly page = xenstore_domain_interface.layout(64).at(this.memory, this.host);
  #pending: number[] = [];

  /** A guest that is known to the store and served by it. */
  static introduce(xenstored: Xenstored, domid: number): StoreGuest {
    const guest = new StoreGuest();
    xenstored.addDomain(domid);
    xenstored.serve(domid, guest.ring);
    return guest;
  }

  get ring() {
    return { memory: this.memory, host: this.host, port: this.port };
  }

  /** Puts as many bytes into the ring as fit, and rings; how many there were. */
  put(bytes: Uint8Array): number {
    const room = XENSTORE_RING_SIZE - ((this.page.req_prod - this.page.req_cons) >>> 0);
    const piece = bytes.subarray(0, room);
    for (const byte of piece) {
      const at = this.host + offsets.req + (this.page.req_prod % XENSTORE_RING_SIZE);
      this.memory.view().setUint8(at, byte);
      this.page.req_prod++;
    }
    this.port.send();
    return piece.length;
  }

  /** All bytes, in as many pieces as it takes. */
  putAll(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const count = this.put(bytes.subarray(done));
      if (count === 0) throw new Error('the store takes nothing more');
      done += count;
    }
  }

  /** Everything that waits in the ring, as whole messages. */
  take(): StoreMessage[] {
    for (let moved = true; moved; ) {
      moved = this.page.rsp_cons !== this.page.rsp_prod;
      while (this.page.rsp_cons !== this.page.rsp_prod) {
        const at = this.host + offsets.rsp + (this.page.rsp_cons % XENSTORE_RING_SIZE);
        this.#pending.push(this.memory.view().getUint8(at));
        this.page.rsp_cons++;
      }
      if (moved) this.port.send();
    }
    return this.#whole();
  }

  /** What comes back, as `TYPE payload`, events among it; NULs are shown as |. */
  ask(name: RequestName, payload: string, transaction = 0): string[] {
    this.putAll(storeMessage(XS[name], latin1(payload.replaceAll('|', '\0')), { transaction }));
    return this.take().map((message) => showMessage(message, name));
  }

  #whole(): StoreMessage[] {
    const { messages, rest } = parseMessages(Uint8Array.from(this.#pending));
    this.#pending = [...rest];
    return messages;
  }
}

/** All that are whole, and the bytes behind them. */
export function parseMessages(bytes: Uint8Array): {
  readonly messages: StoreMessage[];
  readonly rest: Uint8Array;
} {
  const messages: StoreMessage[] = [];
  let at = 0;
  while (bytes.length - at >= header.size) {
    const { type, req_id, tx_id, len } = header.at(bytes, at);
    const end = at + header.size + len;
    if (end > bytes.length) break;
    const payload = Buffer.from(bytes.subarray(at + header.size, end)).toString('latin1');
    messages.push({ type: nameOf(type), request: req_id, transaction: tx_id, payload });
    at = end;
  }
  return { messages, rest: bytes.subarray(at) };
}

/** As `TYPE payload`, without the type where it is the one that was asked for; NULs are shown as |. */
export const showMessage = ({ type, payload }: StoreMessage, asked: string): string =>
  `${type === asked ? '' : `${type} `}${payload.replaceAll('\0', '|')}`.trim();

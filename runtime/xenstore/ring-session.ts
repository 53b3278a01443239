/**
 * A domain's connection to the store: messages (xen/io/xs_wire.h) through its ring. Who breaks the protocol is no longer
 * served until it asks to reconnect.
 */
import {
  XENSTORE_ERROR,
  XENSTORE_PAYLOAD_MAX,
  XS,
  xsd_errors,
  xsd_sockmsg,
} from '../abi/io/xs-wire.ts';
import { XenError } from '../errors.ts';
import type { Trace } from '../trace.ts';
import { type Administration, answer, requestName, toBytes } from './requests.ts';
import { broken, RingPage, type StoreRing } from './ring-page.ts';
import type { Session, Watch } from './session.ts';
import type { Store } from './store.ts';
import { eventLine, quoteStrings, requestLine } from './trace-line.ts';
import { resetSession } from './watches.ts';

export interface RingSessionParts {
  readonly store: Store;
  readonly domid: number;
  readonly administration: Administration;
  readonly trace: Trace | undefined;
}

interface Outgoing {
  readonly bytes: Uint8Array;
  /** How much of it the domain has. */
  sent: number;
  /** What an event says; a reply has none. */
  readonly event: string | undefined;
}

interface Header {
  readonly type: number;
  readonly req_id: number;
  readonly tx_id: number;
}

/** The same at both widths. */
const headerLayout = xsd_sockmsg.layout(64);

/** A reply no longer than this is never refused, so that errors can be told. */
const smallPayload = 16;

export class RingSession implements Session {
  readonly domid: number;
  readonly isPrivileged: boolean;
  watches: Watch[] = [];
  readonly transactions: Session['transactions'] = new Map();
  nextTransaction = 1;
  readonly #parts: RingSessionParts;
  /** None where the domain is not to be served. */
  #page: RingPage | undefined;
  #isBroken = false;
  /** What has come of the next message; as long as its header, or whole. */
  #incoming = new Uint8Array(headerLayout.size);
  #received = 0;
  #outgoing: Outgoing[] = [];
  #replies = 0;
  /** Those that wait. */
  readonly #events = new Set<string>();

  constructor(parts: RingSessionParts) {
    this.#parts = parts;
    this.domid = parts.domid;
    this.isPrivileged = parts.domid === 0;
  }

  get target(): number | undefined {
    return this.#parts.store.domains.find(this.domid)?.target;
  }

  /** Begins anew, as for a domain that has just come, or whose page or port is another now. */
  connect(ring: StoreRing): void {
    if (this.#page !== undefined && this.#page.port !== ring.port) this.#page.port.close();
    const page = new RingPage(ring);
    const isWaiting = page.wantsToReconnect;
    this.#page = page;
    this.#begin(page);
    page.port.listen(() => this.#parts.store.perform(() => this.flush()));
    if (isWaiting) page.port.notify();
  }

  close(): void {
    this.#forget();
    this.#page?.port.close();
    this.#page = undefined;
  }

  /** Serves what has come, and sends what waits, as far as there is room. */
  flush(): void {
    const page = this.#page;
    if (page === undefined) return;
    let hasMoved = false;
    if (page.wantsToReconnect) {
      this.#begin(page);
      hasMoved = true;
    }
    for (let moved = true; moved && !this.#isBroken; hasMoved ||= moved) {
      const received = this.#receive(page);
      const sent = this.#send(page);
      moved = received || sent;
    }
    if (hasMoved) page.port.notify();
  }

  /** An event that waits already is not told twice; one that is too much for the domain's quota is lost. */
  deliver(path: string, token: string): void {
    if (this.#page === undefined || this.#isBroken) return;
    const event = `${path}\0${token}\0`;
    if (event.length > XENSTORE_PAYLOAD_MAX) return;
    if (this.#events.has(event) && !path.startsWith('@')) return;
    const bytes = message({ type: XS.WATCH_EVENT, req_id: 0, tx_id: 0 }, toBytes(event));
    try {
      this.#charge(bytes.length);
    } catch (error) {
      if (error instanceof XenError) return;
      throw error;
    }
    this.#outgoing.push({ bytes, sent: 0, event });
    this.#events.add(event);
  }

  #charge(bytes: number, isFree = false): void {
    this.#parts.store.domains.charge(this.domid, bytes, isFree);
  }

  #begin(page: RingPage): void {
    this.#forget();
    this.#isBroken = false;
    page.reset();
  }

  #forget(): void {
    resetSession(this.#parts.store, this);
    for (const { bytes } of this.#outgoing) this.#charge(-bytes.length, true);
    this.#outgoing = [];
    this.#replies = 0;
    this.#events.clear();
    this.#received = 0;
    this.#incoming = new Uint8Array(headerLayout.size);
  }

  #break(page: RingPage, error: number): void {
    page.setError(error);
    this.#forget();
    this.#isBroken = true;
  }

  /** Who leaves replies lying, or uses too much, is not served. */
  #mayReceive(): boolean {
    const { store } = this.#parts;
    if (this.isPrivileged) return true;
    return this.#replies < store.quotas.outstanding && !store.domains.isFull(this.domid);
  }

  /** Takes what has come of one message, and answers it where it is whole; false where nothing has come. */
  #receive(page: RingPage): boolean {
    if (!this.#mayReceive()) return false;
    const count = page.receive(this.#incoming.subarray(this.#received));
    if (count === broken) this.#break(page, XENSTORE_ERROR.RINGIDX);
    if (count <= 0) return count === broken;
    this.#received += count;
    if (this.#received === this.#incoming.length) this.#take(page);
    return true;
  }

  /** All that was asked for has come: the header alone, or the message. */
  #take(page: RingPage): void {
    const { type, req_id, tx_id, len } = headerLayout.at(this.#incoming, 0);
    const whole = headerLayout.size + len;
    if (len > XENSTORE_PAYLOAD_MAX) this.#break(page, XENSTORE_ERROR.PROTO);
    else if (this.#received < whole) {
      const incoming = new Uint8Array(whole);
      incoming.set(this.#incoming);
      this.#incoming = incoming;
    } else {
      const payload = this.#incoming.subarray(headerLayout.size);
      this.#received = 0;
      this.#incoming = new Uint8Array(headerLayout.size);
      this.#answer({ type, req_id, tx_id }, payload);
    }
  }

  #answer(header: Header, payload: Uint8Array): void {
    const { store, administration, trace } = this.#parts;
    const { type, req_id, tx_id } = header;
    const show = (outcome: string | Uint8Array): void => {
      if (trace === undefined) return;
      const shown = typeof outcome === 'string' ? outcome : quoteStrings(outcome);
      const quoted = quoteStrings(payload);
      const text = requestLine(this.domid, requestName(type), tx_id, quoted, shown);
      trace({ kind: 'xenstore', text });
    };
    try {
      const request = { store, session: this, administration, type, transaction: tx_id, payload };
      const reply = answer(request);
      this.#reply(header, reply.payload);
      show(reply.payload);
      reply.after?.();
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      const name = xsd_errors.includes(error.errno) ? error.errno : 'EINVAL';
      this.#reply({ type: XS.ERROR, req_id, tx_id }, toBytes(`${name}\0`));
      show(name);
    }
  }

  #reply(header: Header, payload: Uint8Array): void {
    const bytes = message(header, payload);
    this.#charge(bytes.length, payload.length <= smallPayload);
    this.#outgoing.push({ bytes, sent: 0, event: undefined });
    this.#replies++;
  }

  /** Sends what fits; false where nothing did. */
  #send(page: RingPage): boolean {
    let hasSent = false;
    for (let first = this.#outgoing[0]; first !== undefined; first = this.#outgoing[0]) {
      const count = page.send(first.bytes.subarray(first.sent));
      if (count === broken) this.#break(page, XENSTORE_ERROR.RINGIDX);
      if (count <= 0) return hasSent || count === broken;
      hasSent = true;
      first.sent += count;
      if (first.sent === first.bytes.length) this.#sent(first);
    }
    return hasSent;
  }

  #sent({ bytes, event }: Outgoing): void {
    this.#outgoing.shift();
    this.#charge(-bytes.length, true);
    if (event === undefined) {
      this.#replies--;
      return;
    }
    this.#events.delete(event);
    this.#parts.trace?.({
      kind: 'xenstore',
      text: eventLine(this.domid, quoteStrings(bytes.subarray(headerLayout.size))),
    });
  }
}

function message({ type, req_id, tx_id }: Header, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(headerLayout.size + payload.length);
  Object.assign(headerLayout.at(bytes, 0), { type, req_id, tx_id, len: payload.length });
  bytes.set(payload, headerLayout.size);
  return bytes;
}

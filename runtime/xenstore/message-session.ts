/** A domain whose kernel is in here talks with the store: the same messages (xen/io/xs_wire.h), without a ring. */
import { XENSTORE_PAYLOAD_MAX, XS, xsd_errors, xsd_sockmsg } from '../abi/io/xs-wire.ts';
import { XenError } from '../errors.ts';
import type { Trace } from '../trace.ts';
import { type Administration, answer, requestName, toBytes } from './requests.ts';
import type { Session, Watch } from './session.ts';
import type { Store } from './store.ts';
import { eventLine, quoteStrings, requestLine } from './trace-line.ts';

export interface MessageSessionParts {
  readonly store: Store;
  readonly domid: number;
  readonly administration: Administration;
  readonly trace: Trace | undefined;
  /** There are events to take. */
  readonly changed: () => void;
}

export interface Message {
  /** XS.ERROR, or that of the request. */
  readonly type: number;
  readonly payload: Uint8Array;
}

const headerBytes = xsd_sockmsg.layout(64).size;

export class MessageSession implements Session {
  readonly domid: number;
  readonly isPrivileged = false;
  watches: Watch[] = [];
  readonly transactions: Session['transactions'] = new Map();
  nextTransaction = 1;
  readonly #parts: MessageSessionParts;
  readonly #events: string[] = [];

  constructor(parts: MessageSessionParts) {
    this.#parts = parts;
    this.domid = parts.domid;
  }

  get target(): number | undefined {
    return this.#parts.store.domains.find(this.domid)?.target;
  }

  /** Never fails: an error is a message, too. */
  request(type: number, transaction: number, payload: Uint8Array): Message {
    const { store } = this.#parts;
    return store.perform(() => {
      try {
        if (payload.length > XENSTORE_PAYLOAD_MAX)
          throw new XenError('E2BIG', 'xenstore: a request that is too long');
        const { administration } = this.#parts;
        const reply = answer({
          ...{ store, session: this, administration, type, transaction, payload },
        });
        this.#show(type, transaction, payload, quoteStrings(reply.payload));
        reply.after?.();
        return { type, payload: reply.payload };
      } catch (error) {
        if (!(error instanceof XenError)) throw error;
        const name = xsd_errors.includes(error.errno) ? error.errno : 'EINVAL';
        this.#show(type, transaction, payload, name);
        return { type: XS.ERROR, payload: toBytes(`${name}\0`) };
      }
    });
  }

  /** What a watch has seen, path and token each with its NUL; undefined where there is nothing. */
  takeEvent(): Uint8Array | undefined {
    const event = this.#events.shift();
    if (event === undefined) return undefined;
    const bytes = toBytes(event);
    this.#parts.store.domains.charge(this.domid, -(headerBytes + bytes.length), true);
    this.#parts.trace?.({ kind: 'xenstore', text: eventLine(this.domid, quoteStrings(bytes)) });
    return bytes;
  }

  /** An event that waits already is not told twice; one that is too much for the domain's quota is lost. */
  deliver(path: string, token: string): void {
    const event = `${path}\0${token}\0`;
    if (event.length > XENSTORE_PAYLOAD_MAX) return;
    if (this.#events.includes(event) && !path.startsWith('@')) return;
    try {
      this.#parts.store.domains.charge(this.domid, headerBytes + event.length);
    } catch (error) {
      if (error instanceof XenError) return;
      throw error;
    }
    this.#events.push(event);
  }

  flush(): void {
    if (this.#events.length > 0) this.#parts.changed();
  }

  #show(type: number, transaction: number, payload: Uint8Array, outcome: string): void {
    const { trace } = this.#parts;
    if (trace === undefined) return;
    const quoted = quoteStrings(payload);
    const text = requestLine(this.domid, requestName(type), transaction, quoted, outcome);
    trace({ kind: 'xenstore', text });
  }
}

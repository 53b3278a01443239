/** An application's talk with the store, as messages; what is made of them is C (xenbus.c and xs.c of the sysroot). */
import { XENSTORE_PAYLOAD_MAX } from '../../abi/io/xs-wire.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import type { Message } from '../../xenstore/message-session.ts';
import { failure } from '../errno.ts';
import { orPark, type Park } from './park.ts';

/** What a session of the store's has. */
export interface StoreSession {
  readonly watches: readonly unknown[];
  request(type: number, transaction: number, payload: Uint8Array): Message;
  takeEvent(): Uint8Array | undefined;
}

export class StoreTalk {
  readonly #session: StoreSession;
  readonly #memory: GuestMemory;

  constructor(session: StoreSession, memory: GuestMemory) {
    this.#session = session;
    this.#memory = memory;
  }

  /** The reply's length; it goes to `reply`, which has room for any, and its type to `replyType`. */
  request(
    asked: { readonly type: number; readonly transaction: number },
    payload: { readonly address: bigint; readonly length: bigint },
    reply: bigint,
    replyType: bigint,
  ): number {
    if (payload.length > BigInt(XENSTORE_PAYLOAD_MAX))
      throw failure('E2BIG', 'a request to the store that is too long');
    this.#memory.checkWritable(reply, XENSTORE_PAYLOAD_MAX);
    this.#memory.checkWritable(replyType, 4);
    const bytes = this.#memory.readBytes(payload.address, Number(payload.length));
    const answer = this.#session.request(asked.type, asked.transaction, bytes);
    this.#memory.writeBytes(reply, answer.payload);
    this.#memory.writeU32(replyType, answer.type);
    return answer.payload.length;
  }

  /** Waits for what a watch sees: its length, in `event`, which has room for any. */
  nextEvent(event: bigint): number | Park<number> {
    this.#memory.checkWritable(event, XENSTORE_PAYLOAD_MAX);
    return orPark({
      what: 'an event of the store',
      ask: () => {
        const bytes = this.#session.takeEvent();
        if (bytes === undefined) return undefined;
        this.#memory.writeBytes(event, bytes);
        return bytes.length;
      },
      isHopeful: () => this.#session.watches.length > 0,
    });
  }
}

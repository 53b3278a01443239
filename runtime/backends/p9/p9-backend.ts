/** The 9pfs back-end (xen/io/9pfs.h): messages from one ring of a front-end's to a session, answers back, in order. */
import type { Clock } from '../../domain/clock.ts';
import type { EventPort } from '../../domain/event-port.ts';
import { XenError } from '../../errors.ts';
import { Service } from '../service.ts';
import type { ByteRings } from './byte-rings.ts';
import type { NinePSession } from './session.ts';
import { headerLength } from './wire.ts';

export interface P9BackendParts {
  readonly rings: ByteRings;
  readonly port: EventPort;
  readonly session: NinePSession;
  readonly clock: Clock;
  /** The front-end counts what cannot be, or writes no messages: its ring is not looked at any more. */
  onBroken(reason: string): void;
}

export class P9Backend {
  readonly #parts: P9BackendParts;
  readonly #service: Service;
  /** What there was no room for. */
  #unsent: Uint8Array | undefined;

  constructor(parts: P9BackendParts) {
    this.#parts = parts;
    this.#service = new Service({
      clock: parts.clock,
      step: () => this.#step(),
      finish: () => {},
      onBroken: parts.onBroken,
    });
    parts.port.listen(() => this.serve());
  }

  serve(): void {
    this.#service.serve();
  }

  /** The port is still its owner's to close. */
  close(): void {
    this.#service.close();
  }

  /** The next message waits for the answer to this one, and for room for it. */
  #step(): boolean {
    const message = this.#flush() ? this.#take() : undefined;
    if (message === undefined) return false;
    this.#answer(message);
    return true;
  }

  /** A whole message, or none yet. */
  #take(): Uint8Array | undefined {
    const { rings, session } = this.#parts;
    const waiting = rings.waiting();
    if (waiting < headerLength) return undefined;
    const length = new DataView(rings.peek(4).buffer).getUint32(0, true);
    if (length < headerLength || length > Math.min(rings.size, session.longest))
      throw new XenError('EINVAL', `a message of ${length} bytes`);
    if (waiting < length) return undefined;
    const message = rings.peek(length);
    rings.drop(length);
    // Its length is looked at once.
    new DataView(message.buffer).setUint32(0, length, true);
    return message;
  }

  #answer(message: Uint8Array): void {
    const answer = this.#parts.session.answer(message);
    if (answer instanceof Uint8Array) this.#unsent = answer;
    else
      this.#service.pause(
        answer.then((bytes) => {
          this.#unsent = bytes;
        }),
      );
  }

  /** Whether nothing waits for room any more. */
  #flush(): boolean {
    const { rings, port } = this.#parts;
    const bytes = this.#unsent;
    if (bytes === undefined) return true;
    if (rings.room() < bytes.length) return false;
    rings.put(bytes);
    this.#unsent = undefined;
    port.notify();
    return true;
  }
}

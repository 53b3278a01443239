/** The 9pfs back-end (xen/io/9pfs.h): messages from one ring of a front-end's to a session, answers back, in order. */
import type { Clock } from '../../domain/clock.ts';
import type { EventPort } from '../../domain/event-port.ts';
import { XenError } from '../../errors.ts';
import type { ByteRings } from './byte-rings.ts';
import type { NinePSession } from './session.ts';
import { headerLength } from './wire.ts';

/** How long messages are served before the host's event loop has a turn. */
const mostAtOnce = 2_000_000n;

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
  #state: 'open' | 'broken' | 'closed' = 'open';
  #isServing = false;
  /** A message is being answered; the next waits. */
  #isBusy = false;
  /** What there was no room for. */
  #unsent: Uint8Array | undefined;

  constructor(parts: P9BackendParts) {
    this.#parts = parts;
    parts.port.listen(() => this.serve());
  }

  serve(): void {
    if (this.#isServing || this.#isBusy || this.#state !== 'open') return;
    this.#isServing = true;
    try {
      this.#answerAll();
    } catch (error) {
      if (!(error instanceof XenError)) throw error;
      this.#state = 'broken';
      this.#parts.onBroken(error.message);
    } finally {
      this.#isServing = false;
    }
  }

  close(): void {
    this.#state = 'closed';
    this.#parts.port.close();
  }

  #answerAll(): void {
    const { clock } = this.#parts;
    const until = clock.monotonic() + mostAtOnce;
    while (this.#state === 'open' && !this.#isBusy && this.#flush()) {
      const message = this.#take();
      if (message === undefined) return;
      this.#answer(message);
      if (clock.monotonic() >= until) {
        this.#wait(clock.turn());
        return;
      }
    }
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
      this.#wait(
        answer.then((bytes) => {
          this.#unsent = bytes;
        }),
      );
  }

  #wait(done: Promise<void>): void {
    this.#isBusy = true;
    void done.then(() => {
      this.#isBusy = false;
      this.serve();
    });
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

/** The host's end of an event channel whose other end is the test. */
import type { EventPort } from '../../runtime/domain/event-port.ts';

export class FakeEventPort implements EventPort {
  /** How often the guest was notified. */
  notified = 0;
  isClosed = false;
  #onEvent = (): void => {};

  notify(): void {
    this.notified++;
  }

  listen(onEvent: () => void): void {
    this.#onEvent = onEvent;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The guest sends. */
  send(): void {
    if (!this.isClosed) this.#onEvent();
  }
}

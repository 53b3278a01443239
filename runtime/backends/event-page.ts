/** One direction of the shared page of a frame buffer or keyboard: a ring of events of 40 bytes, whose indices count on for ever. */
import { XenError } from '../errors.ts';
import type { MachineMemory } from '../memory/machine-memory.ts';

export interface EventPageParts {
  readonly memory: MachineMemory;
  /** Host offset of the page. */
  readonly host: number;
  /** Within the page: the indices, and the events. */
  readonly consumer: number;
  readonly producer: number;
  readonly events: number;
  readonly length: number;
}

const eventSize = 40;

export class EventPage {
  readonly #parts: EventPageParts;
  /** Ours: the guest's copy is never read. */
  #own = 0;

  constructor(parts: EventPageParts) {
    this.#parts = parts;
  }

  /** Copies the next event of the guest's; false where there is none. XenError where it counts what cannot be. */
  take(event: Uint8Array): boolean {
    const { memory, host, producer, consumer, events, length } = this.#parts;
    const waiting = (memory.view().getUint32(host + producer, true) - this.#own) >>> 0;
    if (waiting > length) throw new XenError('EINVAL', `${waiting} events in a ring of ${length}`);
    if (waiting === 0) return false;
    const at = host + events + (this.#own % length) * eventSize;
    event.set(memory.bytes().subarray(at, at + event.length));
    this.#own = (this.#own + 1) >>> 0;
    memory.willWrite(host + consumer, 4);
    memory.view().setUint32(host + consumer, this.#own, true);
    return true;
  }

  /** Adds an event of ours; false where there is no room, and the event is lost. */
  put(event: Uint8Array): boolean {
    const { memory, host, producer, consumer, events, length } = this.#parts;
    const waiting = (this.#own - memory.view().getUint32(host + consumer, true)) >>> 0;
    if (waiting >= length) return false;
    const at = host + events + (this.#own % length) * eventSize;
    memory.willWrite(at, eventSize);
    memory.bytes().set(event, at);
    this.#own = (this.#own + 1) >>> 0;
    memory.willWrite(host + producer, 4);
    memory.view().setUint32(host + producer, this.#own, true);
    return true;
  }
}

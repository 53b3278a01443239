/**
 * The back half of a shared ring (xen/io/ring.h), over pages that need not lie side by side. Only `req_prod` and `rsp_event` are
 * ever read from it, each entry once, by copying; where we are is kept here.
 */
import { sring } from '../abi/io/ring.ts';
import { XenError } from '../errors.ts';
import { type MachineMemory, pageSize } from '../memory/machine-memory.ts';

/** The same at both widths. */
const { offsets, size: headSize } = sring.layout(64);

export interface BackRingParts {
  readonly memory: MachineMemory;
  /** Host offsets of its pages, in order. */
  readonly pages: readonly number[];
  /** Of a request or a response, whichever is larger. */
  readonly entrySize: number;
}

export class BackRing {
  /** Entries, a power of 2. */
  readonly size: number;
  readonly #parts: BackRingParts;
  /** The head's host offset. */
  readonly #head: number;
  /** Indices count on for ever, modulo 2^32. */
  #taken = 0;
  #answered = 0;
  #pushed = 0;

  constructor(parts: BackRingParts) {
    const [head] = parts.pages;
    if (head === undefined) throw new RangeError('a ring has a page at least');
    const room = (parts.pages.length * pageSize - headSize) / parts.entrySize;
    this.size = 2 ** Math.floor(Math.log2(room));
    this.#parts = parts;
    this.#head = head;
  }

  /** Copies the next request; false where there is none. XenError where the front-end counts what cannot be. */
  take(request: Uint8Array): boolean {
    const produced = this.#index('req_prod');
    const waiting = (produced - this.#taken) >>> 0;
    if (waiting > this.size || (produced - this.#answered) >>> 0 > this.size)
      throw new XenError(
        'EINVAL',
        `req_prod is ${produced}, ${this.#answered} of ${this.#taken} taken requests are answered, and the ring has ${this.size}`,
      );
    if (waiting === 0) return false;
    this.#copy(this.#taken, request, 'out');
    this.#taken = (this.#taken + 1) >>> 0;
    return true;
  }

  /** Writes a response, which the front-end sees after the next push. */
  put(response: Uint8Array): void {
    if (this.#answered === this.#taken) throw new RangeError('more responses than requests');
    this.#copy(this.#answered, response, 'in');
    this.#answered = (this.#answered + 1) >>> 0;
  }

  /** RING_PUSH_RESPONSES_AND_CHECK_NOTIFY: whether the front-end wants to hear of it. */
  push(): boolean {
    const [before, now] = [this.#pushed, this.#answered];
    if (before === now) return false;
    this.#setIndex('rsp_prod', now);
    this.#pushed = now;
    return (now - this.#index('rsp_event')) >>> 0 < (now - before) >>> 0;
  }

  /** RING_FINAL_CHECK_FOR_REQUESTS: asks to hear of the next request; true where one is there already. */
  finalCheck(): boolean {
    this.#setIndex('req_event', (this.#taken + 1) >>> 0);
    return this.#index('req_prod') !== this.#taken;
  }

  #index(name: 'req_prod' | 'rsp_event'): number {
    return this.#parts.memory.view().getUint32(this.#head + offsets[name], true);
  }

  #setIndex(name: 'req_event' | 'rsp_prod', value: number): void {
    const { memory } = this.#parts;
    memory.willWrite(this.#head + offsets[name], 4);
    memory.view().setUint32(this.#head + offsets[name], value, true);
  }

  /** An entry may lie across two pages. */
  #copy(index: number, bytes: Uint8Array, way: 'in' | 'out'): void {
    const { memory, pages, entrySize } = this.#parts;
    const start = headSize + (index & (this.size - 1)) * entrySize;
    for (let done = 0; done < bytes.length; ) {
      const at = start + done;
      const inPage = at % pageSize;
      const count = Math.min(bytes.length - done, pageSize - inPage);
      const host = (pages[Math.floor(at / pageSize)] ?? 0) + inPage;
      if (way === 'out') bytes.set(memory.bytes().subarray(host, host + count), done);
      else {
        memory.willWrite(host, count);
        memory.bytes().set(bytes.subarray(done, done + count), host);
      }
      done += count;
    }
  }
}

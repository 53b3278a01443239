/**
 * A domain's console ring (xen/io/console.h), served as xenconsoled serves it: all four indices are read from the page
 * that the guest shares, and a ring whose indices make no sense is left alone until they do.
 */
import { XENCONS_IN_SIZE, XENCONS_OUT_SIZE, xencons_interface } from '../../abi/io/console.ts';
import type { EventPort } from '../../domain/event-port.ts';
import type { MachineMemory } from '../../memory/machine-memory.ts';
import type { Console } from './console.ts';

/** The same at both widths. */
const { offsets } = xencons_interface.layout(64);

export interface ConsoleRingParts {
  readonly memory: MachineMemory;
  /** Host offset of the page with the ring. */
  readonly host: number;
  readonly port: EventPort;
  /** The outside; the ring becomes its listener. */
  readonly console: Console;
}

export class ConsoleRing {
  readonly #parts: ConsoleRingParts;
  #isClosed = false;
  #emptied = (): void => {};

  constructor(parts: ConsoleRingParts) {
    this.#parts = parts;
    parts.console.listen(() => this.serve());
    parts.port.listen(() => this.serve());
  }

  /** Moves what can be moved either way. To be called once the guest may be told of input; then it calls itself. */
  serve(): void {
    if (this.#isClosed) return;
    const printed = this.#print();
    const typed = this.#type();
    if (printed || typed) this.#parts.port.notify();
  }

  /** The guest runs no more: resolves when all that it has printed has left; then the ring is no longer looked at. */
  async finish(): Promise<void> {
    this.#print();
    while (!this.#isClosed && this.#pending() > 0)
      await new Promise<void>((resolve) => {
        this.#emptied = resolve;
      });
    await this.#parts.console.flush();
    this.close();
  }

  close(): void {
    this.#isClosed = true;
    this.#parts.port.close();
    this.#emptied();
  }

  /** From the guest to the console. What a closed console refuses is lost, since nobody else will ever take it. */
  #print(): boolean {
    const { memory, host, console } = this.#parts;
    const count = this.#pending();
    if (count === 0) return false;
    const consumed = this.#index('out_cons');
    const bytes = new Uint8Array(count);
    const ring = memory.bytes().subarray(host + offsets.out, host + offsets.out + XENCONS_OUT_SIZE);
    const start = consumed % XENCONS_OUT_SIZE;
    const first = ring.subarray(start, start + count);
    bytes.set(first);
    bytes.set(ring.subarray(0, count - first.length), first.length);
    if (console.write(bytes) === 'full') return false;
    this.#setIndex('out_cons', consumed + count);
    this.#emptied();
    return true;
  }

  /** Bytes that the guest has printed and nobody has taken. */
  #pending(): number {
    const size = (this.#index('out_prod') - this.#index('out_cons')) >>> 0;
    return size > XENCONS_OUT_SIZE ? 0 : size;
  }

  /** From the console to the guest. */
  #type(): boolean {
    const { memory, host, console } = this.#parts;
    const before = this.#index('in_prod');
    const used = (before - this.#index('in_cons')) >>> 0;
    let [produced, room] = [before, XENCONS_IN_SIZE - used];
    while (room > 0 && console.input === 'ready') {
      const bytes = console.read(room) ?? new Uint8Array();
      if (bytes.length === 0) break;
      const ring = host + offsets.in;
      const start = produced % XENCONS_IN_SIZE;
      const first = bytes.subarray(0, XENCONS_IN_SIZE - start);
      memory.willWrite(ring, XENCONS_IN_SIZE);
      memory.bytes().set(first, ring + start);
      memory.bytes().set(bytes.subarray(first.length), ring);
      produced += bytes.length;
      room -= bytes.length;
    }
    if (produced === before) return false;
    this.#setIndex('in_prod', produced);
    return true;
  }

  #index(name: 'in_cons' | 'in_prod' | 'out_cons' | 'out_prod'): number {
    const { memory, host } = this.#parts;
    return memory.view().getUint32(host + offsets[name], true);
  }

  #setIndex(name: 'in_prod' | 'out_cons', value: number): void {
    const { memory, host } = this.#parts;
    memory.willWrite(host + offsets[name], 4);
    memory.view().setUint32(host + offsets[name], value, true);
  }
}

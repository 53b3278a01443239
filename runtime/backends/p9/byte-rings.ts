/** The back half of a flexible ring (xen/io/ring.h): bytes from the front-end, and bytes to it, in halves of the same pages. */
import { xen_9pfs_data_intf } from '../../abi/io/9pfs.ts';
import { XenError } from '../../errors.ts';
import { type MachineMemory, pageSize } from '../../memory/machine-memory.ts';

const { offsets } = xen_9pfs_data_intf.layout(64);

export interface ByteRingsParts {
  readonly memory: MachineMemory;
  /** Host offset of the page with the indices. */
  readonly interface: number;
  /** Host offsets of the ring's pages, in order. */
  readonly pages: readonly number[];
}

export class ByteRings {
  /** Bytes of each half, a power of 2. */
  readonly size: number;
  readonly #parts: ByteRingsParts;
  /** Indices count on for ever, modulo 2^32. */
  #taken = 0;
  #put = 0;

  constructor(parts: ByteRingsParts) {
    this.#parts = parts;
    this.size = (parts.pages.length * pageSize) / 2;
  }

  /** Bytes that wait; XenError where the front-end counts what cannot be. */
  waiting(): number {
    const waiting = (this.#index('out_prod') - this.#taken) >>> 0;
    if (waiting > this.size)
      throw new XenError('EINVAL', `${waiting} bytes in a ring of ${this.size}`);
    return waiting;
  }

  /** Copies what waits without taking it. */
  peek(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    this.#copy('out', this.#taken, bytes);
    return bytes;
  }

  drop(count: number): void {
    this.#taken = (this.#taken + count) >>> 0;
    this.#setIndex('out_cons', this.#taken);
  }

  /** Bytes that there is room for. */
  room(): number {
    const held = (this.#put - this.#index('in_cons')) >>> 0;
    if (held > this.size) throw new XenError('EINVAL', `${held} bytes in a ring of ${this.size}`);
    return this.size - held;
  }

  put(bytes: Uint8Array): void {
    this.#copy('in', this.#put, bytes);
    this.#put = (this.#put + bytes.length) >>> 0;
    this.#setIndex('in_prod', this.#put);
  }

  #index(name: 'in_cons' | 'out_prod'): number {
    const { memory, interface: page } = this.#parts;
    return memory.view().getUint32(page + offsets[name], true);
  }

  #setIndex(name: 'in_prod' | 'out_cons', value: number): void {
    const { memory, interface: page } = this.#parts;
    memory.willWrite(page + offsets[name], 4);
    memory.view().setUint32(page + offsets[name], value, true);
  }

  /** The first half goes to the front-end. */
  #copy(way: 'in' | 'out', index: number, bytes: Uint8Array): void {
    const { memory, pages } = this.#parts;
    const half = way === 'in' ? 0 : this.size;
    for (let done = 0; done < bytes.length; ) {
      const within = (index + done) & (this.size - 1);
      const at = half + within;
      const inPage = at % pageSize;
      const count = Math.min(bytes.length - done, pageSize - inPage, this.size - within);
      const host = (pages[Math.floor(at / pageSize)] ?? 0) + inPage;
      const part = bytes.subarray(done, done + count);
      if (way === 'out') part.set(memory.bytes().subarray(host, host + count));
      else {
        memory.willWrite(host, count);
        memory.bytes().set(part, host);
      }
      done += count;
    }
  }
}

/** A disk whose writes are lost when the host crashes, but for those that a flush has reached. */

import type { Disk, Done } from '../../runtime/backends/block/disk.ts';
import { MemoryDisk } from '../../runtime/backends/block/memory-disk.ts';

export class VolatileDisk implements Disk {
  readonly isReadOnly = false;
  readonly isImmediate = true;
  readonly discardGranularity = 512;
  readonly #bytes: Uint8Array;
  readonly #now: MemoryDisk;
  /** What a crash leaves. */
  readonly stable: Uint8Array;

  constructor(sectors: number) {
    this.#bytes = new Uint8Array(sectors * 512);
    this.#now = new MemoryDisk(this.#bytes);
    this.stable = this.#bytes.slice();
  }

  get sectors(): number {
    return this.#now.sectors;
  }

  read(sector: number, buffers: readonly Uint8Array[]): Done {
    return this.#now.read(sector, buffers);
  }
  write(sector: number, buffers: readonly Uint8Array[]): Done {
    return this.#now.write(sector, buffers);
  }
  discard(sector: number, count: number): Done {
    return this.#now.discard(sector, count);
  }

  /** What was written when it was called is safe when it is done, not before. */
  async flush(): Promise<void> {
    const written = this.#bytes.slice();
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve));
    this.stable.set(written);
  }

  async close(): Promise<void> {}
}

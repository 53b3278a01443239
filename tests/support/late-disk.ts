/** A disk that answers later, and out of order: what a back-end must bear with. */
import type { Disk, Done } from '../../runtime/backends/block/disk.ts';
import { type Random, random } from './random.ts';

export class LateDisk implements Disk {
  readonly isImmediate = false;
  readonly #below: Disk;
  readonly #random: Random;

  constructor(below: Disk, seed = 1) {
    this.#below = below;
    this.#random = random(seed);
  }

  get sectors(): number {
    return this.#below.sectors;
  }
  get isReadOnly(): boolean {
    return this.#below.isReadOnly;
  }
  get discardGranularity(): number {
    return this.#below.discardGranularity;
  }

  read(sector: number, buffers: readonly Uint8Array[]): Done {
    return this.#later(() => this.#below.read(sector, buffers));
  }
  write(sector: number, buffers: readonly Uint8Array[]): Done {
    return this.#later(() => this.#below.write(sector, buffers));
  }
  flush(): Done {
    return this.#later(() => this.#below.flush());
  }
  discard(sector: number, count: number): Done {
    return this.#later(() => this.#below.discard(sector, count));
  }
  close(): Promise<void> {
    return this.#below.close();
  }

  async #later(work: () => Done): Promise<void> {
    for (let turns = this.#random.below(5); turns >= 0; turns--)
      await new Promise((resolve) => setImmediate(resolve));
    await work();
  }
}

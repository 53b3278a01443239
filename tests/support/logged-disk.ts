/** A disk that writes down what begins and what ends. */
import type { Disk, Done } from '../../runtime/backends/block/disk.ts';

export class LoggedDisk implements Disk {
  readonly log: string[] = [];
  readonly #below: Disk;

  constructor(below: Disk) {
    this.#below = below;
  }

  get sectors(): number {
    return this.#below.sectors;
  }
  get isReadOnly(): boolean {
    return this.#below.isReadOnly;
  }
  get isImmediate(): boolean {
    return this.#below.isImmediate;
  }
  get discardGranularity(): number {
    return this.#below.discardGranularity;
  }

  read(sector: number, buffers: readonly Uint8Array[]): Done {
    return this.#logged(`read ${sector}`, `has read ${sector}`, () =>
      this.#below.read(sector, buffers),
    );
  }
  write(sector: number, buffers: readonly Uint8Array[]): Done {
    return this.#logged(`write ${sector}`, `written ${sector}`, () =>
      this.#below.write(sector, buffers),
    );
  }
  flush(): Done {
    return this.#logged('flush', 'flushed', () => this.#below.flush());
  }
  discard(sector: number, count: number): Done {
    return this.#logged(`discard ${sector}`, `discarded ${sector}`, () =>
      this.#below.discard(sector, count),
    );
  }
  close(): Promise<void> {
    return this.#below.close();
  }

  #logged(begin: string, end: string, work: () => Done): Done {
    this.log.push(begin);
    const done = work();
    if (done !== undefined) return done.then(() => void this.log.push(end));
    this.log.push(end);
    return undefined;
  }
}

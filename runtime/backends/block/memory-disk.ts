/** A disk in memory: for tests, and for images that come from elsewhere than a file. */
import { UserError } from '../../errors.ts';
import { checkDiscard, checkRead, checkWrite, type Disk, type Done, sectorSize } from './disk.ts';

export class MemoryDisk implements Disk {
  readonly sectors: number;
  readonly isReadOnly: boolean;
  readonly isImmediate = true;
  readonly discardGranularity = sectorSize;
  readonly #bytes: Uint8Array;

  /** The bytes are the disk: who keeps them sees what is written. */
  constructor(bytes: Uint8Array, { isReadOnly = false }: { readonly isReadOnly?: boolean } = {}) {
    if (bytes.length % sectorSize !== 0)
      throw new UserError(`a disk of ${bytes.length} bytes: not a multiple of ${sectorSize}`);
    this.#bytes = bytes;
    this.sectors = bytes.length / sectorSize;
    this.isReadOnly = isReadOnly;
  }

  read(sector: number, buffers: readonly Uint8Array[]): Done {
    checkRead(this, sector, buffers);
    let at = sector * sectorSize;
    for (const buffer of buffers) {
      buffer.set(this.#bytes.subarray(at, at + buffer.length));
      at += buffer.length;
    }
    return undefined;
  }

  write(sector: number, buffers: readonly Uint8Array[]): Done {
    checkWrite(this, sector, buffers);
    let at = sector * sectorSize;
    for (const buffer of buffers) {
      this.#bytes.set(buffer, at);
      at += buffer.length;
    }
    return undefined;
  }

  /** Nothing here outlives the process, and nothing is kept back either. */
  flush(): Done {
    return undefined;
  }

  discard(sector: number, count: number): Done {
    checkDiscard(this, sector, count);
    this.#bytes.fill(0, sector * sectorSize, (sector + count) * sectorSize);
    return undefined;
  }

  async close(): Promise<void> {}
}

/**
 * Raw files as disks. Reads and writes are synchronous, straight from and to the caller's buffers, since the kernel's page cache
 * mostly answers in microseconds; flush is fdatasync(2), elsewhere. A file is locked for as long as it is open.
 */
import { closeSync, fdatasync } from 'node:fs';
import { CopyOnWriteDisk } from '../../backends/block/copy-on-write-disk.ts';
import {
  checkDiscard,
  checkRead,
  checkWrite,
  type Disk,
  type Done,
  sectorSize,
} from '../../backends/block/disk.ts';
import { UserError, XenError } from '../../errors.ts';
import { lockOrRefuse, openFile, regularFile } from './open-file.ts';
import { failed, transferAt } from './positioned-io.ts';
import { canPunchHoles, punchHole } from './punch-hole.ts';

/** `cow`: the guest may write, the file stays as it is. */
export type DiskMode = 'rw' | 'ro' | 'cow';

/** What file systems mostly have for blocks. */
const holeGranularity = 4096;

/** Opens and locks a raw file. What is wrong with it is a UserError, and then nothing has been changed. */
export async function openDisk(path: string, mode: DiskMode): Promise<Disk> {
  const fd = openFile(path, mode === 'rw' ? 'r+' : 'r');
  try {
    const sectors = sectorsOf(path, fd);
    await lockOrRefuse(path, fd, mode === 'rw' ? 'exclusive' : 'shared');
    const file = new FileDisk(path, fd, sectors, mode !== 'rw');
    return mode === 'cow' ? new CopyOnWriteDisk(file) : file;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function sectorsOf(path: string, fd: number): number {
  const { size } = regularFile(path, fd);
  if (size % sectorSize !== 0)
    throw new UserError(`disk ${path}: its ${size} bytes are not a multiple of ${sectorSize}`);
  if (size === 0) throw new UserError(`disk ${path}: it is empty`);
  return size / sectorSize;
}

class FileDisk implements Disk {
  readonly sectors: number;
  readonly isReadOnly: boolean;
  readonly isImmediate = true;
  readonly discardGranularity: number;
  readonly #path: string;
  #fd: number | undefined;
  /** One fdatasync or fallocate at a time: a guest can ask for hundreds. */
  #last: Promise<void> = Promise.resolve();
  /** The kernel tells of lost writes once; whoever flushes later must hear of it, too. */
  #lost: XenError | undefined;

  constructor(path: string, fd: number, sectors: number, isReadOnly: boolean) {
    this.#path = path;
    this.#fd = fd;
    this.sectors = sectors;
    this.isReadOnly = isReadOnly;
    this.discardGranularity = !isReadOnly && canPunchHoles() ? holeGranularity : 0;
  }

  read(sector: number, buffers: readonly Uint8Array[]): Done {
    checkRead(this, sector, buffers);
    return this.#transfer('read', sector * sectorSize, buffers);
  }

  write(sector: number, buffers: readonly Uint8Array[]): Done {
    checkWrite(this, sector, buffers);
    return this.#transfer('written', sector * sectorSize, buffers);
  }

  flush(): Done {
    if (this.isReadOnly) return undefined;
    return this.#after(async (fd) => {
      if (this.#lost === undefined) {
        const error = await new Promise<unknown>((resolve) => fdatasync(fd, resolve));
        if (error) this.#lost = failed(this.#path, 'flushed', error);
      }
      if (this.#lost !== undefined) throw this.#lost;
    });
  }

  /** Whole blocks only: a block that others share in part keeps what it holds. */
  discard(sector: number, count: number): Done {
    checkDiscard(this, sector, count);
    const first = Math.ceil((sector * sectorSize) / holeGranularity) * holeGranularity;
    const end = Math.floor(((sector + count) * sectorSize) / holeGranularity) * holeGranularity;
    return end > first ? this.#after((fd) => punchHole(fd, first, end - first)) : undefined;
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    await this.#last;
    if (fd !== undefined) closeSync(fd);
  }

  /** The descriptor must stay open until then, which `close` sees to. */
  #after(work: (fd: number) => Promise<void>): Promise<void> {
    const fd = this.#open();
    const done = this.#last.then(() => work(fd));
    this.#last = done.catch(() => {});
    return done;
  }

  #transfer(what: 'read' | 'written', position: number, buffers: readonly Uint8Array[]): Done {
    const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
    const done = transferAt({ fd: this.#open(), path: this.#path }, what, position, buffers);
    if (done === bytes) return undefined;
    throw new XenError(
      'EIO',
      `${this.#path}: nothing ${what} at ${position + done}: the file has shrunk`,
    );
  }

  #open(): number {
    if (this.#fd === undefined) throw new XenError('EBADF', `${this.#path}: the disk is closed`);
    return this.#fd;
  }
}

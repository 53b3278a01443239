/**
 * Raw files as disks. Reads and writes are synchronous, straight from and to the caller's buffers, since the kernel's page cache
 * mostly answers in microseconds; flush is fdatasync(2), elsewhere. A file is locked for as long as it is open.
 */
import {
  closeSync,
  fdatasync,
  fstatSync,
  openSync,
  readSync,
  readvSync,
  writeSync,
  writevSync,
} from 'node:fs';
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
import { type Holder, lockFile } from './file-lock.ts';
import { canPunchHoles, punchHole } from './punch-hole.ts';

/** `cow`: the guest may write, the file stays as it is. */
export type DiskMode = 'rw' | 'ro' | 'cow';

/** What file systems mostly have for blocks. */
const holeGranularity = 4096;

/** Opens and locks a raw file. What is wrong with it is a UserError, and then nothing has been changed. */
export async function openDisk(path: string, mode: DiskMode): Promise<Disk> {
  const fd = open(path, mode === 'rw' ? 'r+' : 'r');
  try {
    const sectors = sectorsOf(path, fd);
    await lock(path, fd, mode);
    const file = new FileDisk(path, fd, sectors, mode !== 'rw');
    return mode === 'cow' ? new CopyOnWriteDisk(file) : file;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function open(path: string, flags: 'r' | 'r+'): number {
  try {
    return openSync(path, flags);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = (flags === 'r+' && writing[code ?? '']) || reasons[code ?? ''] || message;
    throw new UserError(`disk ${path}: ${reason}`, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'a directory, not a disk image',
  EACCES: 'may not be read',
};

const writing: Readonly<Record<string, string>> = {
  EACCES: 'may not be written; open it read-only (:ro) or copy-on-write (:cow)',
  EROFS: 'lies on a read-only file system; open it read-only (:ro) or copy-on-write (:cow)',
};

function sectorsOf(path: string, fd: number): number {
  const stats = fstatSync(fd);
  if (stats.isDirectory()) throw new UserError(`disk ${path}: ${reasons['EISDIR']}`);
  if (!stats.isFile())
    throw new UserError(`disk ${path}: not a regular file; only those can be disks`);
  const { size } = stats;
  if (size % sectorSize !== 0)
    throw new UserError(`disk ${path}: its ${size} bytes are not a multiple of ${sectorSize}`);
  if (size === 0) throw new UserError(`disk ${path}: it is empty`);
  return size / sectorSize;
}

async function lock(path: string, fd: number, mode: DiskMode): Promise<void> {
  const holder = await lockFile(fd, mode === 'rw' ? 'exclusive' : 'shared').catch(
    (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === 'ENOENT'
          ? 'it cannot be locked: there is no flock (util-linux) on PATH'
          : `it cannot be locked: ${cause.message}`;
      throw new UserError(`disk ${path}: ${reason}`, { cause });
    },
  );
  if (holder !== undefined) throw new UserError(`disk ${path}: ${inUse(holder)}`);
}

function inUse({ pid, kind }: Holder): string {
  const use = kind === undefined ? '' : kind === 'exclusive' ? ' for writing' : ' for reading';
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return `already open${use} by ${pid === process.pid ? 'this run' : who}`;
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
        if (error) this.#lost = this.#failed('flushed', error);
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

  /** The kernel may take or give less than asked for: at the end of the file, or at more than 1024 buffers. */
  #transfer(what: 'read' | 'written', position: number, buffers: readonly Uint8Array[]): Done {
    const fd = this.#open();
    let rest = buffers;
    let at = position;
    while (rest.length > 0) {
      const count = this.#once(fd, what, at, rest);
      if (count === 0 && rest.some(({ length }) => length > 0))
        throw new XenError('EIO', `${this.#path}: nothing ${what} at ${at}: the file has shrunk`);
      at += count;
      rest = without(rest, count);
    }
    return undefined;
  }

  #once(fd: number, what: 'read' | 'written', at: number, buffers: readonly Uint8Array[]): number {
    const [first, ...others] = buffers;
    if (first === undefined) return 0;
    try {
      if (what === 'read')
        return others.length === 0
          ? readSync(fd, first, 0, first.length, at)
          : readvSync(fd, buffers, at);
      return others.length === 0
        ? writeSync(fd, first, 0, first.length, at)
        : writevSync(fd, buffers, at);
    } catch (error) {
      throw this.#failed(what, error);
    }
  }

  #open(): number {
    if (this.#fd === undefined) throw new XenError('EBADF', `${this.#path}: the disk is closed`);
    return this.#fd;
  }

  #failed(what: string, error: unknown): XenError {
    const { code, message } = error as NodeJS.ErrnoException;
    return new XenError(code ?? 'EIO', `${this.#path}: cannot be ${what}: ${message}`);
  }
}

/** What is left of buffers when their first `count` bytes are done. */
function without(buffers: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  for (const [n, buffer] of buffers.entries()) {
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(n + 1)];
    left -= buffer.length;
  }
  return [];
}

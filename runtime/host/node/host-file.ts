/** An open file in a folder of the host, and what the host says of files in the words of the tree. */
import {
  type BigIntStats,
  closeSync,
  fchmodSync,
  fdatasync,
  fstatSync,
  fsync,
  ftruncateSync,
  futimesSync,
  readSync,
  writeSync,
} from 'node:fs';
import type {
  FileStatus,
  FileTimes,
  Flushed,
  FlushKind,
  FolderFile,
} from '../../backends/folder/folder.ts';
import { XenError } from '../../errors.ts';

export class HostFile implements FolderFile {
  readonly #fd: number;
  #flushes = 0;
  #isClosed = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  read(position: number, into: Uint8Array): number {
    return translated(() => readSync(this.#fd, into, 0, into.length, position));
  }

  /** Where the disk is full, as much as there was room for. */
  write(position: number, bytes: Uint8Array): number {
    let done = 0;
    while (done < bytes.length) {
      try {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
      } catch (error) {
        if (done > 0) return done;
        throw asXenError(error);
      }
    }
    return done;
  }

  status(): FileStatus {
    return translated(() => statusOf(fstatSync(this.#fd, { bigint: true })));
  }

  setLength(length: number): void {
    translated(() => ftruncateSync(this.#fd, length));
  }

  setPermissions(permissions: number): void {
    translated(() => fchmodSync(this.#fd, permissionsOf(permissions)));
  }

  setTimes(times: FileTimes): void {
    translated(() => {
      const { atime, mtime } = hostTimes(times, () => fstatSync(this.#fd, { bigint: true }));
      futimesSync(this.#fd, atime, mtime);
    });
  }

  flush(kind: FlushKind): Flushed {
    this.#flushes++;
    return new Promise((resolve, reject) =>
      (kind === 'data' ? fdatasync : fsync)(this.#fd, (error) => {
        this.#flushes--;
        this.#closeIfDone();
        if (error === null) resolve();
        else reject(asXenError(error));
      }),
    );
  }

  close(): void {
    this.#isClosed = true;
    this.#closeIfDone();
  }

  /** Not under a flush: the number may be another file's by then. */
  #closeIfDone(): void {
    if (this.#isClosed && this.#flushes === 0) closeSync(this.#fd);
  }
}

/** The guest's user is nobody to the host: set-user-ID bits are not its to give. */
export const permissionsOf = (permissions: number): number => permissions & 0o1777;

export const statusOf = (found: BigIntStats): FileStatus => ({
  ...{ mode: Number(found.mode), size: found.size, ino: found.ino, nlink: Number(found.nlink) },
  ...{ atime: found.atimeNs, mtime: found.mtimeNs, ctime: found.ctimeNs },
  ...{ rdev: Number(found.rdev), blocks: found.blocks },
});

/** Seconds, as Node takes them: exact to the microsecond, to which libuv cuts them. */
export function hostTimes(
  times: FileTimes,
  now: () => BigIntStats,
): { readonly atime: number; readonly mtime: number } {
  const seconds = (nanoseconds: bigint): number => Number(nanoseconds / 1000n) / 1e6 + 5e-7;
  return {
    atime: seconds(times.atime ?? now().atimeNs),
    mtime: seconds(times.mtime ?? now().mtimeNs),
  };
}

/** What the host refuses, as the guest's error. */
export function translated<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw asXenError(error);
  }
}

/** Anything but an error of the system's is a bug, and stays what it is. */
function asXenError(error: unknown): unknown {
  if (error instanceof XenError || !(error instanceof Error)) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  // Linux has one number for the two.
  return new XenError(code === 'ENOTSUP' ? 'EOPNOTSUPP' : code, error.message, { cause: error });
}

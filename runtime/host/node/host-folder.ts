/**
 * A folder of the host for a guest. No path can lead out of it: each directory is opened by name alone from the one before, as
 * openat does with O_NOFOLLOW, which Node has no call for; /proc/self/fd/N/NAME is the same (proc(5)). What is renamed during
 * the walk is walked where it then lies; a link is never followed.
 */
import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statfsSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { createServer } from 'node:net';
import {
  type FileStatus,
  type FileTimes,
  type Flushed,
  type Folder,
  type FolderEntry,
  type FolderFile,
  type FolderPath,
  type FolderSpace,
  type OpenWish,
  S_IF,
} from '../../backends/folder/folder.ts';
import { UserError, XenError } from '../../errors.ts';
import { HostFile, hostTimes, permissionsOf, statusOf, translated } from './host-file.ts';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_DIRECTORY, O_NOFOLLOW, O_DSYNC } = constants;
/** asm-generic/fcntl.h: a descriptor that names a file and opens nothing. Node does not name it. */
const O_PATH = 0o10000000;

export function openFolder(path: string): Folder {
  try {
    const root = openSync(path, O_RDONLY | O_DIRECTORY);
    try {
      lstatSync(`/proc/self/fd/${root}`);
    } catch (cause) {
      closeSync(root);
      throw new UserError(`${path}: folders of the host need /proc, as Linux has it`, { cause });
    }
    return new HostFolder(root);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new UserError(`${path}: ${reasons[code ?? ''] ?? message}`, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such folder',
  ENOTDIR: 'not a folder',
  EACCES: 'may not be read',
};

class HostFolder implements Folder {
  readonly #root: number;

  constructor(root: number) {
    this.#root = root;
  }

  status(path: FolderPath): FileStatus {
    return this.#at(path, (place) => statusOf(lstatSync(place, { bigint: true })));
  }

  list(path: FolderPath): FolderEntry[] {
    return this.#in(path, (directory) =>
      readdirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer' }).flatMap((bytes) => {
        const found = lstatSync(placeIn(directory, bytes), {
          ...{ bigint: true, throwIfNoEntry: false },
        });
        if (found === undefined) return [];
        const name = bytes.toString('latin1');
        return { name, ino: found.ino, mode: Number(found.mode) & S_IF.MT };
      }),
    );
  }

  open(path: FolderPath, wish: OpenWish): FolderFile {
    const flags = (wish.writing ? O_RDWR : O_RDONLY) | (wish.synchronous ? O_DSYNC : 0);
    return this.#at(path, (place) => {
      const made = wish.create === undefined ? undefined : create(place, flags, wish);
      return new HostFile(made ?? openThere(place, flags | (wish.truncate ? O_TRUNC : 0)));
    });
  }

  readLink(path: FolderPath): string {
    return this.#at(path, (place) =>
      readlinkSync(place, { encoding: 'buffer' }).toString('latin1'),
    );
  }

  makeDirectory(path: FolderPath, permissions: number): void {
    this.#at(path, (place) => mkdirSync(place, permissionsOf(permissions)));
    this.setPermissions(path, permissions);
  }

  makeLink(path: FolderPath, text: string): void {
    this.#at(path, (place) => symlinkSync(Buffer.from(text, 'latin1'), place));
  }

  makeSocket(path: FolderPath, permissions: number): void {
    this.#in(path.slice(0, -1), (directory) =>
      makeSocketNode(directory, Buffer.from(path.at(-1) ?? '', 'latin1')),
    );
    this.setPermissions(path, permissions);
  }

  link(from: FolderPath, to: FolderPath): void {
    this.#at(from, (source) => this.#at(to, (target) => linkSync(source, target)));
  }

  rename(from: FolderPath, to: FolderPath): void {
    this.#at(from, (source) => this.#at(to, (target) => renameSync(source, target)));
  }

  unlink(path: FolderPath): void {
    this.#at(path, (place) => unlinkSync(place));
  }

  removeDirectory(path: FolderPath): void {
    this.#at(path, (place) => rmdirSync(place));
  }

  setPermissions(path: FolderPath, permissions: number): void {
    this.#at(path, (place) =>
      opened(place, O_PATH | O_NOFOLLOW, (fd) =>
        chmodSync(`/proc/self/fd/${fd}`, permissionsOf(permissions)),
      ),
    );
  }

  setTimes(path: FolderPath, times: FileTimes): void {
    this.#at(path, (place) => {
      const { atime, mtime } = hostTimes(times, () => lstatSync(place, { bigint: true }));
      lutimesSync(place, atime, mtime);
    });
  }

  space(): FolderSpace {
    return translated(() => {
      const found = statfsSync(`/proc/self/fd/${this.#root}`, { bigint: true });
      return {
        ...{ blockSize: Number(found.bsize), blocks: found.blocks, freeBlocks: found.bavail },
        ...{ files: found.files, freeFiles: found.ffree },
      };
    });
  }

  flush(path: FolderPath): Flushed {
    const fd = this.#at(path, (place) => openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    return new Promise((resolve, reject) =>
      fsync(fd, (error) => {
        closeSync(fd);
        if (error === null) resolve();
        else reject(new XenError(error.code ?? 'EIO', error.message));
      }),
    );
  }

  close(): void {
    closeSync(this.#root);
  }

  /** Calls with a path that the host finds the last name by, in the very directory that the names before it lead to. */
  #at<T>(path: FolderPath, use: (place: Buffer | string) => T): T {
    const name = path.at(-1);
    if (name === undefined) return translated(() => use(`/proc/self/fd/${this.#root}/.`));
    return this.#in(path.slice(0, -1), (directory) =>
      use(placeIn(directory, Buffer.from(name, 'latin1'))),
    );
  }

  #in<T>(path: FolderPath, use: (directory: number) => T): T {
    return translated(() => {
      let directory = this.#root;
      try {
        for (const name of path) {
          const next = openSync(
            placeIn(directory, Buffer.from(name, 'latin1')),
            O_PATH | O_DIRECTORY | O_NOFOLLOW,
          );
          if (directory !== this.#root) closeSync(directory);
          directory = next;
        }
        return use(directory);
      } finally {
        if (directory !== this.#root) closeSync(directory);
      }
    });
  }
}

const placeIn = (directory: number, name: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name]);

/**
 * Node has no mknod: a server is bound to a name of its own, which is given another and goes when the server is closed, before
 * anybody is heard.
 */
function makeSocketNode(directory: number, name: Buffer): void {
  const temporary = `/proc/self/fd/${directory}/.${randomUUID()}`;
  const server = createServer((socket) => socket.destroy()).on('error', () => {});
  server.listen(temporary);
  try {
    if (!server.listening) throw new XenError('EACCES', 'no socket can be made here');
    linkSync(temporary, placeIn(directory, name));
  } finally {
    server.close();
  }
}

function opened<T>(place: Buffer | string, flags: number, use: (fd: number) => T): T {
  const fd = openSync(place, flags);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Undefined where a file is there already and may be. */
function create(place: Buffer | string, flags: number, wish: OpenWish): number | undefined {
  try {
    const permissions = permissionsOf(wish.create ?? 0);
    const fd = openSync(place, flags | O_CREAT | O_EXCL | O_NOFOLLOW, permissions);
    // The guest has a mask of its own; this process's does not count.
    fchmodSync(fd, permissions);
    return fd;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || wish.exclusive) throw error;
    return undefined;
  }
}

/** A regular file: found first and then opened as it was found, so that a device or a pipe is never touched. */
function openThere(place: Buffer | string, flags: number): number {
  return opened(place, O_PATH | O_NOFOLLOW, (found) => {
    const kind = fstatSync(found);
    if (kind.isDirectory()) throw new XenError('EISDIR', 'a directory');
    if (kind.isSymbolicLink()) throw new XenError('ELOOP', 'a link');
    if (!kind.isFile()) throw new XenError('ENXIO', 'no regular file');
    return openSync(`/proc/self/fd/${found}`, flags);
  });
}

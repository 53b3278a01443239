/** The POSIX rows of the API: descriptors, the console, files in memory. What fails throws the errno. */
import type { Console } from '../../backends/console/console.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { F, minios_stat, O, POLL, pollfd } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import { orPark, Park } from '../kernel/park.ts';
import { ConsoleFile } from './console-file.ts';
import { Descriptors, mostDescriptors } from './descriptors.ts';
import { DirectoryNode, FileTree } from './file-tree.ts';
import type { FileStatus, OpenFile } from './open-file.ts';
import { OpenDirectory, RegularFile } from './tree-file.ts';

/** PATH_MAX of newlib's sys/syslimits.h. */
const longestPath = 1024;
/** One call moves no more, as on Linux; a short count says so. */
const mostTransfer = 0x7fff_f000n;
/** What a read takes at once, whatever the size of its buffer. */
const mostRead = 2 ** 20;
/** S_ISUID to S_IXOTH. */
const allPermissions = 0o7777;
/** What umask would say. */
const creationMask = 0o022;

export interface PosixParts {
  readonly memory: GuestMemory;
  readonly width: 64 | 32;
  readonly console: Console;
  readonly realtime: () => bigint;
  readonly monotonic: () => bigint;
  /** The guest goes on writing to a console that nobody reads. */
  readonly broken: () => void;
}

export class Posix {
  readonly #parts: PosixParts;
  readonly #memory: GuestMemory;
  readonly #tree: FileTree;
  readonly #descriptors: Descriptors;

  constructor(parts: PosixParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    const tree = new FileTree(parts.realtime);
    this.#tree = tree;
    this.#descriptors = new Descriptors((file) => {
      if (file instanceof RegularFile) tree.closed(file.node);
    });
    const console = new ConsoleFile(parts.console, parts.broken, parts.realtime());
    for (let fd = 0; fd <= 2; fd++) this.#descriptors.open(console);
  }

  read(fd: number, buffer: bigint, count: bigint): bigint | Park<bigint> {
    const file = this.#descriptors.get(fd);
    if ((file.flags & O.ACCMODE) === O.WRONLY) throw failure('EBADF', `${fd} is not for reading`);
    const length = Math.min(Number(count), mostRead);
    if (length === 0) return 0n;
    this.#memory.checkWritable(buffer, length);
    return this.#wait(file, 'read', `input from ${file.what}`, () => {
      const bytes = file.read(length);
      if (bytes === undefined) return undefined;
      this.#memory.writeBytes(buffer, bytes);
      return BigInt(bytes.length);
    });
  }

  write(fd: number, buffer: bigint, count: bigint): bigint | Park<bigint> {
    const file = this.#descriptors.get(fd);
    if ((file.flags & O.ACCMODE) === O.RDONLY) throw failure('EBADF', `${fd} is not for writing`);
    const length = Number(count < mostTransfer ? count : mostTransfer);
    const bytes = this.#memory.readBytes(buffer, length);
    return this.#wait(file, 'write', `room in ${file.what}`, () => {
      const written = file.write(bytes);
      return written === undefined ? undefined : BigInt(written);
    });
  }

  close(fd: number): number {
    this.#descriptors.close(fd);
    return 0;
  }

  kind(fd: number): number {
    return this.#descriptors.get(fd).kind;
  }

  seek(fd: number, offset: bigint, whence: number, result: bigint): number {
    this.#memory.checkWritable(result, 8);
    this.#memory.writeU64(result, this.#descriptors.get(fd).seek(offset, whence));
    return 0;
  }

  isTerminal(fd: number): number {
    return Number(this.#descriptors.get(fd).isTerminal);
  }

  control(fd: number, command: number, argument: number): number {
    const file = this.#descriptors.get(fd);
    const changeable = O.APPEND | O.NONBLOCK;
    switch (command) {
      case F.DUPFD:
        return this.#descriptors.duplicate(fd, argument);
      case F.GETFL:
        return file.flags;
      case F.SETFL:
        file.flags = (file.flags & ~changeable) | (argument & changeable);
        return 0;
      default:
        throw failure('EINVAL', `fcntl command ${command}`);
    }
  }

  duplicateTo(from: number, to: number): number {
    return this.#descriptors.duplicateTo(from, to);
  }

  poll(list: bigint, count: number, milliseconds: number): number | Park<number> {
    if (count > mostDescriptors) throw failure('EINVAL', `poll of ${count} descriptors`);
    const layout = pollfd.layout(this.#parts.width);
    const bytes = this.#memory.readBytes(list, count * layout.size);
    this.#memory.checkWritable(list, bytes.length);
    const entries = Array.from({ length: count }, (_, i) => layout.at(bytes, i * layout.size));
    const { monotonic } = this.#parts;
    const until = milliseconds < 0 ? undefined : monotonic() + BigInt(milliseconds) * 1_000_000n;
    const ask = (): number | undefined => {
      for (const entry of entries) entry.revents = this.#readiness(entry.fd, entry.events);
      const ready = entries.filter(({ revents }) => revents !== 0).length;
      if (ready === 0 && (until === undefined || monotonic() < until)) return undefined;
      this.#memory.writeBytes(list, bytes);
      return ready;
    };
    const isHopeful = (): boolean => entries.some(({ fd }) => fd >= 0);
    return orPark({ what: `one of ${count} descriptors (poll)`, ask, until, isHopeful });
  }

  open(pathAt: bigint, flags: number, mode: number): number {
    const path = this.#path(pathAt);
    this.#descriptors.lowestFree();
    const isWriting = (flags & O.ACCMODE) !== O.RDONLY;
    const node =
      (flags & O.CREAT) !== 0
        ? this.#tree.create(path, (flags & O.EXCL) !== 0, mode & allPermissions & ~creationMask)
        : this.#tree.lookUp(path);
    const kept = flags & (O.ACCMODE | O.APPEND | O.NONBLOCK);
    if (node instanceof DirectoryNode) {
      if (isWriting) throw failure('EISDIR', `${path} is a directory`);
      return this.#descriptors.open(new OpenDirectory(node, kept, path));
    }
    if ((flags & O.TRUNC) !== 0 && isWriting) node.setLength(0);
    this.#tree.opened(node);
    return this.#descriptors.open(new RegularFile(node, kept, path));
  }

  status(path: bigint, result: bigint): number {
    return this.#writeStatus(this.#tree.lookUp(this.#path(path)).status(), result);
  }

  statusOf(fd: number, result: bigint): number {
    return this.#writeStatus(this.#descriptors.get(fd).status(), result);
  }

  truncate(fd: number, length: bigint): number {
    const file = this.#descriptors.get(fd);
    if ((file.flags & O.ACCMODE) === O.RDONLY) throw failure('EINVAL', `${fd} is not for writing`);
    file.truncate(length);
    return 0;
  }

  setPermissions(path: bigint, mode: number): number {
    this.#tree.lookUp(this.#path(path)).permissions = mode & allPermissions;
    return 0;
  }

  setPermissionsOf(fd: number, mode: number): number {
    this.#descriptors.get(fd).setPermissions(mode & allPermissions);
    return 0;
  }

  setModified(path: bigint, time: bigint): number {
    this.#tree.lookUp(this.#path(path)).mtime = time;
    return 0;
  }

  unlink(path: bigint): number {
    this.#tree.unlink(this.#path(path));
    return 0;
  }

  rename(from: bigint, to: bigint): number {
    this.#tree.rename(this.#path(from), this.#path(to));
    return 0;
  }

  workingDirectory(buffer: bigint, size: bigint): number {
    const path = new TextEncoder().encode('/\0');
    if (size < BigInt(path.length)) throw failure('ERANGE', `getcwd into ${size} bytes`);
    this.#memory.writeBytes(buffer, path);
    return path.length;
  }

  #path(address: bigint): string {
    return this.#memory.readString(address, longestPath);
  }

  #wait<T>(
    file: OpenFile,
    access: 'read' | 'write',
    what: string,
    ask: () => T | undefined,
  ): T | Park<T> {
    const isHopeful = (): boolean => file.isHopeful(access);
    const answer = orPark({ what, ask, isHopeful });
    if (answer instanceof Park && (file.flags & O.NONBLOCK) !== 0)
      throw failure('EAGAIN', `no ${what} yet`);
    return answer;
  }

  #readiness(fd: number, events: number): number {
    if (fd < 0) return 0;
    try {
      return this.#descriptors.get(fd).ready() & (events | POLL.ERR | POLL.HUP);
    } catch {
      return POLL.NVAL;
    }
  }

  #writeStatus(status: FileStatus, result: bigint): number {
    const layout = minios_stat.layout(this.#parts.width);
    const bytes = new Uint8Array(layout.size);
    const { size, mtime, ino, mode, nlink } = status;
    Object.assign(layout.at(bytes, 0), { size, mtime_ns: mtime, ino, mode, nlink });
    this.#memory.writeBytes(result, bytes);
    return 0;
  }
}

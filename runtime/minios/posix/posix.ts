/** The POSIX rows of the API that take descriptors. What fails throws the errno. */
import type { Console } from '../../backends/console/console.ts';
import type { FlushKind, Folder } from '../../backends/folder/folder.ts';
import { MemoryFolder } from '../../backends/folder/memory-folder.ts';
import { XenError } from '../../errors.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import { F, FD_CLOEXEC, MINIOS_FD, minios_object, O, POLL, pollfd } from '../abi/posix.ts';
import { SIG } from '../abi/signal.ts';
import { minios_termios } from '../abi/termios.ts';
import { failure } from '../errno.ts';
import { orPark, Park } from '../kernel/park.ts';
import { ConsoleFile } from './console-file.ts';
import { Descriptors, mostDescriptors } from './descriptors.ts';
import { Devices, type Randomness } from './devices.ts';
import { Mounts } from './mounts.ts';
import { Names } from './names.ts';
import { ObjectFile } from './object-file.ts';
import type { OpenFile } from './open-file.ts';
import { openPipe } from './pipe.ts';
import { Tree } from './tree.ts';

/** One call moves no more, as on Linux; a short count says so. */
const mostTransfer = 0x7fff_f000n;
/** What a read takes at once, whatever the size of its buffer. */
const mostRead = 2 ** 20;

/** A folder that the application finds in its tree. */
export interface MountedFolder {
  /** Absolute; its directories are made. */
  readonly at: string;
  readonly folder: Folder;
  readonly isReadOnly: boolean;
}

export interface PosixParts {
  readonly memory: GuestMemory;
  readonly width: 64 | 32;
  readonly console: Console;
  readonly folders: readonly MountedFolder[];
  readonly realtime: () => bigint;
  readonly monotonic: () => bigint;
  readonly randomness: Randomness;
  /** Something that a thread may wait for has come. */
  readonly changed: () => void;
  /** Sends the domain a signal. */
  readonly raise: (signal: number) => void;
}

export class Posix {
  /** The rows that take names. */
  readonly names: Names;
  readonly #parts: PosixParts;
  readonly #memory: GuestMemory;
  readonly #descriptors = new Descriptors();
  readonly #console: ConsoleFile;
  #pipes = 0n;
  #objects = 0n;

  constructor(parts: PosixParts) {
    this.#parts = parts;
    const { memory, width, realtime } = parts;
    this.#memory = memory;
    const console = new ConsoleFile(parts.console, parts.raise, realtime());
    this.#console = console;
    const devices = new Devices(parts.randomness);
    const mounts = new Mounts(rootFolder(devices, realtime));
    for (const mounted of parts.folders) mount(mounts, mounted);
    const descriptors = this.#descriptors;
    this.names = new Names({
      ...{ memory, width, mounts, tree: new Tree(mounts), devices, console, descriptors, realtime },
    });
    for (let fd = 0; fd <= 2; fd++) this.#descriptors.open(console);
  }

  /** Sees to characters that raise signals; whether one may still be typed. */
  lookAtTerminal(): boolean {
    return this.#console.isTerminal && this.#console.lines.look();
  }

  /** The domain has ended: nothing of the host stays open. */
  end(): void {
    this.#descriptors.closeAll();
  }

  read(fd: number, buffer: bigint, count: bigint, at?: bigint): bigint | Park<bigint> {
    const file = this.#descriptors.get(fd);
    if ((file.flags & O.ACCMODE) === O.WRONLY) throw failure('EBADF', `${fd} is not for reading`);
    const position = positionOf(at);
    const length = Math.min(Number(count), mostRead);
    if (length === 0) return 0n;
    this.#memory.checkWritable(buffer, length);
    const ask = (): bigint | undefined => {
      const bytes = file.read(length, position);
      if (bytes === undefined) return undefined;
      this.#memory.writeBytes(buffer, bytes);
      return BigInt(bytes.length);
    };
    return this.#wait(file, 'read', { what: `input from ${file.what}`, ask });
  }

  /** All of it, as far as the descriptor waits at all. */
  write(fd: number, buffer: bigint, count: bigint, at?: bigint): bigint | Park<bigint> {
    const file = this.#descriptors.get(fd);
    if ((file.flags & O.ACCMODE) === O.RDONLY) throw failure('EBADF', `${fd} is not for writing`);
    const position = positionOf(at);
    const length = Number(count < mostTransfer ? count : mostTransfer);
    const bytes = this.#memory.readBytes(buffer, length);
    let done = 0;
    const ask = (): bigint | undefined => {
      const written = this.#writeTo(file, bytes.subarray(done), position);
      if (written === undefined) return undefined;
      done += written;
      const mayWait = (file.flags & O.NONBLOCK) === 0;
      return mayWait && done < length && written > 0 ? undefined : BigInt(done);
    };
    const interrupted = (): bigint | undefined => (done > 0 ? BigInt(done) : undefined);
    return this.#wait(file, 'write', { what: `room in ${file.what}`, ask, interrupted });
  }

  /** 1 where it was the last descriptor of an object of the image's, which C is to close. */
  close(fd: number): number {
    return Number(this.#descriptors.close(fd) instanceof ObjectFile);
  }

  /** A descriptor for an open file of the image's own. */
  openObject(kind: number, address: bigint, flags: number): number {
    if (kind < MINIOS_FD.SOCKET) throw failure('EINVAL', `kind ${kind} is the kernel's own`);
    this.#memory.checkWritable(address, minios_object.layout(this.#parts.width).size);
    const began = this.#parts.realtime();
    const file = new ObjectFile({
      ...{ memory: this.#memory, kind, address, began, ino: ++this.#objects },
    });
    return this.#descriptors.open(file, (flags & O.CLOEXEC) !== 0 ? FD_CLOEXEC : 0);
  }

  /** 0 where the descriptor's file is the kernel's. */
  object(fd: number): bigint {
    const file = this.#descriptors.get(fd);
    return file instanceof ObjectFile ? file.address : 0n;
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
        return this.#descriptors.duplicate(fd, argument, 0);
      case F.DUPFD_CLOEXEC:
        return this.#descriptors.duplicate(fd, argument, FD_CLOEXEC);
      case F.GETFD:
        return this.#descriptors.flags(fd);
      case F.SETFD:
        this.#descriptors.setFlags(fd, argument & FD_CLOEXEC);
        return 0;
      case F.GETFL:
        return file.flags;
      case F.SETFL:
        file.flags = (file.flags & ~changeable) | (argument & changeable);
        return 0;
      default:
        throw failure('EINVAL', `fcntl command ${command}`);
    }
  }

  duplicateTo(from: number, to: number, flags: number): number {
    return this.#descriptors.duplicateTo(from, to, (flags & O.CLOEXEC) !== 0 ? FD_CLOEXEC : 0);
  }

  /** Two ints: where it is read, where it is written. */
  pipe(result: bigint, flags: number): number {
    this.#memory.checkWritable(result, 8);
    const kept = (flags & O.CLOEXEC) !== 0 ? FD_CLOEXEC : 0;
    const ends = openPipe(this.#parts.realtime(), ++this.#pipes, flags & O.NONBLOCK);
    const first = this.#descriptors.lowestFree();
    this.#descriptors.lowestFree(first + 1);
    for (const [index, end] of ends.entries())
      this.#memory.writeU32(result + BigInt(4 * index), this.#descriptors.open(end, kept));
    return 0;
  }

  /** FIONREAD of sys/ioctl.h. */
  waiting(fd: number): number {
    return this.#descriptors.get(fd).waiting();
  }

  /** fsync and fdatasync. */
  flush(fd: number, kind: FlushKind): number | Park<number> {
    const file = this.#descriptors.get(fd);
    const flushed = file.flush(kind);
    if (flushed === undefined) return 0;
    let outcome: { readonly error?: unknown } | undefined;
    const { changed } = this.#parts;
    flushed.then(
      () => {
        outcome = {};
        changed();
      },
      (error: unknown) => {
        outcome = { error };
        changed();
      },
    );
    const ask = (): number | undefined => {
      if (outcome !== undefined && 'error' in outcome) throw outcome.error;
      return outcome === undefined ? undefined : 0;
    };
    return new Park({ what: `${file.what} to be on disk`, ask });
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
    const what = `one of ${count} descriptors (poll)`;
    return orPark({ what, ask, until, isHopeful, onSignal: 'end' });
  }

  statusOf(fd: number, result: bigint): number {
    return this.names.writeStatus(this.#descriptors.get(fd).status(), result);
  }

  truncate(fd: number, length: bigint): number {
    const file = this.#descriptors.get(fd);
    if ((file.flags & O.ACCMODE) === O.RDONLY) throw failure('EINVAL', `${fd} is not for writing`);
    file.truncate(length);
    return 0;
  }

  terminalSettings(fd: number, result: bigint): number {
    const { lines } = this.#terminal(fd);
    const layout = minios_termios.layout(this.#parts.width);
    const bytes = new Uint8Array(layout.size);
    Object.assign(layout.at(bytes, 0), lines.settings);
    this.#memory.writeBytes(result, bytes);
    return 0;
  }

  setTerminalSettings(fd: number, discard: number, from: bigint): number {
    const terminal = this.#terminal(fd);
    const layout = minios_termios.layout(this.#parts.width);
    const { iflag, oflag, cflag, lflag, ispeed, ospeed, cc } = layout.at(
      this.#memory.readBytes(from, layout.size),
      0,
    );
    terminal.setSettings({ iflag, oflag, cflag, lflag, ispeed, ospeed, cc }, discard !== 0);
    return 0;
  }

  discardInput(fd: number): number {
    this.#terminal(fd).lines.discardInput();
    return 0;
  }

  random(buffer: bigint, count: bigint): number {
    const bytes = new Uint8Array(Math.min(Number(count), mostRead));
    this.#parts.randomness(bytes);
    this.#memory.writeBytes(buffer, bytes);
    return bytes.length;
  }

  #terminal(fd: number): ConsoleFile {
    if (this.#descriptors.get(fd) !== this.#console)
      throw failure('ENOTTY', `${fd} is no terminal`);
    return this.#console;
  }

  /** Who writes where nobody reads is sent SIGPIPE as well. */
  #writeTo(file: OpenFile, bytes: Uint8Array, at: number | undefined): number | undefined {
    try {
      return file.write(bytes, at);
    } catch (error) {
      if (error instanceof XenError && error.errno === 'EPIPE') this.#parts.raise(SIG.PIPE);
      throw error;
    }
  }

  #wait<T>(
    file: OpenFile,
    access: 'read' | 'write',
    call: { what: string; ask: () => T | undefined; interrupted?: () => T | undefined },
  ): T | Park<T> {
    const isHopeful = (): boolean => file.isHopeful(access);
    const answer = orPark({ ...call, isHopeful, onSignal: 'restart' });
    if (answer instanceof Park && (file.flags & O.NONBLOCK) !== 0)
      throw failure('EAGAIN', `no ${call.what} yet`);
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
}

function positionOf(at: bigint | undefined): number | undefined {
  if (at === undefined) return undefined;
  if (at < 0n) throw failure('EINVAL', `position ${at}`);
  return Number(at);
}

/** `/`, with /tmp and /dev. */
function rootFolder(devices: Devices, realtime: () => bigint): MemoryFolder {
  const root = new MemoryFolder(realtime);
  root.makeDirectory(['tmp'], 0o777);
  root.setPermissions(['tmp'], 0o1777);
  devices.makeIn(root);
  return root;
}

/** Over a directory that is made, each of its path's where it is not there. */
function mount(mounts: Mounts, { at, folder, isReadOnly }: MountedFolder): void {
  let path = '';
  for (const name of at.split('/').filter((part) => part !== '')) {
    path += `/${name}`;
    const { mount: outer, names, status } = mounts.find(mounts.root, path, true);
    if (status === undefined) outer.folder.makeDirectory(names, 0o755);
  }
  mounts.add(mounts.findThere(mounts.root, `${path}/`, true), folder, isReadOnly);
}

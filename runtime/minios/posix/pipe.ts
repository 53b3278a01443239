/** A pipe between threads of one application (POSIX XSH pipe, read, write): 64 KiB, writes of PIPE_BUF as a whole. */
import {
  type FileTimes,
  type Flushed,
  type FolderSpace,
  S_IF,
} from '../../backends/folder/folder.ts';
import { MINIOS_FD, O, POLL } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import {
  type DescriptorStatus,
  notFlushable,
  notMeasurable,
  notSeekable,
  notTruncatable,
  type OpenFile,
} from './open-file.ts';

const capacity = 65536;
/** PIPE_BUF of newlib's limits.h as we configure it. */
const atomic = 4096;

class Pipe {
  readonly began: bigint;
  readonly ino: bigint;
  #bytes = new Uint8Array();
  isRead = true;
  isWritten = true;

  constructor(began: bigint, ino: bigint) {
    this.began = began;
    this.ino = ino;
  }

  get length(): number {
    return this.#bytes.length;
  }

  take(count: number): Uint8Array {
    const taken = this.#bytes.slice(0, count);
    this.#bytes = this.#bytes.slice(taken.length);
    return taken;
  }

  put(bytes: Uint8Array): void {
    const joined = new Uint8Array(this.#bytes.length + bytes.length);
    joined.set(this.#bytes);
    joined.set(bytes, this.#bytes.length);
    this.#bytes = joined;
  }
}

/** Both ends: what is written to the second is read from the first. */
export function openPipe(now: bigint, ino: bigint, flags: number): readonly [OpenFile, OpenFile] {
  const pipe = new Pipe(now, ino);
  return [new PipeEnd(pipe, O.RDONLY | flags), new PipeEnd(pipe, O.WRONLY | flags)];
}

class PipeEnd implements OpenFile {
  readonly kind = MINIOS_FD.PIPE;
  readonly what = 'a pipe';
  readonly isTerminal = false;
  flags: number;
  readonly #pipe: Pipe;
  readonly #isReader: boolean;

  constructor(pipe: Pipe, flags: number) {
    this.#pipe = pipe;
    this.flags = flags;
    this.#isReader = (flags & O.ACCMODE) === O.RDONLY;
  }

  read(count: number, at?: number): Uint8Array | undefined {
    if (at !== undefined) notSeekable(this.what);
    if (this.#pipe.length === 0) return this.#pipe.isWritten ? undefined : new Uint8Array();
    return this.#pipe.take(count);
  }

  write(bytes: Uint8Array, at?: number): number | undefined {
    if (at !== undefined) notSeekable(this.what);
    if (!this.#pipe.isRead) throw failure('EPIPE', 'nobody reads the pipe');
    if (bytes.length === 0) return 0;
    const room = capacity - this.#pipe.length;
    if (room === 0 || (bytes.length <= atomic && bytes.length > room)) return undefined;
    const part = bytes.subarray(0, room);
    this.#pipe.put(part);
    return part.length;
  }

  seek(): bigint {
    return notSeekable(this.what);
  }

  truncate(): never {
    return notTruncatable(this.what);
  }

  status(): DescriptorStatus {
    const { began, ino } = this.#pipe;
    const times = { atime: began, mtime: began, ctime: began };
    const mode = S_IF.IFO | 0o600;
    return { ...times, mode, size: 0n, ino, nlink: 1, rdev: 0, blocks: 0n, dev: 0 };
  }

  setPermissions(): void {}

  setTimes(_times: FileTimes): void {}

  flush(): Flushed {
    return notFlushable(this.what);
  }

  space(): FolderSpace {
    return notMeasurable(this.what);
  }

  ready(): number {
    const { length, isRead, isWritten } = this.#pipe;
    if (this.#isReader) return (length > 0 ? POLL.IN : 0) | (isWritten ? 0 : POLL.HUP);
    return (capacity - length >= atomic ? POLL.OUT : 0) | (isRead ? 0 : POLL.ERR);
  }

  waiting(): number {
    return this.#pipe.length;
  }

  /** Only threads of this domain write here. */
  isHopeful(): boolean {
    return false;
  }

  close(): void {
    if (this.#isReader) this.#pipe.isRead = false;
    else this.#pipe.isWritten = false;
  }
}

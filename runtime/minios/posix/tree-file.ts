/** Open files and directories of the tree. */
import {
  type FileTimes,
  type Flushed,
  type FlushKind,
  type FolderEntry,
  type FolderFile,
  type FolderSpace,
  S_IF,
} from '../../backends/folder/folder.ts';
import { MINIOS_FD, O, POLL, SEEK } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import type { KeptPlace, Mounts, Place } from './mounts.ts';
import type { DescriptorStatus, OpenFile } from './open-file.ts';
import { checkWritable, type Tree } from './tree.ts';

/** Positions stay exact numbers, and far from what memory can hold. */
const mostPosition = 2n ** 40n;

export class RegularFile implements OpenFile {
  readonly kind = MINIOS_FD.FILE;
  readonly what: string;
  readonly isTerminal = false;
  flags: number;
  readonly #file: FolderFile;
  readonly #place: Place;
  #position = 0;

  constructor(file: FolderFile, place: Place, flags: number, path: string) {
    this.#file = file;
    this.#place = place;
    this.flags = flags;
    this.what = path;
  }

  read(count: number, at?: number): Uint8Array {
    const bytes = new Uint8Array(count);
    const length = this.#file.read(at ?? this.#position, bytes);
    if (at === undefined) this.#position += length;
    return bytes.subarray(0, length);
  }

  write(bytes: Uint8Array, at?: number): number {
    if (bytes.length === 0) return 0;
    // Linux's pwrite appends there, too.
    const from = (this.flags & O.APPEND) !== 0 ? this.#length() : (at ?? this.#position);
    if (from + bytes.length > mostPosition) throw failure('EFBIG', `a write at ${from}`);
    const written = this.#file.write(from, bytes);
    if (at === undefined) this.#position = from + written;
    return written;
  }

  seek(offset: bigint, whence: number): bigint {
    const position = this.#origin(whence) + offset;
    if (position < 0n) throw failure('EINVAL', `position ${position} of ${this.what}`);
    if (position > mostPosition) throw failure('EOVERFLOW', `position ${position} of ${this.what}`);
    this.#position = Number(position);
    return position;
  }

  truncate(length: bigint): void {
    if (length < 0n) throw failure('EINVAL', `length ${length} of ${this.what}`);
    if (length > mostPosition) throw failure('EFBIG', `length ${length} of ${this.what}`);
    this.#file.setLength(Number(length));
  }

  status(): DescriptorStatus {
    return { ...this.#file.status(), dev: this.#place.mount.device };
  }

  setPermissions(permissions: number): void {
    checkWritable(this.#place.mount);
    this.#file.setPermissions(permissions);
  }

  setTimes(times: FileTimes): void {
    checkWritable(this.#place.mount);
    this.#file.setTimes(times);
  }

  flush(kind: FlushKind): Flushed {
    return this.#file.flush(kind);
  }

  space(): FolderSpace {
    return this.#place.mount.folder.space();
  }

  ready(): number {
    return POLL.IN | POLL.OUT;
  }

  waiting(): number {
    return Math.max(0, this.#length() - this.#position);
  }

  isHopeful(): boolean {
    return true;
  }

  close(): void {
    this.#file.close();
  }

  #length(): number {
    return Number(this.#file.status().size);
  }

  #origin(whence: number): bigint {
    if (whence === SEEK.SET) return 0n;
    if (whence === SEEK.CUR) return BigInt(this.#position);
    if (whence === SEEK.END) return BigInt(this.#length());
    throw failure('EINVAL', `whence ${whence}`);
  }
}

export class OpenDirectory implements OpenFile {
  readonly kind = MINIOS_FD.DIRECTORY;
  readonly what: string;
  readonly isTerminal = false;
  readonly place: KeptPlace;
  flags: number;
  readonly #mounts: Mounts;
  readonly #tree: Tree;
  /** As they were when they were last read from the first on. */
  #entries: readonly FolderEntry[] | undefined;

  constructor(parts: { mounts: Mounts; tree: Tree; place: Place; flags: number; path: string }) {
    this.#mounts = parts.mounts;
    this.#tree = parts.tree;
    this.place = parts.mounts.keep(parts.place);
    this.flags = parts.flags;
    this.what = parts.path;
  }

  /** Undefined behind the last. */
  entry(index: number): FolderEntry | undefined {
    if (index === 0 || this.#entries === undefined) this.#entries = this.#tree.list(this.place);
    return this.#entries[index];
  }

  read(): never {
    throw failure('EISDIR', `${this.what} is a directory`);
  }

  write(): never {
    throw failure('EBADF', `${this.what} is a directory`);
  }

  /** Where readdir is, its library keeps. */
  seek(offset: bigint, whence: number): bigint {
    if (whence === SEEK.SET && offset === 0n) return 0n;
    throw failure('EINVAL', `${this.what} is a directory`);
  }

  truncate(): never {
    throw failure('EINVAL', `${this.what} is a directory`);
  }

  status(): DescriptorStatus {
    return { ...this.#mounts.statusOf(this.place), dev: this.place.mount.device };
  }

  setPermissions(permissions: number): void {
    checkWritable(this.place.mount);
    this.place.mount.folder.setPermissions(this.place.names, permissions);
  }

  setTimes(times: FileTimes): void {
    checkWritable(this.place.mount);
    this.place.mount.folder.setTimes(this.place.names, times);
  }

  flush(): Flushed {
    return this.place.mount.folder.flush(this.place.names);
  }

  space(): FolderSpace {
    return this.place.mount.folder.space();
  }

  ready(): number {
    return POLL.IN | POLL.OUT;
  }

  waiting(): never {
    throw failure('ENOTTY', `${this.what} is a directory`);
  }

  isHopeful(): boolean {
    return true;
  }

  close(): void {
    this.#mounts.forget(this.place);
  }
}

export const isRegular = ({ mode }: { mode: number }): boolean => (mode & S_IF.MT) === S_IF.REG;

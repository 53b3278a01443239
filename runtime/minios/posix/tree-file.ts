/** Open files and directories of the file tree. */
import { MINIOS_FD, O, POLL, SEEK } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import type { DirectoryNode, FileNode } from './file-tree.ts';
import { type FileStatus, notSeekable, type OpenFile } from './open-file.ts';

/** Positions stay exact numbers, and far from what memory can hold. */
const mostPosition = 2n ** 40n;

export class RegularFile implements OpenFile {
  readonly kind = MINIOS_FD.FILE;
  readonly what: string;
  readonly isTerminal = false;
  readonly node: FileNode;
  flags: number;
  #position = 0;

  constructor(node: FileNode, flags: number, path: string) {
    this.node = node;
    this.flags = flags;
    this.what = path;
  }

  read(count: number): Uint8Array {
    const bytes = this.node.read(this.#position, count);
    this.#position += bytes.length;
    return bytes;
  }

  write(bytes: Uint8Array): number {
    if ((this.flags & O.APPEND) !== 0) this.#position = this.node.length;
    if (bytes.length === 0) return 0;
    this.node.write(this.#position, bytes);
    this.#position += bytes.length;
    return bytes.length;
  }

  seek(offset: bigint, whence: number): bigint {
    const from = this.#origin(whence);
    const position = from + offset;
    if (position < 0n) throw failure('EINVAL', `position ${position} of ${this.what}`);
    if (position > mostPosition) throw failure('EOVERFLOW', `position ${position} of ${this.what}`);
    this.#position = Number(position);
    return position;
  }

  truncate(length: bigint): void {
    if (length < 0n) throw failure('EINVAL', `length ${length} of ${this.what}`);
    if (length > mostPosition) throw failure('EFBIG', `length ${length} of ${this.what}`);
    this.node.setLength(Number(length));
  }

  status(): FileStatus {
    return this.node.status();
  }

  setPermissions(permissions: number): void {
    this.node.permissions = permissions;
  }

  ready(): number {
    return POLL.IN | POLL.OUT;
  }

  isHopeful(): boolean {
    return true;
  }

  #origin(whence: number): bigint {
    if (whence === SEEK.SET) return 0n;
    if (whence === SEEK.CUR) return BigInt(this.#position);
    if (whence === SEEK.END) return BigInt(this.node.length);
    throw failure('EINVAL', `whence ${whence}`);
  }
}

export class OpenDirectory implements OpenFile {
  readonly kind = MINIOS_FD.DIRECTORY;
  readonly what: string;
  readonly isTerminal = false;
  flags: number;
  readonly #node: DirectoryNode;

  constructor(node: DirectoryNode, flags: number, path: string) {
    this.#node = node;
    this.flags = flags;
    this.what = path;
  }

  read(): never {
    throw failure('EISDIR', `${this.what} is a directory`);
  }

  write(): never {
    throw failure('EBADF', `${this.what} is a directory`);
  }

  seek(): bigint {
    return notSeekable(this.what);
  }

  truncate(): void {
    throw failure('EINVAL', `${this.what} is a directory`);
  }

  status(): FileStatus {
    return this.#node.status();
  }

  setPermissions(permissions: number): void {
    this.#node.permissions = permissions;
  }

  ready(): number {
    return POLL.IN | POLL.OUT;
  }

  isHopeful(): boolean {
    return true;
  }
}

/** What a folder in memory is made of: nodes with the times of POSIX XBD 4.9, and what each holds. */
import { XenError } from '../../errors.ts';
import { type FileStatus, type FileTimes, S_IF } from './folder.ts';

/** What nodes ask of the folder that they lie in. */
export interface MemoryOwner {
  now(): bigint;
  nextIno(): bigint;
  /** ENOSPC where it is more than the folder may take. */
  account(bytes: number): void;
}

/** So that directories and names, too, use up what a guest may use up. */
const bytesOfNode = 256;

export interface Content {
  /** S_IFMT of the mode. */
  readonly format: number;
  readonly size: number;
  /** Bytes that it has accounted for. */
  readonly accounted: number;
}

export class MemoryNode<C extends Content = Content> {
  readonly ino: bigint;
  readonly content: C;
  readonly #owner: MemoryOwner;
  #permissions: number;
  #nlink = 1;
  #open = 0;
  #atime: bigint;
  #mtime: bigint;
  #ctime: bigint;

  constructor(owner: MemoryOwner, permissions: number, content: C) {
    owner.account(bytesOfNode);
    this.#owner = owner;
    this.content = content;
    this.ino = owner.nextIno();
    this.#permissions = permissions;
    this.#atime = owner.now();
    this.#mtime = this.#atime;
    this.#ctime = this.#atime;
  }

  /** A removed directory has none: nothing can be made in it. */
  get nlink(): number {
    return this.#nlink;
  }

  status(): FileStatus {
    const { ino, content } = this;
    const { format, size } = content;
    return {
      ...{ mode: format | this.#permissions, size: BigInt(size), ino },
      ...{ atime: this.#atime, mtime: this.#mtime, ctime: this.#ctime },
      nlink: this.#nlink + (content instanceof MemoryDirectory ? content.links : 0),
      rdev: content instanceof MemoryDevice ? content.rdev : 0,
      blocks: format === S_IF.REG ? BigInt(Math.ceil(size / 4096) * 8) : 0n,
    };
  }

  /** As Linux's relatime: often enough for who asks whether a file was read since it was written. */
  wasRead(): void {
    if (this.#atime <= this.#mtime) this.#atime = this.#owner.now();
  }

  changed(): void {
    this.#mtime = this.#owner.now();
    this.#ctime = this.#mtime;
  }

  setPermissions(permissions: number): void {
    this.#permissions = permissions;
    this.#ctime = this.#owner.now();
  }

  setTimes({ atime, mtime }: FileTimes): void {
    this.#atime = atime ?? this.#atime;
    this.#mtime = mtime ?? this.#mtime;
    this.#ctime = this.#owner.now();
  }

  linked(): void {
    this.#nlink++;
    this.#ctime = this.#owner.now();
  }

  renamed(): void {
    this.#ctime = this.#owner.now();
  }

  /** One name fewer leads here. */
  unlinked(): void {
    this.#nlink--;
    this.#ctime = this.#owner.now();
    this.#release();
  }

  /** A descriptor refers to it, so that it outlives its name. */
  opened(): void {
    this.#open++;
  }

  closed(): void {
    this.#open--;
    this.#release();
  }

  #release(): void {
    if (this.#nlink === 0 && this.#open === 0)
      this.#owner.account(-bytesOfNode - this.content.accounted);
  }
}

export class MemoryFile implements Content {
  readonly format = S_IF.REG;
  readonly #owner: MemoryOwner;
  #bytes = new Uint8Array();
  #length = 0;

  constructor(owner: MemoryOwner) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#length;
  }

  get accounted(): number {
    return this.#bytes.length;
  }

  read(at: number, into: Uint8Array): number {
    const from = Math.min(at, this.#length);
    const part = this.#bytes.subarray(from, Math.min(at + into.length, this.#length));
    into.set(part);
    return part.length;
  }

  write(at: number, bytes: Uint8Array): void {
    if (at + bytes.length > this.#length) this.setLength(at + bytes.length);
    this.#bytes.set(bytes, at);
  }

  setLength(length: number): void {
    if (length > this.#bytes.length) this.#reserve(length);
    if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
  }

  #reserve(length: number): void {
    const size = Math.max(length, this.#bytes.length * 2, 256);
    this.#owner.account(size - this.#bytes.length);
    const larger = new Uint8Array(size);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

export class MemoryDirectory implements Content {
  readonly format = S_IF.DIR;
  readonly size = 4096;
  readonly accounted = 0;
  readonly entries = new Map<string, MemoryNode>();

  /** Its own `.`, and the `..` of each directory in it. */
  get links(): number {
    const inner = [...this.entries.values()].filter(({ content }) => content.format === S_IF.DIR);
    return 1 + inner.length;
  }
}

export class MemoryLink implements Content {
  readonly format = S_IF.LNK;
  readonly text: string;
  readonly size: number;
  readonly accounted: number;

  constructor(owner: MemoryOwner, text: string) {
    owner.account(text.length);
    this.text = text;
    this.size = text.length;
    this.accounted = text.length;
  }
}

/** What it does is up to who opens it. */
export class MemoryDevice implements Content {
  readonly format = S_IF.CHR;
  readonly size = 0;
  readonly accounted = 0;
  readonly rdev: number;

  constructor(rdev: number) {
    this.rdev = rdev;
  }
}

export class MemorySocket implements Content {
  readonly format = S_IF.SOCK;
  readonly size = 0;
  readonly accounted = 0;
}

export const noEntry = (name: string): XenError => new XenError('ENOENT', `no file ${name}`);

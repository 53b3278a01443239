/**
 * A tree of files that a guest is given: in memory, or a folder of the host. Paths are lists of names from its root, none of
 * them empty, `.` or `..`; a symbolic link is never followed but by who resolves paths. Names are byte strings, a char a byte.
 * What fails throws a XenError with POSIX's errno.
 */

export type FolderPath = readonly string[];

/** As stat of POSIX; times in nanoseconds since 1970, UTC. */
export interface FileStatus {
  /** S_IFMT and permissions. */
  readonly mode: number;
  readonly size: bigint;
  readonly ino: bigint;
  readonly nlink: number;
  readonly atime: bigint;
  readonly mtime: bigint;
  readonly ctime: bigint;
  /** Of a device: which. */
  readonly rdev: number;
  /** Of 512 bytes, those that it takes. */
  readonly blocks: bigint;
}

export interface FolderEntry {
  readonly name: string;
  readonly ino: bigint;
  /** S_IFMT alone. */
  readonly mode: number;
}

export interface FolderSpace {
  readonly blockSize: number;
  readonly blocks: bigint;
  readonly freeBlocks: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
}

/** Undefined leaves a time as it is. */
export interface FileTimes {
  readonly atime: bigint | undefined;
  readonly mtime: bigint | undefined;
}

export interface OpenWish {
  readonly writing: boolean;
  /** Permissions of a file that is made where none is there. */
  readonly create?: number;
  /** EEXIST where anything is there. */
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  /** Each write is on stable storage before it returns. */
  readonly synchronous?: boolean;
}

/** Of what is to be kept: the bytes and what is needed to read them, or all. */
export type FlushKind = 'data' | 'all';

/** Who waits for it may do so; undefined where nothing is left to wait for. */
export type Flushed = Promise<void> | undefined;

/** A regular file that is open: it outlives its name. */
export interface FolderFile {
  /** How many bytes there were, from `position` on; 0 at the end. */
  read(position: number, into: Uint8Array): number;
  /** All of them, or an error; fewer where there is room for no more. */
  write(position: number, bytes: Uint8Array): number;
  status(): FileStatus;
  setLength(length: number): void;
  setPermissions(permissions: number): void;
  setTimes(times: FileTimes): void;
  flush(kind: FlushKind): Flushed;
  close(): void;
}

export interface Folder {
  status(path: FolderPath): FileStatus;
  /** Without `.` and `..`. */
  list(path: FolderPath): readonly FolderEntry[];
  /** A regular file; anything else that is there is refused. */
  open(path: FolderPath, wish: OpenWish): FolderFile;
  readLink(path: FolderPath): string;
  makeDirectory(path: FolderPath, permissions: number): void;
  makeLink(path: FolderPath, text: string): void;
  /** A name that the guest's own sockets are found by; nothing can be opened there. */
  makeSocket(path: FolderPath, permissions: number): void;
  /** A second name of what is no directory. */
  link(from: FolderPath, to: FolderPath): void;
  rename(from: FolderPath, to: FolderPath): void;
  unlink(path: FolderPath): void;
  removeDirectory(path: FolderPath): void;
  setPermissions(path: FolderPath, permissions: number): void;
  setTimes(path: FolderPath, times: FileTimes): void;
  space(): FolderSpace;
  /** Of a directory: names in it. */
  flush(path: FolderPath): Flushed;
  close(): void;
}

/** sys/stat.h; the same numbers in every Unix. */
export const S_IF = {
  MT: 0o170000,
  IFO: 0o010000,
  CHR: 0o020000,
  DIR: 0o040000,
  BLK: 0o060000,
  REG: 0o100000,
  LNK: 0o120000,
  SOCK: 0o140000,
} as const;

export const isDirectory = ({ mode }: { mode: number }): boolean => (mode & S_IF.MT) === S_IF.DIR;
export const isLink = ({ mode }: { mode: number }): boolean => (mode & S_IF.MT) === S_IF.LNK;

export const longestName = 255;

export const isWithin = (inner: FolderPath, outer: FolderPath): boolean =>
  inner.length >= outer.length && outer.every((name, i) => inner[i] === name);

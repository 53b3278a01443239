/** What a descriptor stands for. Calls that cannot answer yet answer undefined, and the thread waits. */
import { failure } from '../errno.ts';

export interface FileStatus {
  readonly size: bigint;
  readonly mtime: bigint;
  readonly ino: bigint;
  readonly mode: number;
  readonly nlink: number;
}

export interface OpenFile {
  /** MINIOS_FD of abi/posix.ts. */
  readonly kind: number;
  /** In a report's words. */
  readonly what: string;
  /** O_ACCMODE, O_APPEND and O_NONBLOCK; shared by duplicates, as the position is. */
  flags: number;
  readonly isTerminal: boolean;
  /** Empty at the end. */
  read(count: number): Uint8Array | undefined;
  write(bytes: Uint8Array): number | undefined;
  seek(offset: bigint, whence: number): bigint;
  truncate(length: bigint): void;
  status(): FileStatus;
  setPermissions(permissions: number): void;
  /** POLL bits that hold now. */
  ready(): number;
  /** Whether something outside could still make read or write go on. */
  isHopeful(access: 'read' | 'write'): boolean;
}

export const notSeekable = (what: string): never => {
  throw failure('ESPIPE', `${what} has no position`);
};

/** What a descriptor stands for. Calls that cannot answer yet answer undefined, and the thread waits. */
import type {
  FileStatus,
  FileTimes,
  Flushed,
  FlushKind,
  FolderSpace,
} from '../../backends/folder/folder.ts';
import { failure } from '../errno.ts';
import type { KeptPlace } from './mounts.ts';

export type DescriptorStatus = FileStatus & { readonly dev: number };

export interface OpenFile {
  /** MINIOS_FD of abi/posix.ts. */
  readonly kind: number;
  /** In a report's words. */
  readonly what: string;
  /** O_ACCMODE, O_APPEND and O_NONBLOCK; shared by duplicates, as the position is. */
  flags: number;
  readonly isTerminal: boolean;
  /** Empty at the end. `at`: not from the position, which stays. */
  read(count: number, at?: number): Uint8Array | undefined;
  write(bytes: Uint8Array, at?: number): number | undefined;
  seek(offset: bigint, whence: number): bigint;
  truncate(length: bigint): void;
  status(): DescriptorStatus;
  setPermissions(permissions: number): void;
  setTimes(times: FileTimes): void;
  flush(kind: FlushKind): Flushed;
  space(): FolderSpace;
  /** POLL bits that hold now. */
  ready(): number;
  /** How many bytes a read would give at once (FIONREAD). */
  waiting(): number;
  /** Whether something outside could still make read or write go on. */
  isHopeful(access: 'read' | 'write'): boolean;
  /** Where it is a directory: which. */
  readonly place?: KeptPlace;
  /** Its last descriptor has gone. */
  close(): void;
}

export const notSeekable = (what: string): never => {
  throw failure('ESPIPE', `${what} has no position`);
};

export const notTruncatable = (what: string): never => {
  throw failure('EINVAL', `${what} has no length`);
};

export const notMeasurable = (what: string): never => {
  throw failure('ENOSYS', `${what} has no space`);
};

export const notFlushable = (what: string): never => {
  throw failure('EINVAL', `${what} keeps nothing`);
};

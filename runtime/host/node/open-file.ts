/** Files that are disks, opened and locked. What is wrong with them is a UserError, and then nothing has been changed. */
import { fstatSync, openSync, type Stats } from 'node:fs';
import { UserError } from '../../errors.ts';
import { type Holder, type LockKind, lockFile } from './file-lock.ts';

export function openFile(path: string, flags: 'r' | 'r+'): number {
  try {
    return openSync(path, flags);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = (flags === 'r+' && writing[code ?? '']) || reasons[code ?? ''] || message;
    throw new UserError(`disk ${path}: ${reason}`, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'a directory, not a disk image',
  EACCES: 'may not be read',
};

const writing: Readonly<Record<string, string>> = {
  EACCES: 'may not be written; open it read-only (:ro) or copy-on-write (:cow)',
  EROFS: 'lies on a read-only file system; open it read-only (:ro) or copy-on-write (:cow)',
};

export function regularFile(path: string, fd: number): Stats {
  const stats = fstatSync(fd);
  if (stats.isDirectory()) throw new UserError(`disk ${path}: ${reasons['EISDIR']}`);
  if (!stats.isFile())
    throw new UserError(`disk ${path}: not a regular file; only those can be disks`);
  return stats;
}

export async function lockOrRefuse(path: string, fd: number, kind: LockKind): Promise<void> {
  const holder = await lockFile(fd, kind).catch((cause: NodeJS.ErrnoException) => {
    const reason =
      cause.code === 'ENOENT'
        ? 'it cannot be locked: there is no flock (util-linux) on PATH'
        : `it cannot be locked: ${cause.message}`;
    throw new UserError(`disk ${path}: ${reason}`, { cause });
  });
  if (holder !== undefined) throw new UserError(`disk ${path}: ${inUse(holder)}`);
}

function inUse({ pid, kind }: Holder): string {
  const use = kind === undefined ? '' : kind === 'exclusive' ? ' for writing' : ' for reading';
  const who = pid === undefined ? 'another process' : `process ${pid}`;
  return `already open${use} by ${pid === process.pid ? 'this run' : who}`;
}

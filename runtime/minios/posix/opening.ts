/** open of POSIX: what flags and mode make of what a path leads to. */
import { isDirectory, isLink, S_IF } from '../../backends/folder/folder.ts';
import { O } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import type { ConsoleFile } from './console-file.ts';
import { type Devices, ttyDevice } from './devices.ts';
import type { Found, Mounts, Place } from './mounts.ts';
import type { OpenFile } from './open-file.ts';
import { checkWritable, type NamedFrom, type Tree } from './tree.ts';
import { isRegular, OpenDirectory, RegularFile } from './tree-file.ts';

export interface OpeningParts {
  readonly mounts: Mounts;
  readonly tree: Tree;
  readonly devices: Devices;
  readonly console: ConsoleFile;
}

/** What of the flags a descriptor keeps. */
const kept = O.ACCMODE | O.APPEND | O.NONBLOCK | O.SYNC;

const has = (flags: number, flag: number): boolean => (flags & flag) !== 0;
const isWriting = (flags: number): boolean => (flags & O.ACCMODE) !== O.RDONLY;

/** `permissions` of a file that is made. */
export function openFile(
  parts: OpeningParts,
  { base, path }: NamedFrom,
  flags: number,
  permissions: number,
): OpenFile {
  if (has(flags, O.CREAT)) checkNamesFile(parts.mounts, base, path);
  const isExclusive = has(flags, O.CREAT) && has(flags, O.EXCL);
  const found = parts.mounts.find(base, path, !has(flags, O.NOFOLLOW) && !isExclusive);
  const { status } = found;
  if (status === undefined) return createFile(found, path, flags, permissions);
  if (isExclusive) throw failure('EEXIST', `${path} exists`);
  if (isDirectory(status)) {
    if (isWriting(flags) || has(flags, O.CREAT)) throw failure('EISDIR', `${path} is a directory`);
    const { mounts, tree } = parts;
    return new OpenDirectory({ mounts, tree, place: found, flags: flags & kept, path });
  }
  if (found.mustBeDirectory || has(flags, O.DIRECTORY))
    throw failure('ENOTDIR', `${path} is no directory`);
  if (isLink(status)) throw failure('ELOOP', `${path} is a link`);
  if (isRegular(status)) return openRegular(found, path, flags);
  if ((status.mode & S_IF.MT) !== S_IF.CHR) throw failure('ENXIO', `${path} is no file`);
  if (status.rdev === ttyDevice) return parts.console;
  return parts.devices.open({ ...status, dev: found.mount.device }, flags & kept, path);
}

/** Linux asks before it looks what is there. */
function checkNamesFile(mounts: Mounts, base: Place, path: string): void {
  if (path.endsWith('/') && mounts.endOf(base, path) === 'name')
    throw failure('EISDIR', `${path} names no file`);
}

function createFile(found: Found, path: string, flags: number, permissions: number): OpenFile {
  if (!has(flags, O.CREAT)) throw failure('ENOENT', `no file ${path}`);
  checkWritable(found.mount);
  const file = found.mount.folder.open(found.names, {
    ...{ writing: isWriting(flags), create: permissions, exclusive: has(flags, O.EXCL) },
    synchronous: has(flags, O.SYNC),
  });
  return new RegularFile(file, found, flags & kept, path);
}

function openRegular(found: Found, path: string, flags: number): OpenFile {
  const writing = isWriting(flags);
  const truncate = writing && has(flags, O.TRUNC);
  if (writing) checkWritable(found.mount);
  const { folder } = found.mount;
  const file = folder.open(found.names, { writing, truncate, synchronous: has(flags, O.SYNC) });
  return new RegularFile(file, found, flags & kept, path);
}

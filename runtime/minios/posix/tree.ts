/** What programs do with names in the tree: each a call of POSIX that takes a path from a directory on. */
import {
  type FileStatus,
  type FileTimes,
  type FolderEntry,
  isDirectory,
  isWithin,
  S_IF,
} from '../../backends/folder/folder.ts';
import { failure } from '../errno.ts';
import type { Found, Mount, Mounts, Place } from './mounts.ts';

/** A path from a directory on; an absolute one begins at the root. */
export interface NamedFrom {
  readonly base: Place;
  readonly path: string;
}

export class Tree {
  readonly #mounts: Mounts;

  constructor(mounts: Mounts) {
    this.#mounts = mounts;
  }

  status({ base, path }: NamedFrom, follow: boolean): FileStatus & { readonly dev: number } {
    const found = this.#mounts.findThere(base, path, follow);
    return { ...found.status, dev: found.mount.device };
  }

  makeDirectory(named: NamedFrom, permissions: number): void {
    const { mount, names } = this.#free(named, true);
    mount.folder.makeDirectory(names, permissions);
  }

  makeLink(text: string, named: NamedFrom): void {
    if (text === '') throw failure('ENOENT', 'a link to nothing');
    const { mount, names } = this.#free(named, false);
    mount.folder.makeLink(names, text);
  }

  makeSocket(named: NamedFrom, permissions: number): void {
    const { mount, names } = this.#free(named, false);
    mount.folder.makeSocket(names, permissions);
  }

  readLink({ base, path }: NamedFrom): string {
    const { mount, names, status } = this.#mounts.findThere(base, path, false);
    if ((status.mode & S_IF.MT) !== S_IF.LNK) throw failure('EINVAL', `${path} is no link`);
    return mount.folder.readLink(names);
  }

  link(from: NamedFrom, to: NamedFrom, follow: boolean): void {
    const source = this.#mounts.findThere(from.base, from.path, follow);
    const target = this.#free(to, false);
    checkSameFolder(source.mount, target.mount);
    if (isDirectory(source.status)) throw failure('EPERM', `${from.path} is a directory`);
    source.mount.folder.link(source.names, target.names);
  }

  rename(from: NamedFrom, to: NamedFrom): void {
    const ends = [from, to].map(({ base, path }) => this.#mounts.endOf(base, path));
    if (ends.some((end) => end !== 'name'))
      throw failure('EBUSY', `${from.path} cannot become ${to.path}`);
    const source = this.#mounts.find(from.base, from.path, 'never');
    if (source.status === undefined) throw failure('ENOENT', `no file ${from.path}`);
    const target = this.#mounts.find(to.base, to.path, 'never');
    if (this.#mounts.isMountPoint(source) || this.#mounts.isMountPoint(target))
      throw failure('EBUSY', `${from.path} or ${to.path} is where a folder begins`);
    checkSameFolder(source.mount, target.mount);
    checkWritable(target.mount);
    if ((source.mustBeDirectory || target.mustBeDirectory) && !isDirectory(source.status))
      throw failure('ENOTDIR', `${from.path} is no directory`);
    if (source.names.length > target.names.length && isWithin(source.names, target.names))
      throw failure('ENOTEMPTY', `${from.path} lies in ${to.path}`);
    source.mount.folder.rename(source.names, target.names);
    if (isDirectory(source.status)) this.#mounts.moved(source.mount, source.names, target.names);
  }

  unlink({ base, path }: NamedFrom): void {
    const { mount, names, status, last } = this.#mounts.findThere(base, path, 'never');
    if (last !== 'name' || isDirectory(status)) throw failure('EISDIR', `${path} is a directory`);
    checkWritable(mount);
    mount.folder.unlink(names);
  }

  removeDirectory({ base, path }: NamedFrom): void {
    const found = this.#mounts.findThere(base, path, 'never');
    if (!isDirectory(found.status)) throw failure('ENOTDIR', `${path} is no directory`);
    if (found.last === '.') throw failure('EINVAL', `${path} ends with .`);
    if (found.last === '..') throw failure('ENOTEMPTY', `${path} ends with ..`);
    checkWritable(found.mount);
    if (this.#mounts.isMountPoint(found)) throw failure('EBUSY', `a folder begins at ${path}`);
    found.mount.folder.removeDirectory(found.names);
  }

  setPermissions({ base, path }: NamedFrom, permissions: number, follow: boolean): void {
    const { mount, names, status } = this.#mounts.findThere(base, path, follow);
    if ((status.mode & S_IF.MT) === S_IF.LNK)
      throw failure('EOPNOTSUPP', `${path}: a link has no permissions of its own`);
    checkWritable(mount);
    mount.folder.setPermissions(names, permissions);
  }

  setTimes({ base, path }: NamedFrom, times: FileTimes, follow: boolean): void {
    const { mount, names } = this.#mounts.findThere(base, path, follow);
    checkWritable(mount);
    mount.folder.setTimes(names, times);
  }

  /** With `.` and `..`, and what covers a directory in its place. */
  list(place: Place): FolderEntry[] {
    const { mount, names } = place;
    const entries = mount.folder.list(names);
    const own = this.#mounts.statusOf(place);
    const above = this.#mounts.find(place, '..', true);
    return [
      { name: '.', ino: own.ino, mode: S_IF.DIR },
      { name: '..', ino: above.status?.ino ?? own.ino, mode: S_IF.DIR },
      ...entries,
    ];
  }

  /** Where something new is to be; `asDirectory`: its path may end with `/`. */
  #free({ base, path }: NamedFrom, asDirectory: boolean): Found {
    const found = this.#mounts.find(base, path, 'never');
    if (found.status !== undefined || found.last !== 'name')
      throw failure('EEXIST', `${path} exists`);
    if (found.mustBeDirectory && !asDirectory) throw failure('ENOENT', `no directory ${path}`);
    checkWritable(found.mount);
    return found;
  }
}

export function checkWritable({ isReadOnly }: Mount): void {
  if (isReadOnly) throw failure('EROFS', 'the folder is only read');
}

function checkSameFolder(one: Mount, other: Mount): void {
  if (one !== other) throw failure('EXDEV', 'two folders');
}

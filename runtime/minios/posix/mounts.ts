/** Folders joined to one tree, and paths in it as POSIX XBD 4.13 resolves them: symbolic links are followed here alone. */
import {
  type FileStatus,
  type Folder,
  type FolderPath,
  isDirectory,
  isLink,
  isWithin,
  longestName,
} from '../../backends/folder/folder.ts';
import { XenError } from '../../errors.ts';
import { failure } from '../errno.ts';

export interface Mount {
  readonly folder: Folder;
  readonly isReadOnly: boolean;
  /** st_dev. */
  readonly device: number;
  /** The directory that it covers; the root covers none. */
  readonly at: KeptPlace | undefined;
}

export interface Place {
  readonly mount: Mount;
  readonly names: FolderPath;
}

/** A place that somebody keeps: it moves along when the guest renames a directory that it lies in. */
export interface KeptPlace extends Place {
  names: FolderPath;
}

export interface Found extends Place {
  /** Undefined where nothing is there. */
  readonly status: FileStatus | undefined;
  /** The path ends with `/`. */
  readonly mustBeDirectory: boolean;
  /** How the path ends: a name that can be made or removed, or `.` or `..`. */
  readonly last: 'name' | '.' | '..';
}

/** As Linux. */
const mostLinks = 40;
const longestPath = 4095;

/** A walk that is under way: where it has come, and what of the path is left. */
interface Walk {
  place: Place;
  left: string[];
  links: number;
}

export class Mounts {
  readonly root: Place;
  readonly #mounts: Mount[] = [];
  readonly #kept = new Set<KeptPlace>();

  constructor(root: Folder) {
    const mount = { folder: root, isReadOnly: false, device: 1, at: undefined };
    this.#mounts.push(mount);
    this.root = { mount, names: [] };
  }

  /** Over a directory that is there. */
  add({ mount, names }: Place, folder: Folder, isReadOnly: boolean): void {
    const device = this.#mounts.length + 1;
    this.#mounts.push({ folder, isReadOnly, device, at: { mount, names } });
  }

  keep({ mount, names }: Place): KeptPlace {
    const kept = { mount, names };
    this.#kept.add(kept);
    return kept;
  }

  forget(place: KeptPlace): void {
    this.#kept.delete(place);
  }

  /** A directory has another name from now on, and so has all that lies in it. */
  moved(mount: Mount, from: FolderPath, to: FolderPath): void {
    const places = [...this.#kept, ...this.#mounts.flatMap(({ at }) => at ?? [])];
    for (const place of places)
      if (place.mount === mount && isWithin(place.names, from))
        place.names = [...to, ...place.names.slice(from.length)];
  }

  /** Whether a folder covers the place, or one in it. */
  isMountPoint({ mount, names }: Place): boolean {
    return (
      names.length === 0 ||
      this.#mounts.some(({ at }) => at?.mount === mount && isWithin(at.names, names))
    );
  }

  /** ENOENT where the directory is gone. */
  pathOf({ mount, names }: Place): string {
    mount.folder.status(names);
    const above = mount.at === undefined ? '' : this.pathOf(mount.at);
    return [above === '/' ? '' : above, ...names].join('/') || '/';
  }

  statusOf({ mount, names }: Place): FileStatus {
    return mount.folder.status(names);
  }

  /** `follow`: whether a symbolic link at the end stands for what it leads to; with a `/` behind it does, if not `never`. */
  find(base: Place, path: string, follow: boolean | 'never'): Found {
    if (path === '') throw failure('ENOENT', 'an empty path');
    if (path.length > longestPath) throw failure('ENAMETOOLONG', `a path of ${path.length}`);
    const walk: Walk = { place: base, left: [], links: 0 };
    push(walk, path, this.root);
    const mustBeDirectory = path.endsWith('/');
    const isFollowing = follow === true || (mustBeDirectory && follow !== 'never');
    for (;;) {
      const name = walk.left.shift();
      if (name === undefined) return this.#end(walk.place, '.');
      const found = isDots(name) ? this.#dots(walk, name) : this.#step(walk, name, isFollowing);
      if (found !== undefined) return { mustBeDirectory, last: 'name', ...found };
    }
  }

  /** What the path names, which must be there. */
  findThere(
    base: Place,
    path: string,
    follow: boolean | 'never',
  ): Found & { readonly status: FileStatus } {
    const found = this.find(base, path, follow);
    const { status, mustBeDirectory } = found;
    if (status === undefined) throw failure('ENOENT', `no file ${path}`);
    if (mustBeDirectory && !isDirectory(status))
      throw failure('ENOTDIR', `${path} is no directory`);
    return { ...found, status };
  }

  /** How a path ends; what leads there is looked at, as Linux does before anything of the end, and must be a directory. */
  endOf(base: Place, path: string): Found['last'] {
    if (path === '') throw failure('ENOENT', 'an empty path');
    const names = path.split('/');
    while (names.at(-1) === '') names.pop();
    const last = names.pop() ?? '.';
    if (names.length > 0) this.findThere(base, `${names.join('/')}/`, true);
    return isDots(last) ? last : 'name';
  }

  #dots(walk: Walk, name: '.' | '..'): Found | undefined {
    if (name === '..') walk.place = this.#above(walk.place);
    return walk.left.length === 0 ? this.#end(walk.place, name) : undefined;
  }

  #end(place: Place, last: '.' | '..'): Found {
    const status = this.statusOf(place);
    if (!isDirectory(status)) throw failure('ENOTDIR', 'no directory');
    return { ...place, status, mustBeDirectory: true, last };
  }

  /** One name further; what is found where that was the last. */
  #step(walk: Walk, name: string, follow: boolean): (Place & Pick<Found, 'status'>) | undefined {
    if (name.length > longestName) throw failure('ENAMETOOLONG', `a name of ${name.length}`);
    const isLast = walk.left.length === 0;
    const place = this.#below(walk.place, name);
    const status = statusOrNothing(place);
    if (status !== undefined && isLink(status) && (!isLast || follow)) {
      if (++walk.links > mostLinks) throw failure('ELOOP', `${mostLinks} links, and ${name}`);
      push(walk, place.mount.folder.readLink(place.names), this.root);
      return undefined;
    }
    if (isLast) return { ...place, status };
    if (status === undefined) throw failure('ENOENT', `no directory ${name}`);
    if (!isDirectory(status)) throw failure('ENOTDIR', `${name} is no directory`);
    walk.place = place;
    return undefined;
  }

  #below({ mount, names }: Place, name: string): Place {
    const below = [...names, name];
    const covering = this.#mounts.find(
      ({ at }) =>
        at?.mount === mount && at.names.length === below.length && isWithin(at.names, below),
    );
    return covering === undefined ? { mount, names: below } : { mount: covering, names: [] };
  }

  #above({ mount, names }: Place): Place {
    if (names.length > 0) return { mount, names: names.slice(0, -1) };
    return mount.at === undefined ? this.root : this.#above(mount.at);
  }
}

const isDots = (name: string): name is '.' | '..' => name === '.' || name === '..';

function statusOrNothing({ mount, names }: Place): FileStatus | undefined {
  try {
    return mount.folder.status(names);
  } catch (error) {
    if (error instanceof XenError && error.errno === 'ENOENT') return undefined;
    throw error;
  }
}

/** Puts a path in front of what is left of the walk. */
function push(walk: Walk, path: string, root: Place): void {
  if (path === '') throw failure('ENOENT', 'a link to nothing');
  if (path.startsWith('/')) walk.place = root;
  walk.left.unshift(...path.split('/').filter((name) => name !== ''));
}

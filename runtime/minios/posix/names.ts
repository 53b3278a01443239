/** The rows of the API that take names: paths from an open directory, or from the one that the program works in. */
import type { FileTimes, FolderSpace } from '../../backends/folder/folder.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import {
  AT,
  FD_CLOEXEC,
  minios_dirent,
  minios_stat,
  minios_statvfs,
  O,
  UTIME,
} from '../abi/posix.ts';
import { failure } from '../errno.ts';
import type { Descriptors } from './descriptors.ts';
import type { KeptPlace, Mount, Mounts, Place } from './mounts.ts';
import type { DescriptorStatus } from './open-file.ts';
import { type OpeningParts, openFile } from './opening.ts';
import type { NamedFrom, Tree } from './tree.ts';
import { OpenDirectory } from './tree-file.ts';

/** PATH_MAX of newlib's sys/syslimits.h as we configure it, with the NUL. */
const longestPath = 4096;
/** S_ISUID to S_IXOTH. */
const allPermissions = 0o7777;
const allBits = 0o777;

export interface NamesParts extends OpeningParts {
  readonly memory: GuestMemory;
  readonly width: 64 | 32;
  readonly descriptors: Descriptors;
  readonly realtime: () => bigint;
}

export class Names {
  readonly #parts: NamesParts;
  readonly #memory: GuestMemory;
  readonly #tree: Tree;
  readonly #mounts: Mounts;
  #working: KeptPlace;
  #creationMask = 0o022;

  constructor(parts: NamesParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#tree = parts.tree;
    this.#mounts = parts.mounts;
    this.#working = parts.mounts.keep(parts.mounts.root);
  }

  open(directory: number, path: bigint, flags: number, mode: number): number {
    const { descriptors } = this.#parts;
    descriptors.lowestFree();
    const permissions = mode & allPermissions & ~this.#creationMask;
    const file = openFile(this.#parts, this.#named(directory, path), flags, permissions);
    return descriptors.open(file, (flags & O.CLOEXEC) !== 0 ? FD_CLOEXEC : 0);
  }

  status(directory: number, path: bigint, result: bigint, flags: number): number {
    const status = this.#tree.status(this.#named(directory, path), follows(flags));
    return this.writeStatus(status, result);
  }

  makeDirectory(directory: number, path: bigint, mode: number): number {
    const permissions = mode & (allBits | 0o1000) & ~this.#creationMask;
    this.#tree.makeDirectory(this.#named(directory, path), permissions);
    return 0;
  }

  remove(directory: number, path: bigint, flags: number): number {
    const named = this.#named(directory, path);
    if ((flags & AT.REMOVEDIR) !== 0) this.#tree.removeDirectory(named);
    else this.#tree.unlink(named);
    return 0;
  }

  rename(fromDirectory: number, from: bigint, toDirectory: number, to: bigint): number {
    this.#tree.rename(this.#named(fromDirectory, from), this.#named(toDirectory, to));
    return 0;
  }

  link(
    fromDirectory: number,
    from: bigint,
    toDirectory: number,
    to: bigint,
    flags: number,
  ): number {
    const isFollowing = (flags & AT.SYMLINK_FOLLOW) !== 0;
    this.#tree.link(this.#named(fromDirectory, from), this.#named(toDirectory, to), isFollowing);
    return 0;
  }

  makeLink(text: bigint, directory: number, path: bigint): number {
    this.#tree.makeLink(this.#path(text), this.#named(directory, path));
    return 0;
  }

  makeSocket(directory: number, path: bigint, mode: number): number {
    const permissions = mode & allPermissions & ~this.#creationMask;
    this.#tree.makeSocket(this.#named(directory, path), permissions);
    return 0;
  }

  /** As many bytes as there is room for, without a NUL. */
  readLink(directory: number, path: bigint, buffer: bigint, size: bigint): bigint {
    if (size === 0n) throw failure('EINVAL', 'readlink into nothing');
    const bytes = bytesOf(this.#tree.readLink(this.#named(directory, path)));
    const part = bytes.subarray(0, Number(size < longestPath ? size : longestPath));
    this.#memory.writeBytes(buffer, part);
    return BigInt(part.length);
  }

  setPermissions(directory: number, path: bigint, mode: number, flags: number): number {
    const named = this.#named(directory, path);
    this.#tree.setPermissions(named, mode & allPermissions, follows(flags));
    return 0;
  }

  setPermissionsOf(fd: number, mode: number): number {
    this.#parts.descriptors.get(fd).setPermissions(mode & allPermissions);
    return 0;
  }

  setTimes(directory: number, path: bigint, atime: bigint, mtime: bigint, flags: number): number {
    const named = this.#named(directory, path);
    this.#tree.setTimes(named, this.#times(atime, mtime), follows(flags));
    return 0;
  }

  setTimesOf(fd: number, atime: bigint, mtime: bigint): number {
    this.#parts.descriptors.get(fd).setTimes(this.#times(atime, mtime));
    return 0;
  }

  workIn(directory: number, path: bigint): number {
    const { base, path: text } = this.#named(directory, path);
    return this.#workIn(this.#mounts.find(base, `${text}/.`, true));
  }

  workInOf(fd: number): number {
    return this.#workIn(this.#directory(fd));
  }

  /** Length of the path with its NUL. */
  working(buffer: bigint, size: bigint): number {
    return this.#writePath(this.#working, buffer, size);
  }

  /** The same of any path that leads somewhere. */
  resolved(path: bigint, buffer: bigint, size: bigint): number {
    const { base, path: text } = this.#named(AT.FDCWD, path);
    return this.#writePath(this.#mounts.findThere(base, text, true), buffer, size);
  }

  /** The mask as it was. */
  setCreationMask(mask: number): number {
    const old = this.#creationMask;
    this.#creationMask = mask & allBits;
    return old;
  }

  /** 1 where there is an entry of that number, 0 behind the last. */
  entry(fd: number, index: number, result: bigint): number {
    const file = this.#parts.descriptors.get(fd);
    if (!(file instanceof OpenDirectory)) throw failure('ENOTDIR', `${fd} is no directory`);
    const entry = index < 0 ? undefined : file.entry(index);
    if (entry === undefined) return 0;
    const layout = minios_dirent.layout(this.#parts.width);
    const bytes = new Uint8Array(layout.size);
    const name = [...bytesOf(entry.name), 0];
    Object.assign(layout.at(bytes, 0), { ino: entry.ino, type: entry.mode >> 12, name });
    this.#memory.writeBytes(result, bytes);
    return 1;
  }

  space(path: bigint, result: bigint): number {
    const { base, path: text } = this.#named(AT.FDCWD, path);
    const { mount } = this.#mounts.findThere(base, text, true);
    return this.#writeSpace(mount.folder.space(), mount, result);
  }

  spaceOf(fd: number, result: bigint): number {
    return this.#writeSpace(this.#parts.descriptors.get(fd).space(), undefined, result);
  }

  writeStatus(status: DescriptorStatus, result: bigint): number {
    const layout = minios_stat.layout(this.#parts.width);
    const bytes = new Uint8Array(layout.size);
    const { size, blocks, ino, dev, rdev, mode, nlink } = status;
    const times = { atime_ns: status.atime, mtime_ns: status.mtime, ctime_ns: status.ctime };
    Object.assign(layout.at(bytes, 0), { size, blocks, ino, dev, rdev, mode, nlink, ...times });
    this.#memory.writeBytes(result, bytes);
    return 0;
  }

  #writeSpace(space: FolderSpace, mount: Mount | undefined, result: bigint): number {
    const layout = minios_statvfs.layout(this.#parts.width);
    const bytes = new Uint8Array(layout.size);
    Object.assign(layout.at(bytes, 0), {
      ...{ blocks: space.blocks, free_blocks: space.freeBlocks, block_size: space.blockSize },
      ...{ files: space.files, free_files: space.freeFiles, name_max: 255 },
      ...{ dev: mount?.device ?? 0, read_only: Number(mount?.isReadOnly ?? false) },
    });
    this.#memory.writeBytes(result, bytes);
    return 0;
  }

  #writePath(place: Place, buffer: bigint, size: bigint): number {
    const path = bytesOf(`${this.#mounts.pathOf(place)}\0`);
    if (size < BigInt(path.length)) throw failure('ERANGE', `a path into ${size} bytes`);
    this.#memory.writeBytes(buffer, path);
    return path.length;
  }

  #workIn(place: Place): number {
    this.#mounts.statusOf(place);
    this.#mounts.forget(this.#working);
    this.#working = this.#mounts.keep(place);
    return 0;
  }

  #times(atime: bigint, mtime: bigint): FileTimes {
    const time = (given: bigint): bigint | undefined =>
      given === UTIME.OMIT ? undefined : given === UTIME.NOW ? this.#parts.realtime() : given;
    return { atime: time(atime), mtime: time(mtime) };
  }

  #named(directory: number, path: bigint): NamedFrom {
    const text = this.#path(path);
    const isElsewhere = directory !== AT.FDCWD && !text.startsWith('/');
    return { base: isElsewhere ? this.#directory(directory) : this.#working, path: text };
  }

  #directory(fd: number): KeptPlace {
    const { place } = this.#parts.descriptors.get(fd);
    if (place === undefined) throw failure('ENOTDIR', `${fd} is no directory`);
    return place;
  }

  /** A char a byte, since names are bytes. */
  #path(address: bigint): string {
    const bytes = this.#memory.readCString(address, longestPath);
    let text = '';
    for (const byte of bytes) text += String.fromCharCode(byte);
    return text;
  }
}

const follows = (flags: number): boolean => (flags & AT.SYMLINK_NOFOLLOW) === 0;

const bytesOf = (text: string): Uint8Array =>
  Uint8Array.from(text, (character) => character.charCodeAt(0));

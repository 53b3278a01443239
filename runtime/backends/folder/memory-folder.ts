/** A folder in memory, in Node and the browser alike: the root of applications, and what a program gives a guest to work in. */
import { XenError } from '../../errors.ts';
import type {
  FileStatus,
  FileTimes,
  Flushed,
  Folder,
  FolderEntry,
  FolderFile,
  FolderPath,
  FolderSpace,
  OpenWish,
} from './folder.ts';
import { isWithin, longestName } from './folder.ts';
import {
  type Content,
  MemoryDevice,
  MemoryDirectory,
  MemoryFile,
  MemoryLink,
  MemoryNode,
  type MemoryOwner,
  MemorySocket,
  noEntry,
} from './memory-nodes.ts';

/** All files together; a guest must not be able to use up its host. */
const mostBytes = 256 * 2 ** 20;
const blockSize = 4096;
const mostFiles = mostBytes / 256;

type DirectoryNode = MemoryNode<MemoryDirectory>;

export class MemoryFolder implements Folder {
  readonly #root: DirectoryNode;
  readonly #owner: MemoryOwner;
  #used = 0;
  #made = 0;

  constructor(now: () => bigint) {
    this.#owner = {
      now,
      nextIno: () => BigInt(++this.#made),
      account: (bytes) => {
        if (bytes > 0 && this.#used + bytes > mostBytes)
          throw new XenError('ENOSPC', `the files in memory may take ${mostBytes} bytes`);
        this.#used += bytes;
      },
    };
    this.#root = new MemoryNode(this.#owner, 0o755, new MemoryDirectory());
  }

  status(path: FolderPath): FileStatus {
    return this.#find(path).status();
  }

  list(path: FolderPath): FolderEntry[] {
    return [...this.#directory(path).content.entries].map(([name, { ino, content }]) => ({
      ...{ name, ino, mode: content.format },
    }));
  }

  open(path: FolderPath, wish: OpenWish): FolderFile {
    const node = this.#opened(path, wish);
    const file = new OpenMemoryFile(node, node.content);
    if (wish.truncate) file.setLength(0);
    return file;
  }

  readLink(path: FolderPath): string {
    const { content } = this.#find(path);
    if (content instanceof MemoryLink) return content.text;
    throw new XenError('EINVAL', `${shown(path)} is no link`);
  }

  makeDirectory(path: FolderPath, permissions: number): void {
    this.#make(path, permissions, () => new MemoryDirectory());
  }

  makeLink(path: FolderPath, text: string): void {
    this.#make(path, 0o777, () => new MemoryLink(this.#owner, text));
  }

  makeSocket(path: FolderPath, permissions: number): void {
    this.#make(path, permissions, () => new MemorySocket());
  }

  /** What opening it means, its tree says. */
  makeDevice(path: FolderPath, permissions: number, rdev: number): void {
    this.#make(path, permissions, () => new MemoryDevice(rdev));
  }

  link(from: FolderPath, to: FolderPath): void {
    const node = this.#find(from);
    if (isDirectoryNode(node)) throw new XenError('EPERM', `${shown(from)} is a directory`);
    this.#enter(to, () => node);
    node.linked();
  }

  rename(from: FolderPath, to: FolderPath): void {
    const moved = this.#find(from);
    const source = this.#parent(from);
    const target = this.#parent(to);
    const replaced = target.entries.get(target.name);
    if (replaced === moved) return;
    if (isDirectoryNode(moved) && isWithin(to, from))
      throw new XenError('EINVAL', `${shown(to)} lies in ${shown(from)}`);
    if (replaced !== undefined) checkReplaced(moved, replaced, to);
    source.entries.delete(source.name);
    source.node.changed();
    target.entries.set(target.name, moved);
    target.node.changed();
    moved.renamed();
    replaced?.unlinked();
  }

  unlink(path: FolderPath): void {
    const node = this.#find(path);
    if (isDirectoryNode(node)) throw new XenError('EISDIR', `${shown(path)} is a directory`);
    this.#remove(path, node);
  }

  removeDirectory(path: FolderPath): void {
    const node = this.#directory(path);
    if (node.content.entries.size > 0)
      throw new XenError('ENOTEMPTY', `${shown(path)} is not empty`);
    this.#remove(path, node);
  }

  setPermissions(path: FolderPath, permissions: number): void {
    this.#find(path).setPermissions(permissions);
  }

  setTimes(path: FolderPath, times: FileTimes): void {
    this.#find(path).setTimes(times);
  }

  space(): FolderSpace {
    const free = Math.floor((mostBytes - this.#used) / blockSize);
    return {
      ...{ blockSize, blocks: BigInt(mostBytes / blockSize), freeBlocks: BigInt(free) },
      ...{ files: BigInt(mostFiles), freeFiles: BigInt(Math.max(0, mostFiles - this.#made)) },
    };
  }

  flush(): Flushed {
    return undefined;
  }

  close(): void {}

  #opened(path: FolderPath, { create, exclusive, writing }: OpenWish): MemoryNode<MemoryFile> {
    const node = this.#parent(path).entries.get(path.at(-1) ?? '');
    if (node === undefined && create !== undefined)
      return this.#make(path, create, () => new MemoryFile(this.#owner));
    if (node === undefined) throw noEntry(shown(path));
    if (exclusive && create !== undefined) throw new XenError('EEXIST', `${shown(path)} exists`);
    if (isFileNode(node)) return node;
    if (node.content instanceof MemoryLink) throw new XenError('ELOOP', `${shown(path)} is a link`);
    throw isDirectoryNode(node) && writing
      ? new XenError('EISDIR', `${shown(path)} is a directory`)
      : new XenError('ENXIO', `${shown(path)} is no file`);
  }

  #make<C extends Content>(path: FolderPath, permissions: number, content: () => C): MemoryNode<C> {
    return this.#enter(path, () => new MemoryNode(this.#owner, permissions, content()));
  }

  #enter<C extends Content>(path: FolderPath, make: () => MemoryNode<C>): MemoryNode<C> {
    const { entries, name, node: directory } = this.#parent(path);
    if (entries.has(name)) throw new XenError('EEXIST', `${shown(path)} exists`);
    if (name.length > longestName) throw new XenError('ENAMETOOLONG', `a name of ${name.length}`);
    const node = make();
    entries.set(name, node);
    directory.changed();
    return node;
  }

  #remove(path: FolderPath, node: MemoryNode): void {
    const { entries, name, node: directory } = this.#parent(path);
    entries.delete(name);
    directory.changed();
    node.unlinked();
  }

  #find(path: FolderPath): MemoryNode {
    let node: MemoryNode = this.#root;
    for (const name of path) {
      if (!isDirectoryNode(node))
        throw new XenError('ENOTDIR', `${shown(path)}: ${name} lies in no directory`);
      const next = node.content.entries.get(name);
      if (next === undefined) throw noEntry(shown(path));
      node = next;
    }
    return node;
  }

  #directory(path: FolderPath): DirectoryNode {
    const node = this.#find(path);
    if (isDirectoryNode(node)) return node;
    throw new XenError('ENOTDIR', `${shown(path)} is no directory`);
  }

  /** The directory that the last name lies in; the root lies in none. */
  #parent(path: FolderPath): {
    readonly node: DirectoryNode;
    readonly entries: Map<string, MemoryNode>;
    readonly name: string;
  } {
    const name = path.at(-1);
    if (name === undefined) throw new XenError('EBUSY', 'the root stays');
    const node = this.#directory(path.slice(0, -1));
    return { node, entries: node.content.entries, name };
  }
}

class OpenMemoryFile implements FolderFile {
  readonly #node: MemoryNode;
  readonly #file: MemoryFile;

  constructor(node: MemoryNode, file: MemoryFile) {
    this.#node = node;
    this.#file = file;
    node.opened();
  }

  read(position: number, into: Uint8Array): number {
    this.#node.wasRead();
    return this.#file.read(position, into);
  }

  write(position: number, bytes: Uint8Array): number {
    this.#file.write(position, bytes);
    this.#node.changed();
    return bytes.length;
  }

  status(): FileStatus {
    return this.#node.status();
  }

  setLength(length: number): void {
    this.#file.setLength(length);
    this.#node.changed();
  }

  setPermissions(permissions: number): void {
    this.#node.setPermissions(permissions);
  }

  setTimes(times: FileTimes): void {
    this.#node.setTimes(times);
  }

  flush(): Flushed {
    return undefined;
  }

  close(): void {
    this.#node.closed();
  }
}

const isDirectoryNode = (node: MemoryNode): node is DirectoryNode =>
  node.content instanceof MemoryDirectory;
const isFileNode = (node: MemoryNode): node is MemoryNode<MemoryFile> =>
  node.content instanceof MemoryFile;

function checkReplaced(moved: MemoryNode, replaced: MemoryNode, to: FolderPath): void {
  if (!isDirectoryNode(replaced)) {
    if (isDirectoryNode(moved)) throw new XenError('ENOTDIR', `${shown(to)} is no directory`);
    return;
  }
  if (!isDirectoryNode(moved)) throw new XenError('EISDIR', `${shown(to)} is a directory`);
  if (replaced.content.entries.size > 0)
    throw new XenError('ENOTEMPTY', `${shown(to)} is not empty`);
}

const shown = (path: FolderPath): string => `/${path.join('/')}`;

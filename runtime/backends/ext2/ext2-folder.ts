/**
 * A folder on an ext2 file system: on a disk image of the user's, for a guest to work in, in Node and the browser alike. What was
 * flushed outlives a crash; e2fsck repairs the rest, and until it has, such an image is only mounted to be read.
 */
import { XenError } from '../../errors.ts';
import type { Disk } from '../block/disk.ts';
import {
  type FileStatus,
  type FileTimes,
  type Flushed,
  type Folder,
  type FolderEntry,
  type FolderFile,
  type FolderPath,
  type FolderSpace,
  isWithin,
  longestName,
  type OpenWish,
  S_IF,
} from '../folder/folder.ts';
import { Allocation } from './allocation.ts';
import { Directory } from './directory.ts';
import { Node } from './node.ts';
import { OpenNodes } from './open-nodes.ts';
import { ext2Inode, fastLinkSize, rootInode } from './structures.ts';
import { Volume } from './volume.ts';

export interface Ext2Options {
  /** In messages. */
  readonly name?: string;
  readonly isReadOnly?: boolean;
  /** Nanoseconds since 1970. */
  readonly now?: () => bigint;
}

const mostLinks = 32000;
const allPermissions = 0o7777;

export class Ext2Folder implements Folder {
  readonly #volume: Volume;
  readonly #allocation: Allocation;
  readonly #open: OpenNodes;
  readonly #now: () => bigint;

  /** The disk is its own until it is unmounted; what cannot be mounted is a UserError. */
  constructor(disk: Disk, options: Ext2Options = {}) {
    const { name = 'the disk', isReadOnly = disk.isReadOnly } = options;
    this.#volume = new Volume(disk, name, isReadOnly || disk.isReadOnly);
    this.#allocation = new Allocation(this.#volume);
    this.#now = options.now ?? (() => BigInt(Date.now()) * 1_000_000n);
    this.#open = new OpenNodes(() => this.#flush());
  }

  status(path: FolderPath): FileStatus {
    return this.#find(path).status();
  }

  list(path: FolderPath): FolderEntry[] {
    return this.#directory(path).list((ino) => this.#node(ino).format);
  }

  open(path: FolderPath, wish: OpenWish): FolderFile {
    if (wish.writing) this.#checkWritable();
    if (wish.synchronous)
      throw new XenError('EINVAL', `${shown(path)}: a write cannot wait for the disk; fsync does`);
    const node = this.#opened(path, wish);
    const file = this.#open.open(node);
    if (wish.truncate && node.size > 0) file.setLength(0);
    return file;
  }

  readLink(path: FolderPath): string {
    const node = this.#find(path);
    if (node.format !== S_IF.LNK) throw new XenError('EINVAL', `${shown(path)} is no link`);
    const bytes = new Uint8Array(Math.min(node.size, this.#volume.blockSize));
    if (node.hasBlocks) node.read(0, bytes);
    else bytes.set(this.#linkBytes(node).subarray(0, bytes.length));
    return String.fromCharCode(...bytes);
  }

  makeDirectory(path: FolderPath, permissions: number): void {
    const { directory, name } = this.#free(path);
    if (directory.node.fields.links >= mostLinks)
      throw new XenError('EMLINK', `${shown(path)}: too many directories beside it`);
    this.#make(directory, name, S_IF.DIR | permissions, (node) => {
      this.#allocation.countDirectory(node.ino, 1);
      node.change().links = 2;
      new Directory(this.#volume, node).begin(directory.node.ino);
    });
    directory.node.change().links++;
  }

  makeLink(path: FolderPath, text: string): void {
    const { directory, name } = this.#free(path);
    if (text.length >= this.#volume.blockSize)
      throw new XenError('ENAMETOOLONG', `a link of ${text.length}`);
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    this.#make(directory, name, S_IF.LNK | 0o777, (node) => {
      if (bytes.length < fastLinkSize) {
        node.change().size = bytes.length;
        this.#linkBytes(node, true).set(bytes);
      } else node.write(0, bytes);
    });
  }

  makeSocket(path: FolderPath, permissions: number): void {
    const { directory, name } = this.#free(path);
    this.#make(directory, name, S_IF.SOCK | permissions, () => {});
  }

  link(from: FolderPath, to: FolderPath): void {
    const node = this.#find(from);
    if (node.format === S_IF.DIR) throw new XenError('EPERM', `${shown(from)} is a directory`);
    const { directory, name } = this.#free(to);
    if (node.fields.links >= mostLinks)
      throw new XenError('EMLINK', `${shown(from)} has too many names`);
    node.change().links++;
    node.touch('ctime');
    directory.add(name, node.ino, node.format);
  }

  rename(from: FolderPath, to: FolderPath): void {
    this.#checkWritable();
    const moved = this.#find(from);
    const source = this.#parent(from);
    const target = this.#parent(to);
    const there = target.directory.find(target.name);
    if (there === moved.ino) return;
    const isDirectory = moved.format === S_IF.DIR;
    if (isDirectory && isWithin(to, from))
      throw new XenError('EINVAL', `${shown(to)} lies in ${shown(from)}`);
    const replaced = there === undefined ? undefined : this.#node(there);
    if (replaced !== undefined) this.#checkReplaced(moved, replaced, to);
    if (replaced === undefined) target.directory.add(target.name, moved.ino, moved.format);
    else target.directory.replace(target.name, moved.ino, moved.format);
    source.directory.remove(source.name);
    moved.touch('ctime');
    if (isDirectory) this.#rehome(moved, source.directory.node, target.directory.node);
    if (replaced !== undefined) this.#unlinked(replaced, target.directory.node);
  }

  unlink(path: FolderPath): void {
    const node = this.#find(path);
    if (node.format === S_IF.DIR) throw new XenError('EISDIR', `${shown(path)} is a directory`);
    this.#remove(path, node);
  }

  removeDirectory(path: FolderPath): void {
    const directory = this.#directory(path);
    if (!directory.isEmpty) throw new XenError('ENOTEMPTY', `${shown(path)} is not empty`);
    this.#remove(path, directory.node);
  }

  setPermissions(path: FolderPath, permissions: number): void {
    this.#open.setPermissions(this.#find(path), permissions & allPermissions);
  }

  setTimes(path: FolderPath, times: FileTimes): void {
    this.#find(path).setTimes(times);
  }

  space(): FolderSpace {
    const { blocksCount, inodesCount } = this.#volume.geometry;
    return {
      ...{ blockSize: this.#volume.blockSize, blocks: BigInt(blocksCount) },
      freeBlocks: BigInt(this.#allocation.freeBlocks),
      ...{ files: BigInt(inodesCount), freeFiles: BigInt(this.#allocation.freeInodes) },
    };
  }

  /** Everything, whichever directory was meant: names and what they lead to are safe together. */
  flush(path: FolderPath): Flushed {
    this.#directory(path);
    return this.#flush();
  }

  /** Closes what is open, writes all that is to be kept, and leaves the file system clean. The disk stays open. */
  async unmount(): Promise<void> {
    this.#open.closeAll();
    if (this.#volume.isReadOnly) return;
    await this.#flush();
    // What was given back is free only now.
    await this.#flush();
    this.#volume.markClean();
    await this.#flush();
  }

  /** Without waiting: `unmount` says when it is done. */
  close(): void {
    void this.unmount().catch(() => {});
  }

  #flush(): Promise<void> {
    return this.#volume.store.commit(this.#allocation.settle());
  }

  #opened(path: FolderPath, { create, exclusive, writing }: OpenWish): Node {
    const { directory, name } = this.#parent(path);
    const ino = directory.find(name);
    if (ino === undefined) {
      if (create === undefined) throw new XenError('ENOENT', `no file ${shown(path)}`);
      const free = this.#free(path);
      return this.#make(free.directory, name, S_IF.REG | create, () => {});
    }
    if (exclusive && create !== undefined) throw new XenError('EEXIST', `${shown(path)} exists`);
    const node = this.#node(ino);
    if (node.format === S_IF.REG) return node;
    if (node.format === S_IF.LNK) throw new XenError('ELOOP', `${shown(path)} is a link`);
    throw node.format === S_IF.DIR && writing
      ? new XenError('EISDIR', `${shown(path)} is a directory`)
      : new XenError('ENXIO', `${shown(path)} is no file`);
  }

  /** With its name, in whose neighbourhood it lies; where the disk is full, there is neither. */
  #make(directory: Directory, name: string, mode: number, fill: (node: Node) => void): Node {
    const ino = this.#allocation.takeInode(directory.node.ino);
    const fields = this.#volume.clearInode(ino);
    fields.mode = mode;
    fields.links = 1;
    const node = this.#node(ino);
    node.touch('atime', 'mtime', 'ctime');
    try {
      fill(node);
      directory.add(name, ino, node.format);
    } catch (error) {
      node.release();
      throw error;
    }
    return node;
  }

  #remove(path: FolderPath, node: Node): void {
    this.#checkWritable();
    const { directory, name } = this.#parent(path);
    directory.remove(name);
    this.#unlinked(node, directory.node);
  }

  /** One name fewer leads there; of a directory none is left. */
  #unlinked(node: Node, parent: Node): void {
    const isDirectory = node.format === S_IF.DIR;
    if (isDirectory) parent.change().links--;
    node.change().links = isDirectory ? 0 : Math.max(0, node.fields.links - 1);
    node.touch('ctime');
    if (node.fields.links === 0) this.#open.gone(node);
  }

  #rehome(moved: Node, source: Node, target: Node): void {
    if (source.ino === target.ino) return;
    new Directory(this.#volume, moved).replace('..', target.ino, S_IF.DIR);
    source.change().links--;
    target.change().links++;
  }

  #checkReplaced(moved: Node, replaced: Node, to: FolderPath): void {
    if (replaced.format !== S_IF.DIR) {
      if (moved.format === S_IF.DIR) throw new XenError('ENOTDIR', `${shown(to)} is no directory`);
      return;
    }
    if (moved.format !== S_IF.DIR) throw new XenError('EISDIR', `${shown(to)} is a directory`);
    if (!new Directory(this.#volume, replaced).isEmpty)
      throw new XenError('ENOTEMPTY', `${shown(to)} is not empty`);
  }

  #checkWritable(): void {
    if (this.#volume.isReadOnly) throw new XenError('EROFS', 'the file system is only read');
  }

  #find(path: FolderPath): Node {
    let node = this.#node(rootInode);
    for (const name of path) {
      if (node.format !== S_IF.DIR)
        throw new XenError('ENOTDIR', `${shown(path)}: ${name} lies in no directory`);
      const ino = new Directory(this.#volume, node).find(name);
      if (ino === undefined) throw new XenError('ENOENT', `no file ${shown(path)}`);
      node = this.#node(ino);
    }
    return node;
  }

  #directory(path: FolderPath): Directory {
    const node = this.#find(path);
    if (node.format !== S_IF.DIR) throw new XenError('ENOTDIR', `${shown(path)} is no directory`);
    return new Directory(this.#volume, node);
  }

  #parent(path: FolderPath): { readonly directory: Directory; readonly name: string } {
    const name = path.at(-1);
    if (name === undefined) throw new XenError('EBUSY', 'the root stays');
    return { directory: this.#directory(path.slice(0, -1)), name };
  }

  /** Where something new is to be. */
  #free(path: FolderPath): { readonly directory: Directory; readonly name: string } {
    this.#checkWritable();
    const { directory, name } = this.#parent(path);
    if (directory.find(name) !== undefined) throw new XenError('EEXIST', `${shown(path)} exists`);
    if (name.length > longestName) throw new XenError('ENAMETOOLONG', `a name of ${name.length}`);
    if (directory.node.fields.links === 0)
      throw new XenError('ENOENT', `${shown(path)}: its directory is gone`);
    return { directory, name };
  }

  /** In place of the numbers of blocks. */
  #linkBytes(node: Node, isChanged = false): Uint8Array {
    return this.#volume.inodeBytes(node.ino, isChanged, ext2Inode.offsets.block, fastLinkSize);
  }

  #node(ino: number): Node {
    return new Node({ volume: this.#volume, allocation: this.#allocation, now: this.#now }, ino);
  }
}

const shown = (path: FolderPath): string => `/${path.join('/')}`;

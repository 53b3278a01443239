/** The root file system of an application that was given none: files and directories in memory, gone when it ends. */
import { S_IF } from '../abi/posix.ts';
import { failure } from '../errno.ts';
import type { FileStatus } from './open-file.ts';

/** All files together; a guest must not be able to use up its host. */
const mostBytes = 256 * 2 ** 20;
const longestName = 255;

export class FileNode {
  readonly ino: bigint;
  readonly #tree: FileTree;
  mtime: bigint;
  permissions: number;
  nlink = 1;
  #bytes = new Uint8Array();
  #length = 0;

  constructor(tree: FileTree, ino: bigint, permissions: number) {
    this.#tree = tree;
    this.ino = ino;
    this.permissions = permissions;
    this.mtime = tree.now();
  }

  get length(): number {
    return this.#length;
  }

  read(at: number, count: number): Uint8Array {
    return this.#bytes.slice(Math.min(at, this.#length), Math.min(at + count, this.#length));
  }

  write(at: number, bytes: Uint8Array): void {
    if (at + bytes.length > this.#length) this.setLength(at + bytes.length);
    this.#bytes.set(bytes, at);
    this.mtime = this.#tree.now();
  }

  setLength(length: number): void {
    if (length > this.#bytes.length) this.#reserve(length);
    if (length < this.#length) this.#bytes.fill(0, length, this.#length);
    this.#length = length;
    this.mtime = this.#tree.now();
  }

  #reserve(length: number): void {
    const size = Math.max(length, this.#bytes.length * 2, 256);
    this.#tree.account(size - this.#bytes.length);
    const larger = new Uint8Array(size);
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  /** No name and no descriptor leads here any more. */
  release(): void {
    this.#tree.account(-this.#bytes.length);
    this.#bytes = new Uint8Array();
    this.#length = 0;
  }

  status(): FileStatus {
    const mode = S_IF.REG | this.permissions;
    const { ino, mtime, nlink } = this;
    return { size: BigInt(this.#length), mtime, ino, mode, nlink };
  }
}

export class DirectoryNode {
  readonly ino: bigint;
  readonly entries = new Map<string, FileNode | DirectoryNode>();
  mtime: bigint;
  permissions = 0o755;

  constructor(ino: bigint, now: bigint) {
    this.ino = ino;
    this.mtime = now;
  }

  status(): FileStatus {
    const directories = [...this.entries.values()].filter((e) => e instanceof DirectoryNode).length;
    const { ino, mtime } = this;
    return { size: 0n, mtime, ino, mode: S_IF.DIR | this.permissions, nlink: 2 + directories };
  }
}

export type Node = FileNode | DirectoryNode;

/** Where a path ends: a name in a directory, and what it names. */
interface Place {
  readonly directory: DirectoryNode;
  readonly name: string;
  readonly node: Node | undefined;
  /** It ends with `/`, so it must be a directory. */
  readonly mustBeDirectory: boolean;
}

export class FileTree {
  readonly now: () => bigint;
  readonly root: DirectoryNode;
  /** How often each file is open. */
  readonly #open = new Map<FileNode, number>();
  #nextIno = 1n;
  #used = 0;

  constructor(now: () => bigint) {
    this.now = now;
    this.root = this.#newDirectory();
    this.root.entries.set('tmp', this.#newDirectory());
  }

  account(bytes: number): void {
    if (this.#used + bytes > mostBytes)
      throw failure('ENOSPC', `the files in memory may take ${mostBytes} bytes`);
    this.#used += bytes;
  }

  lookUp(path: string): Node {
    const { node, mustBeDirectory } = this.#place(path);
    if (node === undefined) throw failure('ENOENT', `no file ${path}`);
    if (mustBeDirectory && node instanceof FileNode) throw failure('ENOTDIR', `${path} is a file`);
    return node;
  }

  /** The file, made where it is not there; EEXIST where `exclusive`. */
  create(path: string, exclusive: boolean, permissions: number): Node {
    const { directory, name, node, mustBeDirectory } = this.#place(path);
    if (node !== undefined && exclusive) throw failure('EEXIST', `${path} exists`);
    if (mustBeDirectory && !(node instanceof DirectoryNode))
      throw failure(node === undefined ? 'EISDIR' : 'ENOTDIR', `${path} names no file`);
    if (node !== undefined) return node;
    const made = new FileNode(this, this.#nextIno++, permissions);
    this.#enter(directory, name, made);
    return made;
  }

  unlink(path: string): void {
    const node = this.lookUp(path);
    if (node instanceof DirectoryNode) throw failure('EISDIR', `${path} is a directory`);
    const { directory, name } = this.#place(path);
    this.#remove(directory, name);
    this.#forget(node);
  }

  rename(from: string, to: string): void {
    const source = this.#place(from);
    const moved = this.lookUp(from);
    const target = this.#place(to);
    if (source.name === '' || target.name === '') throw failure('EBUSY', 'the root stays');
    if (target.node === moved) return;
    if (target.mustBeDirectory && moved instanceof FileNode)
      throw failure('ENOTDIR', `${from} is a file`);
    if (moved instanceof DirectoryNode && this.#holds(moved, target.directory))
      throw failure('EINVAL', `${to} lies in ${from}`);
    this.#checkReplaced(moved, target.node, to);
    this.#remove(source.directory, source.name);
    this.#enter(target.directory, target.name, moved);
    if (target.node instanceof FileNode) this.#forget(target.node);
  }

  /** A descriptor refers to the file, so that it outlives its name. */
  opened(file: FileNode): void {
    this.#open.set(file, (this.#open.get(file) ?? 0) + 1);
  }

  closed(file: FileNode): void {
    const left = (this.#open.get(file) ?? 1) - 1;
    if (left > 0) this.#open.set(file, left);
    else this.#open.delete(file);
    if (left === 0 && file.nlink === 0) file.release();
  }

  #forget(file: FileNode): void {
    file.nlink = 0;
    if (!this.#open.has(file)) file.release();
  }

  #checkReplaced(moved: Node, replaced: Node | undefined, to: string): void {
    if (replaced instanceof FileNode && moved instanceof DirectoryNode)
      throw failure('ENOTDIR', `${to} is a file`);
    if (!(replaced instanceof DirectoryNode)) return;
    if (moved instanceof FileNode) throw failure('EISDIR', `${to} is a directory`);
    if (replaced.entries.size > 0) throw failure('ENOTEMPTY', `${to} is not empty`);
  }

  #holds(outer: DirectoryNode, inner: DirectoryNode): boolean {
    if (outer === inner) return true;
    return [...outer.entries.values()].some(
      (entry) => entry instanceof DirectoryNode && this.#holds(entry, inner),
    );
  }

  #newDirectory(): DirectoryNode {
    return new DirectoryNode(this.#nextIno++, this.now());
  }

  #enter(directory: DirectoryNode, name: string, node: Node): void {
    directory.entries.set(name, node);
    directory.mtime = this.now();
  }

  #remove(directory: DirectoryNode, name: string): void {
    directory.entries.delete(name);
    directory.mtime = this.now();
  }

  /** Follows all but the last name; relative paths begin at the root, which is its own parent. */
  #place(path: string): Place {
    if (path === '') throw failure('ENOENT', 'an empty path');
    const names = path.split('/').filter((name) => name !== '' && name !== '.');
    const trail: DirectoryNode[] = [this.root];
    const last = names.at(-1);
    for (const name of names.slice(0, -1)) this.#step(trail, name, path);
    const directory = trail.at(-1) ?? this.root;
    if (last === undefined || last === '..') {
      const node = last === undefined ? this.root : (trail.at(-2) ?? this.root);
      return { directory, name: '', node, mustBeDirectory: true };
    }
    if (last.length > longestName) throw failure('ENAMETOOLONG', `a name of ${last.length}`);
    const mustBeDirectory = /\/\.?$/.test(path);
    return { directory, name: last, node: directory.entries.get(last), mustBeDirectory };
  }

  #step(trail: DirectoryNode[], name: string, path: string): void {
    if (name === '..') {
      if (trail.length > 1) trail.pop();
      return;
    }
    const next = trail.at(-1)?.entries.get(name);
    if (next === undefined) throw failure('ENOENT', `no directory ${name} in ${path}`);
    if (next instanceof FileNode) throw failure('ENOTDIR', `${name} in ${path} is a file`);
    trail.push(next);
  }
}

/** The entries of a directory: one behind the other in each of its blocks, each with the distance to the next. */
import { XenError } from '../../errors.ts';
import { type FolderEntry, S_IF } from '../folder/folder.ts';
import type { Node } from './node.ts';
import { ext2DirectoryEntry, FILE_TYPE, INODE_FLAGS } from './structures.ts';
import type { Volume } from './volume.ts';

interface Entry {
  readonly ino: number;
  readonly name: string;
  readonly fileType: number;
  readonly block: number;
  readonly at: number;
  readonly length: number;
  /** Of the entry in front of it in the same block. */
  readonly before: number | undefined;
}

const headSize = ext2DirectoryEntry.size;
const sizeOf = (name: string): number => (headSize + name.length + 3) & ~3;

// biome-ignore format: a table
const types = [
  [S_IF.REG, FILE_TYPE.REG], [S_IF.DIR, FILE_TYPE.DIR], [S_IF.LNK, FILE_TYPE.LNK], [S_IF.CHR, FILE_TYPE.CHR],
  [S_IF.BLK, FILE_TYPE.BLK], [S_IF.IFO, FILE_TYPE.FIFO], [S_IF.SOCK, FILE_TYPE.SOCK],
] as const;

export class Directory {
  readonly node: Node;
  readonly #volume: Volume;

  constructor(volume: Volume, node: Node) {
    this.#volume = volume;
    this.node = node;
  }

  find(name: string): number | undefined {
    return this.#find(name)?.ino;
  }

  /** Without `.` and `..`. */
  list(formatOf: (ino: number) => number): FolderEntry[] {
    return [...this.#entries()].filter(isNamed).map(({ ino, name, fileType }) => ({
      ...{ name, ino: BigInt(ino) },
      mode: types.find(([, type]) => type === fileType)?.[0] ?? formatOf(ino),
    }));
  }

  get isEmpty(): boolean {
    for (const entry of this.#entries()) if (isNamed(entry)) return false;
    return true;
  }

  add(name: string, ino: number, format: number): void {
    this.#forgetIndex();
    const free = this.#findFree(sizeOf(name)) ?? this.#grow();
    const { block, at, length, ino: owner, name: neighbour } = free;
    const bytes = this.#volume.store.change(block);
    const used = owner === 0 ? 0 : sizeOf(neighbour);
    if (used > 0) ext2DirectoryEntry.at(bytes, at).length = used;
    this.#write(bytes, at + used, { name, ino, format, length: length - used });
    this.node.touch('mtime', 'ctime');
  }

  remove(name: string): void {
    this.#forgetIndex();
    const { block, at, length, before } = this.#require(name);
    const bytes = this.#volume.store.change(block);
    if (before === undefined) ext2DirectoryEntry.at(bytes, at).inode = 0;
    else ext2DirectoryEntry.at(bytes, before).length += length;
    this.node.touch('mtime', 'ctime');
  }

  /** The name leads elsewhere from now on, at once. */
  replace(name: string, ino: number, format: number): void {
    const { block, at } = this.#require(name);
    const entry = ext2DirectoryEntry.at(this.#volume.store.change(block), at);
    entry.inode = ino;
    entry.fileType = this.#typeOf(format);
    if (name !== '..') this.node.touch('mtime', 'ctime');
  }

  /** The two entries that each begins with. */
  begin(parent: number): void {
    const { blockSize } = this.#volume;
    const bytes = this.#volume.store.make(this.node.map.ensure(0).number);
    const first = sizeOf('.');
    this.#write(bytes, 0, { name: '.', ino: this.node.ino, format: S_IF.DIR, length: first });
    const rest = blockSize - first;
    this.#write(bytes, first, { name: '..', ino: parent, format: S_IF.DIR, length: rest });
    this.node.change().size = blockSize;
  }

  #find(name: string): Entry | undefined {
    for (const entry of this.#entries()) if (entry.ino !== 0 && entry.name === name) return entry;
    return undefined;
  }

  #require(name: string): Entry {
    const entry = this.#find(name);
    if (entry === undefined) throw new XenError('EIO', `ext2: a directory has lost ${name}`);
    return entry;
  }

  #findFree(size: number): Entry | undefined {
    for (const entry of this.#entries())
      if (entry.length - (entry.ino === 0 ? 0 : sizeOf(entry.name)) >= size) return entry;
    return undefined;
  }

  /** One more block, which is one free entry. */
  #grow(): Entry {
    const { blockSize, store } = this.#volume;
    const { size } = this.node;
    const block = this.node.map.ensure(size / blockSize).number;
    ext2DirectoryEntry.at(store.make(block), 0).length = blockSize;
    this.node.change().size = size + blockSize;
    return { ino: 0, name: '', fileType: 0, block, at: 0, length: blockSize, before: undefined };
  }

  #write(
    bytes: Uint8Array,
    at: number,
    { name, ino, format, length }: { name: string; ino: number; format: number; length: number },
  ): void {
    const fields = { inode: ino, length, nameLength: name.length, fileType: this.#typeOf(format) };
    Object.assign(ext2DirectoryEntry.at(bytes, at), fields);
    for (let i = 0; i < name.length; i++) bytes[at + headSize + i] = name.charCodeAt(i);
  }

  #typeOf(format: number): number {
    if (!this.#volume.hasFileTypes) return 0;
    return types.find(([mode]) => mode === format)?.[1] ?? FILE_TYPE.UNKNOWN;
  }

  /** An index by hashes would be wrong from now on; e2fsck makes it anew. */
  #forgetIndex(): void {
    const { flags } = this.node.fields;
    if ((flags & INODE_FLAGS.INDEX) !== 0) this.node.change().flags = flags & ~INODE_FLAGS.INDEX;
  }

  *#entries(): Generator<Entry> {
    const { blockSize } = this.#volume;
    const blocks = Math.floor(this.node.size / blockSize);
    for (let logical = 0; logical < blocks; logical++) {
      const block = this.node.map.find(logical);
      if (block !== 0) yield* this.#entriesOf(block);
    }
  }

  *#entriesOf(block: number): Generator<Entry> {
    const { blockSize, store } = this.#volume;
    let before: number | undefined;
    for (let at = 0; at < blockSize; ) {
      const bytes = store.get(block);
      const { inode, length, nameLength, fileType } = ext2DirectoryEntry.at(bytes, at);
      const isRight =
        length >= headSize + nameLength && length % 4 === 0 && at + length <= blockSize;
      if (!isRight || length === 0)
        throw new XenError('EIO', `ext2: entry ${at} of block ${block}`);
      const name = String.fromCharCode(
        ...bytes.subarray(at + headSize, at + headSize + nameLength),
      );
      yield { ino: inode, name, fileType, block, at, length, before };
      before = at;
      at += length;
    }
  }
}

/** Names that would lead elsewhere are no names. */
const isNamed = ({ ino, name }: Entry): boolean =>
  ino !== 0 && name !== '' && name !== '.' && name !== '..' && !/[/\0]/.test(name);

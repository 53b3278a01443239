/** Open files of an ext2 file system: a file lives on without a name while somebody has it open. */
import type { FileStatus, FileTimes, Flushed, FolderFile } from '../folder/folder.ts';
import type { Node } from './node.ts';

const allPermissions = 0o7777;

export class OpenNodes {
  /** How often each inode is open. */
  readonly #open = new Map<number, { node: Node; count: number; isGone: boolean }>();
  readonly #flush: () => Promise<void>;

  constructor(flush: () => Promise<void>) {
    this.#flush = flush;
  }

  open(node: Node): FolderFile {
    const entry = this.#open.get(node.ino) ?? { node, count: 0, isGone: false };
    entry.count++;
    this.#open.set(node.ino, entry);
    return new OpenNode({
      node,
      flush: this.#flush,
      setPermissions: (permissions) => this.setPermissions(node, permissions),
      closed: () => {
        entry.count--;
        if (entry.count > 0) return;
        this.#open.delete(node.ino);
        if (entry.isGone) node.release();
      },
    });
  }

  setPermissions(node: Node, permissions: number): void {
    const fields = node.change();
    fields.mode = (fields.mode & ~allPermissions) | (permissions & allPermissions);
    node.touch('ctime');
  }

  /** Its last name has gone. */
  gone(node: Node): void {
    const entry = this.#open.get(node.ino);
    if (entry === undefined) node.release();
    else entry.isGone = true;
  }

  closeAll(): void {
    for (const { node, isGone } of this.#open.values()) if (isGone) node.release();
    this.#open.clear();
  }
}

interface OpenNodeParts {
  readonly node: Node;
  readonly flush: () => Promise<void>;
  readonly setPermissions: (permissions: number) => void;
  readonly closed: () => void;
}

class OpenNode implements FolderFile {
  readonly #parts: OpenNodeParts;
  readonly #node: Node;

  constructor(parts: OpenNodeParts) {
    this.#parts = parts;
    this.#node = parts.node;
  }

  read(position: number, into: Uint8Array): number {
    return this.#node.read(position, into);
  }

  write(position: number, bytes: Uint8Array): number {
    return this.#node.write(position, bytes);
  }

  status(): FileStatus {
    return this.#node.status();
  }

  setLength(length: number): void {
    this.#node.setLength(length);
  }

  setPermissions(permissions: number): void {
    this.#parts.setPermissions(permissions);
  }

  setTimes(times: FileTimes): void {
    this.#node.setTimes(times);
  }

  flush(): Flushed {
    return this.#parts.flush();
  }

  close(): void {
    this.#parts.closed();
  }
}

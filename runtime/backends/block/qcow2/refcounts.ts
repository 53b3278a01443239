/**
 * The reference counts of a qcow2 image's clusters, 16 bits each, and which cluster is next. Counts are written at once, ahead of
 * the entries that refer to what they count: what a crash leaves is at the worst counted and not used.
 */
import { UserError, XenError } from '../../../errors.ts';
import type { Qcow2Header } from './header.ts';
import type { ImageFile } from './image-file.ts';

const countBytes = 2;
const entryBytes = 8;

export class Refcounts {
  readonly #file: ImageFile;
  readonly #clusterBytes: number;
  readonly #table: number;
  /** Of the refcount table: where each block of counts is; 0: it has none yet. */
  readonly #blocks: number[];
  /** Blocks that have been read. */
  readonly #read = new Map<number, DataView<ArrayBuffer>>();
  /** Entries of the table that are not in the file yet, by position: a block is there before it is named. */
  #named = new Map<number, number>();
  /** Clusters at the end of the file that nobody has. */
  #next: number;
  readonly #free: number[] = [];

  constructor(file: ImageFile, { refcounts, clusterBits }: Qcow2Header) {
    const { table, clusters, order } = refcounts;
    if (order !== 4)
      throw new UserError(`disk ${file.name}: refcounts of ${2 ** order} bits can only be read`);
    this.#file = file;
    this.#clusterBytes = 2 ** clusterBits;
    this.#table = table;
    const bytes = new Uint8Array(clusters * this.#clusterBytes);
    file.read(table, [bytes]);
    const view = new DataView(bytes.buffer);
    this.#blocks = Array.from({ length: bytes.length / entryBytes }, (_, n) =>
      Number(view.getBigUint64(n * entryBytes)),
    );
    this.#next = Math.ceil(file.size / this.#clusterBytes);
  }

  /** A cluster that is counted once, as its position in the file. What it holds is not said. */
  allocate(): number {
    const cluster = this.#free.pop() ?? this.#next++;
    this.#add(cluster, 1);
    return cluster * this.#clusterBytes;
  }

  /** Nobody refers to that cluster once more; without anybody it may be allocated again. */
  release(position: number): void {
    const cluster = Math.floor(position / this.#clusterBytes);
    if (this.#add(cluster, -1) === 0) this.#free.push(cluster);
  }

  /** Entries of the table that are to be written once the blocks that they name are safe. */
  takeNamed(): ReadonlyMap<number, number> {
    const named = this.#named;
    this.#named = new Map();
    return named;
  }

  #add(cluster: number, by: 1 | -1): number {
    const inBlock = this.#clusterBytes / countBytes;
    const { view, position } = this.#block(Math.floor(cluster / inBlock));
    const at = (cluster % inBlock) * countBytes;
    const count = view.getUint16(at) + by;
    if (count < 0 || count > 0xffff)
      throw new XenError('EIO', `${this.#file.name}: cluster ${cluster} is counted wrongly`);
    view.setUint16(at, count);
    this.#file.write(position + at, [new Uint8Array(view.buffer, at, countBytes)]);
    return count;
  }

  #block(index: number): { readonly view: DataView<ArrayBuffer>; readonly position: number } {
    const position = this.#blocks[index];
    if (position === undefined)
      throw new XenError('ENOSPC', `${this.#file.name}: its refcount table is full`);
    if (position === 0) return this.#newBlock(index);
    const known = this.#read.get(index);
    if (known !== undefined) return { view: known, position };
    if (position % this.#clusterBytes !== 0)
      throw new XenError('EIO', `${this.#file.name}: counts at ${position}, which is no cluster`);
    const bytes = new Uint8Array(this.#clusterBytes);
    this.#file.read(position, [bytes]);
    const view = new DataView(bytes.buffer);
    this.#read.set(index, view);
    return { view, position };
  }

  /** It counts itself, or an earlier block does. */
  #newBlock(index: number): { readonly view: DataView<ArrayBuffer>; readonly position: number } {
    const cluster = this.#next++;
    const position = cluster * this.#clusterBytes;
    const view = new DataView(new ArrayBuffer(this.#clusterBytes));
    this.#blocks[index] = position;
    this.#read.set(index, view);
    this.#file.write(position, [new Uint8Array(view.buffer)]);
    this.#named.set(this.#table + index * entryBytes, position);
    this.#add(cluster, 1);
    return { view, position };
  }
}

/**
 * The reference counts of a qcow2 image's clusters, 16 bits each, and which cluster is next. Counts are written at once, ahead of
 * the entries that refer to what they count: what a crash leaves is at the worst counted and not used.
 */
import { UserError, XenError } from '../../../errors.ts';
import { mostRefcountClusters, type Qcow2Header, refcountsOffset } from './header.ts';
import type { ImageFile } from './image-file.ts';

const countBytes = 2;
const entryBytes = 8;

/** What is to be written together, by position: it must be safe before the next is begun. */
export type Stage = readonly (readonly [position: number, bytes: Uint8Array])[];

export class Refcounts {
  readonly #file: ImageFile;
  readonly #clusterBytes: number;
  /** Where the refcount table is, in clusters one behind the other. */
  #table: { readonly position: number; readonly clusters: number };
  /** Tables that were too small; the file still names the first of them. */
  #outgrown: { readonly position: number; readonly clusters: number }[] = [];
  /** Of these, the ones that nothing in the file names once what was handed out last is safe. */
  #settling: { readonly position: number; readonly clusters: number }[] = [];
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
    this.#table = { position: table, clusters };
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

  /** Entries of the table, to be written once the blocks that they name are safe; or a new table, and then its name. */
  takeStages(): readonly Stage[] {
    const named = [...this.#named].map(([position, block]) => [position, word(block)] as const);
    this.#named = new Map();
    if (this.#outgrown.length === 0) return named.length === 0 ? [] : [named];
    this.#settling.push(...this.#outgrown.splice(0));
    const { position, clusters } = this.#table;
    const table = new Uint8Array(clusters * this.#clusterBytes);
    for (const [n, block] of this.#blocks.entries()) table.set(word(block), n * entryBytes);
    const header = new Uint8Array(12);
    header.set(word(position));
    new DataView(header.buffer).setUint32(8, clusters);
    return [[[position, table]], [[refcountsOffset, header]]];
  }

  /** The stages are safe: nothing names the tables before the one that is there now. */
  settle(): void {
    for (const { position, clusters } of this.#settling.splice(0))
      for (let n = 0; n < clusters; n++) this.release(position + n * this.#clusterBytes);
  }

  #add(cluster: number, by: 1 | -1): number {
    const inBlock = this.#clusterBytes / countBytes;
    const index = Math.floor(cluster / inBlock);
    if (by > 0 && index >= this.#blocks.length) this.#grow(index);
    const { view, position } = this.#block(index);
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
      throw new XenError('EIO', `${this.#file.name}: nothing counts what is there`);
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

  /** At the end of the file, twice as large as it must be. */
  #grow(index: number): void {
    const clusters = Math.ceil((2 * (index + 1) * entryBytes) / this.#clusterBytes);
    if (clusters > mostRefcountClusters)
      throw new XenError('ENOSPC', `${this.#file.name}: its refcount table is full`);
    const first = this.#next;
    this.#next += clusters;
    this.#outgrown.push(this.#table);
    this.#table = { position: first * this.#clusterBytes, clusters };
    const entries = (clusters * this.#clusterBytes) / entryBytes;
    while (this.#blocks.length < entries) this.#blocks.push(0);
    for (let n = 0; n < clusters; n++) this.#add(first + n, 1);
  }

  /** It counts itself, or an earlier block does. */
  #newBlock(index: number): { readonly view: DataView<ArrayBuffer>; readonly position: number } {
    const cluster = this.#next++;
    const position = cluster * this.#clusterBytes;
    const view = new DataView(new ArrayBuffer(this.#clusterBytes));
    this.#blocks[index] = position;
    this.#read.set(index, view);
    this.#file.write(position, [new Uint8Array(view.buffer)]);
    this.#named.set(this.#table.position + index * entryBytes, position);
    this.#add(cluster, 1);
    return { view, position };
  }
}

function word(value: number): Uint8Array {
  const bytes = new Uint8Array(entryBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

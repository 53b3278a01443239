/**
 * Where each cluster of a qcow2 disk is: level-1 and level-2 tables. Changes stay here until `take` hands them out, since an entry
 * may be in the file only when what it names is safe there.
 */
import { XenError } from '../../../errors.ts';
import type { Qcow2Header } from './header.ts';
import type { ImageFile } from './image-file.ts';

const entryBytes = 8;
const copied = 1n << 63n;
const compressed = 1n << 62n;
const zeros = 1n;
const offsetMask = 0x00ff_ffff_ffff_fe00n;

export type Place =
  /** Of the backing file, where there is one; else zeros. */
  | { readonly kind: 'none' }
  /** `position`: a cluster that is kept for it all the same. */
  | { readonly kind: 'zeros'; readonly position: number | undefined }
  | { readonly kind: 'data'; readonly position: number; readonly isOwn: boolean }
  | { readonly kind: 'compressed'; readonly position: number; readonly bytes: number };

/** Entries by their positions in the file; those of level 2 go first. */
export interface Changes {
  readonly l2: ReadonlyMap<number, bigint>;
  readonly l1: ReadonlyMap<number, bigint>;
}

interface Table {
  readonly view: DataView<ArrayBuffer>;
  readonly position: number;
}

export class ClusterMap {
  readonly #file: ImageFile;
  readonly #header: Qcow2Header;
  readonly #inTable: number;
  readonly #l1: DataView<ArrayBuffer>;
  readonly #tables = new Map<number, Table>();
  #l2Changes = new Map<number, bigint>();
  #l1Changes = new Map<number, bigint>();

  constructor(file: ImageFile, header: Qcow2Header) {
    this.#file = file;
    this.#header = header;
    this.#inTable = 2 ** header.clusterBits / entryBytes;
    const bytes = new Uint8Array(header.l1.entries * entryBytes);
    file.read(header.l1.offset, [bytes]);
    this.#l1 = new DataView(bytes.buffer);
  }

  find(cluster: number): Place {
    const table = this.#table(Math.floor(cluster / this.#inTable));
    if (table === undefined) return { kind: 'none' };
    return this.#place(table.view.getBigUint64((cluster % this.#inTable) * entryBytes), cluster);
  }

  #place(entry: bigint, cluster: number): Place {
    if ((entry & compressed) !== 0n) return this.#compressed(entry);
    const position = this.#cluster(entry & offsetMask, `cluster ${cluster}`);
    if (this.#header.version === 3 && (entry & zeros) !== 0n)
      return { kind: 'zeros', position: position === 0 ? undefined : position };
    if (position === 0) return { kind: 'none' };
    return { kind: 'data', position, isOwn: (entry & copied) !== 0n };
  }

  /** How many sectors it takes beyond its first stands above the offset. */
  #compressed(entry: bigint): Place {
    const offsetBits = BigInt(62 - (this.#header.clusterBits - 8));
    const position = Number(entry & ((1n << offsetBits) - 1n));
    const sectors = Number((entry & (compressed - 1n)) >> offsetBits) + 1;
    return { kind: 'compressed', position, bytes: sectors * 512 - (position % 512) };
  }

  #cluster(offset: bigint, what: string): number {
    if (offset % BigInt(2 ** this.#header.clusterBits) !== 0n)
      throw new XenError('EIO', `${this.#file.name}: ${what} is at 0x${offset.toString(16)}`);
    return Number(offset);
  }

  #table(index: number): Table | undefined {
    const known = this.#tables.get(index);
    if (known !== undefined) return known;
    const entry = this.#l1.getBigUint64(index * entryBytes);
    const position = this.#cluster(entry & offsetMask, `table ${index} of level 2`);
    if (position === 0) return undefined;
    const bytes = new Uint8Array(2 ** this.#header.clusterBits);
    this.#file.read(position, [bytes]);
    const table = { view: new DataView(bytes.buffer), position };
    this.#tables.set(index, table);
    return table;
  }

  /** `allocate` gives a cluster for a table that is not there yet. */
  set(cluster: number, place: 'zeros' | 'none' | number, allocate: () => number): void {
    const index = Math.floor(cluster / this.#inTable);
    const table = this.#table(index) ?? this.#newTable(index, allocate());
    const at = (cluster % this.#inTable) * entryBytes;
    const entry = place === 'none' ? 0n : place === 'zeros' ? zeros : BigInt(place) | copied;
    table.view.setBigUint64(at, entry);
    this.#l2Changes.set(table.position + at, entry);
  }

  #newTable(index: number, position: number): Table {
    const table = { view: new DataView(new ArrayBuffer(2 ** this.#header.clusterBits)), position };
    this.#file.write(position, [new Uint8Array(table.view.buffer)]);
    this.#tables.set(index, table);
    const entry = BigInt(position) | copied;
    this.#l1.setBigUint64(index * entryBytes, entry);
    this.#l1Changes.set(this.#header.l1.offset + index * entryBytes, entry);
    return table;
  }

  /** What has changed since it was asked last. */
  take(): Changes {
    const changes = { l2: this.#l2Changes, l1: this.#l1Changes };
    this.#l2Changes = new Map();
    this.#l1Changes = new Map();
    return changes;
  }
}

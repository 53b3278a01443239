/**
 * A disk in a qcow2 image, over its backing disk. A write goes to a cluster of its own, counted and filled at once; the tables name it
 * at the next flush, when it is safe. So whatever a crash takes, what was flushed is there, and so is what lies beside it.
 */
import { XenError } from '../../../errors.ts';
import {
  checkDiscard,
  checkRead,
  checkWrite,
  type Disk,
  type Done,
  sectorSize,
  slices,
} from '../disk.ts';
import { ClusterMap, type Place } from './cluster-map.ts';
import { autoclearOffset, type Qcow2Header } from './header.ts';
import type { ImageFile, Inflate } from './image-file.ts';
import { Refcounts } from './refcounts.ts';

export interface Qcow2Parts {
  readonly file: ImageFile;
  readonly header: Qcow2Header;
  /** Closed with the disk. It answers at once. */
  readonly backing?: Disk | undefined;
  readonly isReadOnly: boolean;
  readonly inflate: Inflate;
}

/** Unpacked clusters that are kept. */
const mostUnpacked = 16;

export class Qcow2Disk implements Disk {
  readonly sectors: number;
  readonly isReadOnly: boolean;
  readonly isImmediate = true;
  readonly discardGranularity: number;
  readonly #parts: Qcow2Parts;
  readonly #clusterBytes: number;
  readonly #map: ClusterMap;
  readonly #refcounts: Refcounts | undefined;
  /** Clusters that no entry in here names any more, though those in the file may. */
  #given: Place[] = [];
  readonly #unpacked = new Map<number, Uint8Array>();
  #last: Promise<void> = Promise.resolve();
  #failure: XenError | undefined;

  constructor(parts: Qcow2Parts) {
    const { file, header, isReadOnly } = parts;
    this.#parts = parts;
    this.isReadOnly = isReadOnly;
    this.sectors = header.size / sectorSize;
    this.#clusterBytes = 2 ** header.clusterBits;
    this.#map = new ClusterMap(file, header);
    this.discardGranularity = isReadOnly ? 0 : this.#clusterBytes;
    if (isReadOnly) return;
    this.#refcounts = new Refcounts(file, header);
    if (header.autoclear !== 0n) file.write(autoclearOffset, [new Uint8Array(8)]);
  }

  read(sector: number, buffers: readonly Uint8Array[]): Done {
    const bytes = checkRead(this, sector, buffers);
    this.#each(sector * sectorSize, bytes, (cluster, offset, length, done) => {
      this.#readPart(cluster, offset, slices(buffers, done, length));
    });
    return undefined;
  }

  write(sector: number, buffers: readonly Uint8Array[]): Done {
    const bytes = checkWrite(this, sector, buffers);
    this.#each(sector * sectorSize, bytes, (cluster, offset, length, done) => {
      this.#writePart(cluster, offset, length, slices(buffers, done, length));
    });
    return undefined;
  }

  /** Whole clusters; the others keep what they hold. */
  discard(sector: number, count: number): Done {
    checkDiscard(this, sector, count);
    const { header, backing } = this.#parts;
    const first = Math.ceil((sector * sectorSize) / this.#clusterBytes);
    const end = Math.floor(((sector + count) * sectorSize) / this.#clusterBytes);
    // Version 2 cannot say that a cluster is not the backing file's.
    if (backing !== undefined && header.version === 2) return undefined;
    for (let cluster = first; cluster < end; cluster++) {
      const place = this.#map.find(cluster);
      if (place.kind === 'none' && backing === undefined) continue;
      if (place.kind === 'zeros' && place.position === undefined) continue;
      this.#map.set(cluster, backing === undefined ? 'none' : 'zeros', () => this.#allocate());
      this.#given.push(place);
    }
    return undefined;
  }

  flush(): Done {
    if (this.isReadOnly) return undefined;
    const done = this.#last.then(() => this.#commitOrFail());
    this.#last = done.catch(() => {});
    return done;
  }

  async close(): Promise<void> {
    const { file, backing } = this.#parts;
    try {
      await this.flush();
    } finally {
      await file.close();
      await backing?.close();
    }
  }

  /** After a failure nobody knows what of the tables is in the file: no flush is one any more. */
  async #commitOrFail(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#commit();
    } catch (error) {
      if (error instanceof XenError) this.#failure = error;
      throw error;
    }
  }

  /** Data and counts, then the entries that name them, level by level; then what was given up is free. */
  async #commit(): Promise<void> {
    const { file } = this.#parts;
    const { l2, l1 } = this.#map.take();
    const stages = this.#refcounts?.takeStages() ?? [];
    const given = this.#given;
    this.#given = [];
    await file.flush();
    if (l2.size + l1.size + stages.length === 0) return;
    for (const stage of stages) {
      for (const [position, bytes] of stage) file.write(position, [bytes]);
      await file.flush();
    }
    for (const [position, entry] of l2) writeEntry(file, position, entry);
    if (l2.size > 0) await file.flush();
    for (const [position, entry] of l1) writeEntry(file, position, entry);
    if (l1.size > 0) await file.flush();
    for (const place of given) this.#release(place);
    this.#refcounts?.settle();
  }

  #each(
    position: number,
    bytes: number,
    call: (cluster: number, offset: number, length: number, done: number) => void,
  ): void {
    for (let done = 0; done < bytes; ) {
      const cluster = Math.floor((position + done) / this.#clusterBytes);
      const offset = (position + done) % this.#clusterBytes;
      const length = Math.min(bytes - done, this.#clusterBytes - offset);
      call(cluster, offset, length, done);
      done += length;
    }
  }

  #readPart(cluster: number, offset: number, buffers: readonly Uint8Array[]): void {
    const place = this.#map.find(cluster);
    if (place.kind === 'data') this.#parts.file.read(place.position + offset, buffers);
    else if (place.kind === 'none') this.#readBacking(cluster, offset, buffers);
    else if (place.kind === 'zeros') for (const buffer of buffers) buffer.fill(0);
    else fillFrom(this.#unpack(place), offset, buffers);
  }

  /** It may be smaller than this disk; what is beyond its end is zeros. */
  #readBacking(cluster: number, offset: number, buffers: readonly Uint8Array[]): void {
    const { backing } = this.#parts;
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
    const first = (cluster * this.#clusterBytes + offset) / sectorSize;
    const sectors = Math.min(length / sectorSize, Math.max((backing?.sectors ?? 0) - first, 0));
    const there = sectors * sectorSize;
    if (backing !== undefined && there > 0) void backing.read(first, slices(buffers, 0, there));
    for (const buffer of slices(buffers, there, length - there)) buffer.fill(0);
  }

  #unpack({ position, bytes }: Extract<Place, { kind: 'compressed' }>): Uint8Array {
    const { file, inflate } = this.#parts;
    const known = this.#unpacked.get(position);
    if (known !== undefined) return known;
    const packed = new Uint8Array(Math.min(bytes, 2 * this.#clusterBytes));
    file.read(position, [packed]);
    const unpacked = inflate(packed, this.#clusterBytes);
    if (unpacked.length !== this.#clusterBytes)
      throw new XenError('EIO', `${file.name}: the cluster at ${position} cannot be unpacked`);
    if (this.#unpacked.size === mostUnpacked) this.#unpacked.clear();
    this.#unpacked.set(position, unpacked);
    return unpacked;
  }

  #writePart(
    cluster: number,
    offset: number,
    length: number,
    buffers: readonly Uint8Array[],
  ): void {
    const { file } = this.#parts;
    const place = this.#map.find(cluster);
    if (place.kind === 'data' && place.isOwn) {
      file.write(place.position + offset, buffers);
      return;
    }
    const before = new Uint8Array(offset);
    const after = new Uint8Array(this.#clusterBytes - offset - length);
    this.#readPart(cluster, 0, [before]);
    this.#readPart(cluster, offset + length, [after]);
    const position = this.#allocate();
    file.write(position, [before, ...buffers, after]);
    this.#map.set(cluster, position, () => this.#allocate());
    this.#given.push(place);
  }

  #allocate(): number {
    if (this.#refcounts === undefined) throw new XenError('EROFS', 'the disk is read-only');
    return this.#refcounts.allocate();
  }

  /** A compressed cluster may lie in several clusters of the file, with others. */
  #release(place: Place): void {
    if (place.kind === 'none' || place.position === undefined) return;
    const bytes = place.kind === 'compressed' ? place.bytes : 1;
    if (place.kind === 'compressed') this.#unpacked.delete(place.position);
    const first = Math.floor(place.position / this.#clusterBytes);
    const last = Math.floor((place.position + bytes - 1) / this.#clusterBytes);
    for (let cluster = first; cluster <= last; cluster++)
      this.#refcounts?.release(cluster * this.#clusterBytes);
  }
}

function fillFrom(bytes: Uint8Array, offset: number, buffers: readonly Uint8Array[]): void {
  let at = offset;
  for (const buffer of buffers) {
    buffer.set(bytes.subarray(at, at + buffer.length));
    at += buffer.length;
  }
}

function writeEntry(file: ImageFile, position: number, entry: bigint): void {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, entry);
  file.write(position, [bytes]);
}

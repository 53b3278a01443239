/** A disk whose writes stay in memory, over another that is only read: by clusters, as many as were written to. */
import {
  checkDiscard,
  checkRead,
  checkWrite,
  type Disk,
  type Done,
  sectorSize,
  slices,
} from './disk.ts';

/** Sectors that a cluster's mask has bits for. */
const clusterSectors = 32;
const clusterBytes = clusterSectors * sectorSize;

interface Cluster {
  /** Undefined: all zeros. */
  bytes: Uint8Array | undefined;
  /** Bit n: sector n is here, not below. */
  own: number;
}

const whole = -1;

export class CopyOnWriteDisk implements Disk {
  readonly isReadOnly = false;
  readonly isImmediate: boolean;
  readonly discardGranularity = clusterBytes;
  readonly #below: Disk;
  readonly #clusters = new Map<number, Cluster>();

  /** Closes what is below with itself. */
  constructor(below: Disk) {
    this.#below = below;
    this.isImmediate = below.isImmediate;
  }

  get sectors(): number {
    return this.#below.sectors;
  }

  read(sector: number, buffers: readonly Uint8Array[]): Done {
    const count = checkRead(this, sector, buffers) / sectorSize;
    const pending: Promise<void>[] = [];
    for (let at = sector; at < sector + count; ) {
      const length = this.#alike(at, sector + count);
      const pieces = slices(buffers, (at - sector) * sectorSize, length * sectorSize);
      if (this.#isOwn(at)) this.#readOwn(at, pieces);
      else {
        const done = this.#below.read(at, pieces);
        if (done !== undefined) pending.push(done);
      }
      at += length;
    }
    return pending.length === 0 ? undefined : allSettled(pending);
  }

  write(sector: number, buffers: readonly Uint8Array[]): Done {
    checkWrite(this, sector, buffers);
    let at = sector * sectorSize;
    for (const buffer of buffers)
      for (let from = 0; from < buffer.length; ) {
        const room = clusterBytes - (at % clusterBytes);
        const piece = buffer.subarray(from, from + room);
        this.#writePiece(at, piece);
        from += piece.length;
        at += piece.length;
      }
    return undefined;
  }

  /** What is written here is gone with the process, flushed or not: that is what it is for. */
  flush(): Done {
    return undefined;
  }

  /** Clusters that were written to are zeros from then on. Others stay: a guest must not make us keep what it never wrote. */
  discard(sector: number, count: number): Done {
    checkDiscard(this, sector, count);
    const first = Math.ceil(sector / clusterSectors);
    const end = Math.floor((sector + count) / clusterSectors);
    for (const [n, cluster] of this.#clusters)
      if (n >= first && n < end) {
        cluster.bytes = undefined;
        cluster.own = whole;
      }
    return undefined;
  }

  async close(): Promise<void> {
    this.#clusters.clear();
    await this.#below.close();
  }

  #isOwn(sector: number): boolean {
    const own = this.#clusters.get(Math.floor(sector / clusterSectors))?.own ?? 0;
    return ((own >>> (sector % clusterSectors)) & 1) !== 0;
  }

  /** How many sectors from `at` on, before `end`, are found in the same place: of this disk's own, one cluster. */
  #alike(at: number, end: number): number {
    const isOwn = this.#isOwn(at);
    const last = isOwn
      ? Math.min(end, (Math.floor(at / clusterSectors) + 1) * clusterSectors)
      : end;
    let next = at + 1;
    while (next < last && this.#isOwn(next) === isOwn) next++;
    return next - at;
  }

  #readOwn(sector: number, pieces: readonly Uint8Array[]): void {
    const bytes = this.#clusters.get(Math.floor(sector / clusterSectors))?.bytes;
    let at = (sector % clusterSectors) * sectorSize;
    for (const piece of pieces) {
      if (bytes === undefined) piece.fill(0);
      else piece.set(bytes.subarray(at, at + piece.length));
      at += piece.length;
    }
  }

  /** A piece within one cluster. A buffer may end inside of a sector: the next one goes on there. */
  #writePiece(at: number, piece: Uint8Array): void {
    const n = Math.floor(at / clusterBytes);
    const cluster = this.#clusters.get(n) ?? { bytes: undefined, own: 0 };
    this.#clusters.set(n, cluster);
    cluster.bytes ??= new Uint8Array(clusterBytes);
    const from = at % clusterBytes;
    cluster.bytes.set(piece, from);
    const last = Math.ceil((from + piece.length) / sectorSize);
    for (let sector = Math.floor(from / sectorSize); sector < last; sector++)
      cluster.own |= 1 << sector;
  }
}

/** Waits for all, so that no buffer is still in use when the first failure is told. */
async function allSettled(pending: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(pending);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** A disk as back-ends find it: sectors of 512 bytes, read and written in place. Hosts and tests implement it. */
import { XenError } from '../../errors.ts';

export const sectorSize = 512;

/** Undefined where it was done before the call returned: an awaited read costs ten times a synchronous one. */
export type Done = Promise<void> | undefined;

/** What goes wrong is a XenError: EINVAL beyond the end, EROFS, EOPNOTSUPP, or the host's own errno. */
export interface Disk {
  readonly sectors: number;
  readonly isReadOnly: boolean;
  /** Reads and writes are done when they return; else the buffers stay the disk's until the promise is settled. */
  readonly isImmediate: boolean;
  /** Bytes that must be discarded together for anything to be given back; 0 where discarding does nothing. */
  readonly discardGranularity: number;
  /** Fills the buffers, one behind the other. Together they are whole sectors; each alone need not be. */
  read(sector: number, buffers: readonly Uint8Array[]): Done;
  write(sector: number, buffers: readonly Uint8Array[]): Done;
  /** When it is done, all that was written before it was called outlives a crash of the host. */
  flush(): Done;
  /** Nobody needs what these sectors hold; what they hold afterwards is not said. */
  discard(sector: number, count: number): Done;
  close(): Promise<void>;
}

/** What a disk's implementations ask before anything else: the number of bytes. */
export function checkRead(disk: Disk, sector: number, buffers: readonly Uint8Array[]): number {
  const bytes = buffers.reduce((sum, { length }) => sum + length, 0);
  if (bytes % sectorSize !== 0)
    throw new XenError('EINVAL', `${bytes} bytes are no whole number of sectors`);
  checkExtent(disk, sector, bytes / sectorSize);
  return bytes;
}

export function checkWrite(disk: Disk, sector: number, buffers: readonly Uint8Array[]): number {
  checkWritable(disk);
  return checkRead(disk, sector, buffers);
}

export function checkDiscard(disk: Disk, sector: number, count: number): void {
  checkWritable(disk);
  if (disk.discardGranularity === 0)
    throw new XenError('EOPNOTSUPP', 'the disk knows no discarding');
  checkExtent(disk, sector, count);
}

function checkWritable(disk: Disk): void {
  if (disk.isReadOnly) throw new XenError('EROFS', 'the disk is read-only');
}

function checkExtent({ sectors }: Disk, sector: number, count: number): void {
  if (!isCount(sector) || !isCount(count) || sector > sectors || count > sectors - sector)
    throw new XenError('EINVAL', `sectors ${sector} + ${count} lie beyond the end, ${sectors}`);
}

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 0;

/** The parts of buffers, laid end to end, that cover `length` bytes from `start` on. */
export function slices(
  buffers: readonly Uint8Array[],
  start: number,
  length: number,
): Uint8Array[] {
  const found: Uint8Array[] = [];
  let at = 0;
  for (const buffer of buffers) {
    const from = Math.max(start - at, 0);
    const to = Math.min(start + length - at, buffer.length);
    if (from < to) found.push(buffer.subarray(from, to));
    at += buffer.length;
  }
  return found;
}

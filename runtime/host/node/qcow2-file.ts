/** qcow2 images in files, with the files that they stand on: each locked, none twice in a chain. */
import { closeSync, fdatasync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { CopyOnWriteDisk } from '../../backends/block/copy-on-write-disk.ts';
import type { Disk } from '../../backends/block/disk.ts';
import {
  headerReach,
  isQcow2,
  parseHeader,
  type Qcow2Header,
} from '../../backends/block/qcow2/header.ts';
import type { ImageFile, Inflate } from '../../backends/block/qcow2/image-file.ts';
import { Qcow2Disk } from '../../backends/block/qcow2/qcow2-disk.ts';
import { UserError, XenError } from '../../errors.ts';
import { type DiskMode, openDisk } from './file-disk.ts';
import { lockOrRefuse, openFile, regularFile } from './open-file.ts';
import { failed, transferAt } from './positioned-io.ts';

/** Files above one, by device and inode. */
type Chain = ReadonlySet<string>;
const mostFiles = 64;

export async function openQcow2(path: string, mode: DiskMode): Promise<Disk> {
  const disk = await open(path, mode !== 'rw', new Set());
  return mode === 'cow' ? new CopyOnWriteDisk(disk) : disk;
}

async function open(path: string, isReadOnly: boolean, above: Chain): Promise<Disk> {
  const fd = openFile(path, isReadOnly ? 'r' : 'r+');
  let backing: Disk | undefined;
  try {
    const { dev, ino, size } = regularFile(path, fd);
    const chain = new Set([...above, `${dev}:${ino}`]);
    if (chain.size === above.size)
      throw new UserError(`disk ${path}: its backing files lead back to it`);
    if (chain.size > mostFiles)
      throw new UserError(`disk ${path}: it is the ${chain.size}th of a chain of backing files`);
    await lockOrRefuse(path, fd, isReadOnly ? 'shared' : 'exclusive');
    const header = parseHeader(firstBytes(fd), path);
    if (!isReadOnly) checkWritable(path, header);
    if (header.backing !== undefined) backing = await openBacking(path, header.backing, chain);
    const file = new NodeImageFile(path, fd, size);
    return new Qcow2Disk({ file, header, backing, isReadOnly, inflate });
  } catch (error) {
    closeSync(fd);
    await backing?.close();
    throw error;
  }
}

/** Who writes must keep all of it up. */
function checkWritable(path: string, { isDirty, isCorrupt, snapshots }: Qcow2Header): void {
  const way = 'open it read-only (:ro) or copy-on-write (:cow)';
  if (isCorrupt)
    throw new UserError(
      `disk ${path}: it is marked as corrupt; repair it (qemu-img check -r all) or ${way}`,
    );
  if (isDirty)
    throw new UserError(
      `disk ${path}: it was not closed; repair it (qemu-img check -r all) or ${way}`,
    );
  if (snapshots > 0)
    throw new UserError(
      `disk ${path}: it has snapshots inside, which cannot be written beside yet; ${way}`,
    );
}

/** Its format must be said: a raw file may hold whatever a guest has written there. */
async function openBacking(
  path: string,
  { name, format }: NonNullable<Qcow2Header['backing']>,
  chain: Chain,
): Promise<Disk> {
  const plain = name.startsWith('file:') ? name.slice('file:'.length) : name;
  if (/^[a-z][a-z0-9+-]*:/i.test(plain))
    throw new UserError(`disk ${path}: its backing file is ${name}; only files are supported`);
  const place = resolve(dirname(path), plain);
  if (format === 'qcow2') return await open(place, true, chain);
  if (format !== undefined && format !== 'raw')
    throw new UserError(
      `disk ${path}: its backing file is of format ${format}; only raw and qcow2 are supported`,
    );
  if (format === undefined && looksLikeQcow2(place))
    throw new UserError(
      `disk ${path}: it does not say whether its backing file is raw or qcow2; qemu-img rebase -u -F qcow2 -b ${name} does`,
    );
  return await openDisk(place, 'ro');
}

function looksLikeQcow2(path: string): boolean {
  const fd = openFile(path, 'r');
  try {
    return isQcow2(firstBytes(fd));
  } finally {
    closeSync(fd);
  }
}

function firstBytes(fd: number): Uint8Array {
  const bytes = new Uint8Array(headerReach);
  return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
}

const inflate: Inflate = (packed, bytes) => {
  try {
    return inflateRawSync(packed, { maxOutputLength: bytes });
  } catch (cause) {
    throw new XenError('EIO', 'a compressed cluster cannot be unpacked', { cause });
  }
};

class NodeImageFile implements ImageFile {
  readonly name: string;
  readonly size: number;
  #fd: number | undefined;

  constructor(name: string, fd: number, size: number) {
    this.name = name;
    this.#fd = fd;
    this.size = size;
  }

  read(position: number, buffers: readonly Uint8Array[]): void {
    let missing = transferAt(this.#open(), 'read', position, buffers);
    for (const buffer of buffers) {
      if (missing < buffer.length) buffer.fill(0, Math.max(missing, 0));
      missing -= buffer.length;
    }
  }

  write(position: number, buffers: readonly Uint8Array[]): void {
    transferAt(this.#open(), 'written', position, buffers);
  }

  async flush(): Promise<void> {
    const { fd } = this.#open();
    const error = await new Promise<unknown>((done) => fdatasync(fd, done));
    if (error) throw failed(this.name, 'flushed', error);
  }

  async close(): Promise<void> {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }

  #open(): { readonly fd: number; readonly path: string } {
    if (this.#fd === undefined) throw new XenError('EBADF', `${this.name}: the disk is closed`);
    return { fd: this.#fd, path: this.name };
  }
}

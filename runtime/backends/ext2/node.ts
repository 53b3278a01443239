/** An inode: what stat tells of it, and the bytes of it. */
import { XenError } from '../../errors.ts';
import { type FileStatus, type FileTimes, S_IF } from '../folder/folder.ts';
import type { Allocation } from './allocation.ts';
import { BlockMap } from './block-map.ts';
import { ext2AttributeHeader, READ_ONLY } from './structures.ts';
import type { InodeFields, Volume } from './volume.ts';

export interface NodeParts {
  readonly volume: Volume;
  readonly allocation: Allocation;
  readonly now: () => bigint;
}

const nanoseconds = 1_000_000_000n;
/** From this size on a file system says that it has such files. */
const largeFile = 2 ** 31;

type Time = 'atime' | 'mtime' | 'ctime';

export class Node {
  readonly ino: number;
  readonly map: BlockMap;
  readonly #volume: Volume;
  readonly #allocation: Allocation;
  readonly #now: () => bigint;

  constructor({ volume, allocation, now }: NodeParts, ino: number) {
    this.ino = ino;
    this.map = new BlockMap(volume, allocation, ino);
    this.#volume = volume;
    this.#allocation = allocation;
    this.#now = now;
  }

  get fields(): InodeFields {
    return this.#volume.inode(this.ino);
  }

  get format(): number {
    return this.fields.mode & S_IF.MT;
  }

  get size(): number {
    const { size, sizeHigh } = this.fields;
    return this.format === S_IF.REG ? size + sizeHigh * 2 ** 32 : size;
  }

  change(): InodeFields {
    this.#volume.markChanged();
    return this.#volume.changeInode(this.ino);
  }

  status(): FileStatus {
    const { mode, links, blocks, block } = this.fields;
    const isDevice = this.format === S_IF.CHR || this.format === S_IF.BLK;
    const times = { atime: this.#time('atime'), mtime: this.#time('mtime') };
    return {
      ...{
        mode,
        size: BigInt(this.size),
        ino: BigInt(this.ino),
        nlink: links,
        blocks: BigInt(blocks),
      },
      ...{ ...times, ctime: this.#time('ctime'), rdev: isDevice ? (block[0] ?? 0) : 0 },
    };
  }

  read(position: number, into: Uint8Array): number {
    const length = Math.max(0, Math.min(into.length, this.size - position));
    const { blockSize, store } = this.#volume;
    for (let done = 0; done < length; ) {
      const offset = (position + done) % blockSize;
      const first = Math.floor((position + done) / blockSize);
      const number = this.map.find(first);
      const count = this.#run(first, number, length - done + offset);
      const part = into.subarray(done, Math.min(done + count * blockSize - offset, length));
      if (number === 0) part.fill(0);
      else store.readData(number, offset, part);
      done += part.length;
    }
    return length;
  }

  write(position: number, bytes: Uint8Array): number {
    this.#fillBehindEnd(position);
    const { blockSize } = this.#volume;
    let done = 0;
    try {
      while (done < bytes.length) {
        const offset = (position + done) % blockSize;
        const logical = Math.floor((position + done) / blockSize);
        done += this.#writeRun(logical, offset, bytes.subarray(done));
      }
    } catch (error) {
      if (done === 0 || !(error instanceof XenError)) throw error;
    }
    if (position + done > this.size) this.#setSize(position + done);
    this.touch('mtime', 'ctime');
    return done;
  }

  setLength(length: number): void {
    this.change();
    this.#fillBehindEnd(length);
    const { blockSize } = this.#volume;
    if (length > 0) this.map.find(Math.floor((length - 1) / blockSize)); // EFBIG
    if (length < this.size) {
      this.map.cut(Math.ceil(length / blockSize));
      this.#zeroTail(length);
    }
    this.#setSize(length);
    this.touch('mtime', 'ctime');
  }

  touch(...times: readonly Time[]): void {
    const now = this.#now();
    for (const time of times) this.#setTime(time, now);
  }

  setTimes({ atime, mtime }: FileTimes): void {
    if (atime !== undefined) this.#setTime('atime', atime);
    if (mtime !== undefined) this.#setTime('mtime', mtime);
    this.touch('ctime');
  }

  /** Nobody can reach it any more. */
  release(): void {
    const fields = this.change();
    if (this.format === S_IF.DIR) this.#allocation.countDirectory(this.ino, -1);
    if (this.hasBlocks) this.map.cut(0);
    this.#releaseAttributes(fields.fileAcl);
    fields.fileAcl = 0;
    fields.size = 0;
    fields.links = 0;
    fields.dtime = Number(this.#now() / nanoseconds);
    this.#allocation.returnInode(this.ino);
  }

  /** Devices and short links have other things where the numbers of blocks are. */
  get hasBlocks(): boolean {
    const { format } = this;
    const { fileAcl, blocks } = this.fields;
    const own = blocks - (fileAcl === 0 ? 0 : this.#volume.blockSize / 512);
    return format === S_IF.REG || format === S_IF.DIR || (format === S_IF.LNK && own > 0);
  }

  #releaseAttributes(block: number): void {
    if (block === 0) return;
    this.#volume.checkBlock(block);
    const header = ext2AttributeHeader.at(this.#volume.store.change(block), 0);
    header.references--;
    this.#volume.changeInode(this.ino).blocks -= this.#volume.blockSize / 512;
    if (header.references > 0) return;
    this.#volume.store.forget(block);
    this.#allocation.returnBlock(block);
  }

  /** How many blocks follow each other on the disk, or are holes, of those that `bytes` reach. */
  #run(first: number, number: number, bytes: number): number {
    const most = Math.ceil(bytes / this.#volume.blockSize);
    let count = 1;
    while (count < most && this.map.find(first + count) === (number === 0 ? 0 : number + count))
      count++;
    return count;
  }

  #writeRun(logical: number, offset: number, bytes: Uint8Array): number {
    const { blockSize, store } = this.#volume;
    const first = this.map.ensure(logical);
    // A block of which a part is written: what was there before is nobody's business.
    if (first.isNew && (offset > 0 || bytes.length < blockSize))
      store.writeData(first.number, 0, new Uint8Array(blockSize));
    let count = 1;
    const whole = Math.floor((bytes.length + offset) / blockSize);
    for (; count < whole; count++) {
      const next = this.#ensureBehind(logical + count, first.number + count);
      if (!next) break;
    }
    const part = bytes.subarray(0, count * blockSize - offset);
    store.writeData(first.number, offset, part);
    return part.length;
  }

  /** Whether the block is, or has become, the one behind. */
  #ensureBehind(logical: number, number: number): boolean {
    const found = this.map.find(logical);
    if (found !== 0) return found === number;
    try {
      return this.map.ensure(logical).number === number;
    } catch (error) {
      // The disk is full: who writes on hears it.
      if (error instanceof XenError && error.errno === 'ENOSPC') return false;
      throw error;
    }
  }

  /** What lies between the old end and a new one reads as zeros. */
  #fillBehindEnd(position: number): void {
    if (position > this.size) this.#zeroTail(this.size);
  }

  #zeroTail(from: number): void {
    const { blockSize, store } = this.#volume;
    const offset = from % blockSize;
    const number = offset === 0 ? 0 : this.map.find(Math.floor(from / blockSize));
    if (number !== 0) store.writeData(number, offset, new Uint8Array(blockSize - offset));
  }

  #setSize(size: number): void {
    const fields = this.change();
    fields.size = size % 2 ** 32;
    if (this.format === S_IF.REG) fields.sizeHigh = Math.floor(size / 2 ** 32);
    const { readOnlyCompatible } = this.#volume.superblock;
    if (size >= largeFile && (readOnlyCompatible & READ_ONLY.LARGE_FILE) === 0)
      this.#volume.changeSuperblock().readOnlyCompatible |= READ_ONLY.LARGE_FILE;
  }

  #time(name: Time): bigint {
    const seconds = BigInt(this.fields[name] | 0);
    const extra = this.#volume.inodeExtra(this.ino)?.[`${name}Extra`] ?? 0;
    return (seconds + (BigInt(extra & 3) << 32n)) * nanoseconds + BigInt(extra >>> 2);
  }

  #setTime(name: Time, time: bigint): void {
    const fields = this.change();
    const rest = ((time % nanoseconds) + nanoseconds) % nanoseconds;
    const seconds = (time - rest) / nanoseconds;
    fields[name] = Number(BigInt.asUintN(32, seconds));
    const extra = this.#volume.inodeExtra(this.ino);
    const epoch = ((seconds - BigInt.asIntN(32, seconds)) >> 32n) & 3n;
    if (extra !== undefined) extra[`${name}Extra`] = Number((rest << 2n) | epoch);
  }
}

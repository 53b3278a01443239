/** Which blocks an inode's bytes lie in: twelve of its own, then blocks of numbers, one, two and three deep. */
import { XenError } from '../../errors.ts';
import type { Allocation } from './allocation.ts';
import { directBlocks, ext2Inode } from './structures.ts';
import type { Volume } from './volume.ts';

/** Where a block's number is written: in the inode, or in a block of numbers. */
interface Slot {
  readonly block: number | undefined;
  readonly index: number;
}

const depths = [1, 2, 3] as const;

export class BlockMap {
  readonly #volume: Volume;
  readonly #allocation: Allocation;
  readonly #inode: number;
  readonly #perBlock: number;

  constructor(volume: Volume, allocation: Allocation, inode: number) {
    this.#volume = volume;
    this.#allocation = allocation;
    this.#inode = inode;
    this.#perBlock = volume.blockSize / 4;
  }

  /** 0: a hole, which reads as zeros. */
  find(logical: number): number {
    const [first, ...rest] = this.#path(logical);
    let number = this.#read({ block: undefined, index: first });
    for (const index of rest) {
      if (number === 0) return 0;
      number = this.#read({ block: number, index });
    }
    return number;
  }

  /** A block that was there, or is made; what a new one holds, its owner writes. */
  ensure(logical: number): { readonly number: number; readonly isNew: boolean } {
    const path = this.#path(logical);
    let slot: Slot = { block: undefined, index: path[0] };
    for (const index of path.slice(1)) slot = { block: this.#table(slot, logical), index };
    const found = this.#read(slot);
    if (found !== 0) return { number: found, isNew: false };
    const number = this.#take(logical);
    this.#write(slot, number);
    return { number, isNew: true };
  }

  /** Gives back all blocks from one on. */
  cut(from: number): void {
    for (let index = from; index < directBlocks; index++) {
      const slot = { block: undefined, index };
      const number = this.#read(slot);
      if (number === 0) continue;
      this.#write(slot, 0);
      this.#give(number);
    }
    let first = directBlocks;
    for (const depth of depths) {
      const slot = { block: undefined, index: directBlocks + depth - 1 };
      const number = this.#read(slot);
      if (number !== 0 && this.#cutTable(number, depth, Math.max(0, from - first))) {
        this.#write(slot, 0);
        this.#give(number);
      }
      first += this.#perBlock ** depth;
    }
  }

  /** Of a table that covers `from` on what is to go; whether nothing is left in it. */
  #cutTable(table: number, depth: number, from: number): boolean {
    const each = this.#perBlock ** (depth - 1);
    for (let index = Math.floor(from / each); index < this.#perBlock; index++) {
      const slot = { block: table, index };
      const number = this.#read(slot);
      if (number === 0) continue;
      const isEmpty =
        depth === 1 || this.#cutTable(number, depth - 1, Math.max(0, from - index * each));
      if (!isEmpty) continue;
      this.#write(slot, 0);
      this.#give(number);
    }
    return from === 0;
  }

  #path(logical: number): [first: number, ...rest: number[]] {
    if (logical < directBlocks) return [logical];
    let rest = logical - directBlocks;
    const n = this.#perBlock;
    if (rest < n) return [directBlocks, rest];
    rest -= n;
    if (rest < n * n) return [directBlocks + 1, Math.floor(rest / n), rest % n];
    rest -= n * n;
    if (rest < n ** 3)
      return [directBlocks + 2, Math.floor(rest / n ** 2), Math.floor(rest / n) % n, rest % n];
    throw new XenError('EFBIG', `block ${logical} of a file`);
  }

  /** The table that a slot refers to, which is made where there is none. */
  #table(slot: Slot, logical: number): number {
    const found = this.#read(slot);
    if (found !== 0) return found;
    const number = this.#take(logical);
    this.#volume.store.make(number);
    this.#write(slot, number);
    return number;
  }

  /** Behind the one before, if that can be. */
  #take(logical: number): number {
    const before = logical === 0 ? 0 : this.find(logical - 1);
    const { firstDataBlock, blocksPerGroup, inodesPerGroup } = this.#volume.geometry;
    const group = Math.floor((this.#inode - 1) / inodesPerGroup);
    const wanted = before === 0 ? firstDataBlock + group * blocksPerGroup : before + 1;
    const number = this.#allocation.takeBlock(wanted);
    this.#volume.changeInode(this.#inode).blocks += this.#volume.blockSize / 512;
    return number;
  }

  #give(number: number): void {
    this.#volume.store.forget(number);
    this.#allocation.returnBlock(number);
    this.#volume.changeInode(this.#inode).blocks -= this.#volume.blockSize / 512;
  }

  #read({ block, index }: Slot): number {
    const number =
      block === undefined
        ? viewOf(this.#own(index)).getUint32(0, true)
        : viewOf(this.#volume.store.get(block)).getUint32(4 * index, true);
    return number === 0 ? 0 : this.#volume.checkBlock(number);
  }

  #write({ block, index }: Slot, number: number): void {
    if (block !== undefined) {
      viewOf(this.#volume.store.change(block)).setUint32(4 * index, number, true);
      return;
    }
    viewOf(this.#own(index, true)).setUint32(0, number, true);
  }

  /** One of the numbers in the inode. */
  #own(index: number, isChanged = false): Uint8Array {
    const at = ext2Inode.offsets.block + 4 * index;
    return this.#volume.inodeBytes(this.#inode, isChanged, at, 4);
  }
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

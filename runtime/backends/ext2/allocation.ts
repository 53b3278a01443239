/**
 * Which blocks and inodes are in use: bitmaps, and counts beside them. What is given back is used again only when the disk has
 * heard that nobody refers to it any more, or where nothing else is left: before that, a crash could bring its old owner back.
 */
import { XenError } from '../../errors.ts';
import type { GroupDescriptor, Volume } from './volume.ts';

type Kind = 'block' | 'inode';

export class Allocation {
  readonly #volume: Volume;
  /** Given back since the last commit began; their bits are still set. */
  #returned: Record<Kind, Set<number>> = { block: new Set(), inode: new Set() };

  constructor(volume: Volume) {
    this.#volume = volume;
  }

  get freeBlocks(): number {
    return this.#volume.superblock.freeBlocksCount + this.#returned.block.size;
  }

  get freeInodes(): number {
    return this.#volume.superblock.freeInodesCount + this.#returned.inode.size;
  }

  /** One near `wanted`, if that can be. */
  takeBlock(wanted: number): number {
    const { firstDataBlock } = this.#volume.geometry;
    return this.#take('block', wanted - firstDataBlock) + firstDataBlock;
  }

  takeInode(near: number): number {
    return this.#take('inode', near - 1) + 1;
  }

  returnBlock(number: number): void {
    this.#return('block', this.#volume.checkBlock(number));
  }

  returnInode(number: number): void {
    this.#return('inode', number);
  }

  countDirectory(inode: number, by: 1 | -1): void {
    const { inodesPerGroup } = this.#volume.geometry;
    const group = Math.floor((inode - 1) / inodesPerGroup);
    this.#volume.changeGroup(group).usedDirectoriesCount += by;
  }

  /** Called when a commit begins; what it gives is called when that commit is done. */
  settle(): () => void {
    const returned = this.#returned;
    this.#returned = { block: new Set(), inode: new Set() };
    return () => this.#clearAll(returned);
  }

  get hasReturned(): boolean {
    return this.#returned.block.size + this.#returned.inode.size > 0;
  }

  #take(kind: Kind, wanted: number): number {
    this.#volume.markChanged();
    const found = this.#find(kind, wanted);
    if (found !== undefined) return found;
    if (this.#returned[kind].size === 0) throw new XenError('ENOSPC', `no ${kind} is free`);
    this.settle()();
    return this.#take(kind, wanted);
  }

  #find(kind: Kind, wanted: number): number | undefined {
    const { groups } = this.#volume;
    const each = this.#perGroup(kind);
    const start = Math.min(Math.max(0, Math.floor(wanted / each)), groups - 1);
    for (let n = 0; n < groups; n++) {
      const group = (start + n) % groups;
      if (this.#count(kind, this.#volume.group(group)) === 0) continue;
      const bit = this.#firstClear(kind, group, n === 0 ? Math.max(0, wanted) % each : 0);
      if (bit === undefined) continue;
      this.#set(kind, group, bit, true);
      return group * each + bit;
    }
    return undefined;
  }

  #firstClear(kind: Kind, group: number, from: number): number | undefined {
    const bitmap = this.#volume.store.get(this.#bitmap(kind, group));
    const bits = this.#bitsOf(kind, group);
    const lowest = group === 0 && kind === 'inode' ? this.#volume.geometry.firstInode - 1 : 0;
    const first = Math.max(from, lowest);
    return clearBit(bitmap, first, bits) ?? clearBit(bitmap, lowest, first);
  }

  #return(kind: Kind, number: number): void {
    this.#volume.markChanged();
    this.#returned[kind].add(number);
  }

  #clearAll(returned: Readonly<Record<Kind, ReadonlySet<number>>>): void {
    const { firstDataBlock } = this.#volume.geometry;
    for (const number of returned.block) this.#clear('block', number - firstDataBlock);
    for (const number of returned.inode) this.#clear('inode', number - 1);
  }

  #clear(kind: Kind, index: number): void {
    const each = this.#perGroup(kind);
    this.#set(kind, Math.floor(index / each), index % each, false);
  }

  #set(kind: Kind, group: number, bit: number, isUsed: boolean): void {
    const bitmap = this.#volume.store.changeFirst(this.#bitmap(kind, group));
    const [at, mask] = [bit >> 3, 1 << (bit & 7)];
    const was = ((bitmap[at] ?? 0) & mask) !== 0;
    if (was === isUsed) throw new XenError('EIO', `ext2: ${kind} ${bit} of group ${group} twice`);
    bitmap[at] = (bitmap[at] ?? 0) ^ mask;
    const by = isUsed ? -1 : 1;
    const [descriptor, superblock] = [
      this.#volume.changeGroup(group),
      this.#volume.changeSuperblock(),
    ];
    if (kind === 'block') {
      descriptor.freeBlocksCount += by;
      superblock.freeBlocksCount += by;
    } else {
      descriptor.freeInodesCount += by;
      superblock.freeInodesCount += by;
    }
  }

  #bitmap(kind: Kind, group: number): number {
    const { blockBitmap, inodeBitmap } = this.#volume.group(group);
    return this.#volume.checkBlock(kind === 'block' ? blockBitmap : inodeBitmap);
  }

  #count(kind: Kind, { freeBlocksCount, freeInodesCount }: GroupDescriptor): number {
    return kind === 'block' ? freeBlocksCount : freeInodesCount;
  }

  #perGroup(kind: Kind): number {
    const { blocksPerGroup, inodesPerGroup } = this.#volume.geometry;
    return kind === 'block' ? blocksPerGroup : inodesPerGroup;
  }

  /** The last group may have fewer blocks. */
  #bitsOf(kind: Kind, group: number): number {
    if (kind === 'inode') return this.#perGroup(kind);
    const { blocksCount, firstDataBlock, blocksPerGroup } = this.#volume.geometry;
    return Math.min(blocksPerGroup, blocksCount - firstDataBlock - group * blocksPerGroup);
  }
}

function clearBit(bitmap: Uint8Array, from: number, end: number): number | undefined {
  for (let bit = from; bit < end; ) {
    const byte = bitmap[bit >> 3] ?? 0xff;
    if (byte === 0xff) bit = (bit | 7) + 1;
    else if ((byte & (1 << (bit & 7))) === 0) return bit;
    else bit++;
  }
  return undefined;
}

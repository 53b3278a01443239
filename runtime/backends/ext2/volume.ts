/** An ext2 file system on a disk: its superblock, groups and inodes. What cannot be mounted is a UserError that says why. */
import { UserError, XenError } from '../../errors.ts';
import { type Disk, sectorSize } from '../block/disk.ts';
import { BlockStore } from './block-store.ts';
import {
  ext2GroupDescriptor,
  ext2Inode,
  ext2InodeExtra,
  ext2SuperBlock,
  featureNames,
  INCOMPATIBLE,
  magic,
  oldInodeSize,
  READ_ONLY,
  STATE,
  superblockAt,
  superblockSize,
} from './structures.ts';

export type SuperBlock = ReturnType<typeof ext2SuperBlock.at>;
export type GroupDescriptor = ReturnType<typeof ext2GroupDescriptor.at>;
export type InodeFields = ReturnType<typeof ext2Inode.at>;
export type InodeExtra = ReturnType<typeof ext2InodeExtra.at>;

const readable = Object.values(INCOMPATIBLE).reduce((all, bit) => all | bit, 0);
const writable = Object.values(READ_ONLY).reduce((all, bit) => all | bit, 0);

/** What of the superblock never changes. */
export type Geometry = Pick<
  SuperBlock,
  'blocksCount' | 'firstDataBlock' | 'blocksPerGroup' | 'inodesPerGroup' | 'inodesCount'
> & { readonly firstInode: number };

export class Volume {
  readonly geometry: Geometry;
  readonly store: BlockStore;
  readonly groups: number;
  readonly isReadOnly: boolean;
  readonly inodeSize: number;
  readonly hasFileTypes: boolean;
  readonly #firstGroupBlock: number;
  readonly #tables: number[] = [];
  #isMarked = false;

  constructor(disk: Disk, what: string, isReadOnly: boolean) {
    const bytes = readSuperblock(disk, what);
    const fields = ext2SuperBlock.at(bytes, 0);
    checkFeatures(fields, what, isReadOnly);
    checkGeometry(fields, disk, what);
    if (!isReadOnly && (fields.state & (STATE.CLEAN | STATE.ERRORS)) !== STATE.CLEAN)
      throw new UserError(`${what}: it was not unmounted, or has errors; try: e2fsck -f ${what}`);
    this.isReadOnly = isReadOnly;
    this.inodeSize = fields.revision === 0 ? oldInodeSize : fields.inodeSize;
    this.hasFileTypes = (fields.incompatible & INCOMPATIBLE.FILETYPE) !== 0;
    this.groups = groupsOf(fields);
    const { blocksCount, firstDataBlock, blocksPerGroup, inodesPerGroup, inodesCount } = fields;
    this.geometry = {
      ...{ blocksCount, firstDataBlock, blocksPerGroup, inodesPerGroup, inodesCount },
      firstInode: fields.revision === 0 ? 11 : fields.firstInode,
    };
    this.store = new BlockStore(disk, 1024 << fields.logBlockSize);
    this.#firstGroupBlock = fields.firstDataBlock + 1;
  }

  get blockSize(): number {
    return this.store.blockSize;
  }

  get superblock(): SuperBlock {
    return this.#superblock(this.store.get(Math.floor(superblockAt / this.blockSize)));
  }

  /** It refers to nothing: counts, and whether the file system is whole. */
  changeSuperblock(): SuperBlock {
    return this.#superblock(this.store.changeFirst(Math.floor(superblockAt / this.blockSize)));
  }

  group(index: number): GroupDescriptor {
    const [block, at] = this.#groupPlace(index);
    return ext2GroupDescriptor.at(this.store.get(block), at);
  }

  changeGroup(index: number): GroupDescriptor {
    const [block, at] = this.#groupPlace(index);
    return ext2GroupDescriptor.at(this.store.changeFirst(block), at);
  }

  inode(number: number): InodeFields {
    const [block, at] = this.#inodePlace(number);
    return ext2Inode.at(this.store.get(block), at);
  }

  changeInode(number: number): InodeFields {
    const [block, at] = this.#inodePlace(number);
    return ext2Inode.at(this.store.change(block), at);
  }

  /** Where the inode is larger than it once was; to look at, or to change where `changeInode` was called. */
  inodeExtra(number: number): InodeExtra | undefined {
    if (this.inodeSize < oldInodeSize + ext2InodeExtra.size) return undefined;
    const [block, at] = this.#inodePlace(number);
    return ext2InodeExtra.at(this.store.get(block), at + oldInodeSize);
  }

  /** Some bytes of an inode as they lie on the disk. */
  inodeBytes(number: number, isChanged: boolean, from: number, length: number): Uint8Array {
    const [block, at] = this.#inodePlace(number);
    const bytes = isChanged ? this.store.change(block) : this.store.get(block);
    return bytes.subarray(at + from, at + from + length);
  }

  /** All zeros, but for what it says of its own size. */
  clearInode(number: number): InodeFields {
    const [block, at] = this.#inodePlace(number);
    const bytes = this.store.change(block);
    bytes.fill(0, at, at + this.inodeSize);
    const extra = this.inodeExtra(number);
    if (extra !== undefined) extra.extraSize = 32;
    return ext2Inode.at(bytes, at);
  }

  /** Before the first change: until it is unmounted, whoever finds it knows that it is to be checked. */
  markChanged(): void {
    if (this.isReadOnly) throw new XenError('EROFS', 'the file system is only read');
    if (this.#isMarked) return;
    this.#isMarked = true;
    this.changeSuperblock().state &= ~STATE.CLEAN;
  }

  markClean(): void {
    if (!this.#isMarked) return;
    this.#isMarked = false;
    this.changeSuperblock().state |= STATE.CLEAN;
  }

  /** A block that something refers to; what lies elsewhere was damaged. */
  checkBlock(number: number): number {
    const { firstDataBlock, blocksCount } = this.geometry;
    if (number <= firstDataBlock || number >= blocksCount)
      throw new XenError('EIO', `ext2: block ${number} of ${blocksCount}`);
    return number;
  }

  #superblock(block: Uint8Array): SuperBlock {
    return ext2SuperBlock.at(block, superblockAt % this.blockSize);
  }

  #groupPlace(index: number): [block: number, at: number] {
    if (index < 0 || index >= this.groups) throw new XenError('EIO', `ext2: group ${index}`);
    const perBlock = this.blockSize / ext2GroupDescriptor.size;
    const block = this.#firstGroupBlock + Math.floor(index / perBlock);
    return [block, (index % perBlock) * ext2GroupDescriptor.size];
  }

  #inodePlace(number: number): [block: number, at: number] {
    const { inodesCount, inodesPerGroup } = this.geometry;
    if (number < 1 || number > inodesCount)
      throw new XenError('EIO', `ext2: inode ${number} of ${inodesCount}`);
    const group = Math.floor((number - 1) / inodesPerGroup);
    // Where it is never changes, and it is asked for with every block of a file.
    const inodeTable = this.#tables[group] ?? this.group(group).inodeTable;
    this.#tables[group] = inodeTable;
    const at = ((number - 1) % inodesPerGroup) * this.inodeSize;
    const block = this.checkBlock(inodeTable) + Math.floor(at / this.blockSize);
    return [this.checkBlock(block), at % this.blockSize];
  }
}

function readSuperblock(disk: Disk, what: string): Uint8Array {
  if (!disk.isImmediate)
    throw new UserError(`${what}: file systems are mounted from raw images only`);
  const bytes = new Uint8Array(superblockSize);
  if (disk.sectors * sectorSize < superblockAt + superblockSize)
    throw new UserError(`${what}: too small for a file system`);
  void disk.read(superblockAt / sectorSize, [bytes]);
  const fields = ext2SuperBlock.at(bytes, 0);
  if (fields.magic !== magic)
    throw new UserError(`${what}: no ext2 file system; one is made by: mke2fs -t ext2 ${what}`);
  return bytes;
}

function checkFeatures(fields: SuperBlock, what: string, isReadOnly: boolean): void {
  if (fields.revision === 0) return;
  const unknown = fields.incompatible & ~readable;
  if (unknown !== 0)
    throw new UserError(
      `${what}: not ext2: it uses ${namesOf(unknown, featureNames.incompatible)}; ` +
        `one that can be mounted is made by: mke2fs -t ext2`,
    );
  const unwritable = fields.readOnlyCompatible & ~writable;
  if (unwritable !== 0 && !isReadOnly)
    throw new UserError(
      `${what}: it can only be read (:ro), since it uses ${namesOf(unwritable, featureNames.readOnly)}`,
    );
}

function namesOf(bits: number, names: Readonly<Record<number, string>>): string {
  const set = Array.from({ length: 32 }, (_, n) => (1 << n) >>> 0).filter((bit) => bits & bit);
  return set.map((bit) => names[bit] ?? `feature 0x${bit.toString(16)}`).join(', ');
}

const groupsOf = ({ blocksCount, firstDataBlock, blocksPerGroup }: SuperBlock): number =>
  Math.ceil((blocksCount - firstDataBlock) / blocksPerGroup);

function checkGeometry(fields: SuperBlock, disk: Disk, what: string): void {
  const { logBlockSize, blocksCount, blocksPerGroup, inodesPerGroup, inodesCount } = fields;
  const blockSize = 1024 << (logBlockSize & 31);
  const inodeSize = fields.revision === 0 ? oldInodeSize : fields.inodeSize;
  const isRight =
    logBlockSize <= 6 &&
    fields.firstDataBlock === (blockSize === 1024 ? 1 : 0) &&
    blocksPerGroup > 0 &&
    blocksPerGroup <= 8 * blockSize &&
    inodesPerGroup > 0 &&
    inodesPerGroup <= 8 * blockSize &&
    inodeSize >= oldInodeSize &&
    inodeSize <= blockSize &&
    (inodeSize & (inodeSize - 1)) === 0 &&
    blocksCount > fields.firstDataBlock &&
    inodesCount === groupsOf(fields) * inodesPerGroup;
  if (!isRight) throw new UserError(`${what}: its superblock is damaged; try: e2fsck -f ${what}`);
  if (blocksCount * blockSize > disk.sectors * sectorSize)
    throw new UserError(`${what}: the file system is larger than its image`);
}

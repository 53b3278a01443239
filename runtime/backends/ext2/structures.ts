/** ext2 as it lies on a disk: the structs and numbers of "The Second Extended File System" (D. Poirier) and of e2fsprogs' ext2_fs.h. */
import { array, struct, u8, u16, u32 } from '../../memory/layout.ts';

/** Everything is little-endian and naturally aligned, as C lays it out on either width. */
export const superblockAt = 1024;
export const superblockSize = 1024;

export const ext2SuperBlock = struct('ext2_super_block', {
  inodesCount: u32,
  blocksCount: u32,
  reservedBlocksCount: u32,
  freeBlocksCount: u32,
  freeInodesCount: u32,
  firstDataBlock: u32,
  logBlockSize: u32, // 1024 << this
  logFragmentSize: u32,
  blocksPerGroup: u32,
  fragmentsPerGroup: u32,
  inodesPerGroup: u32,
  mountTime: u32,
  writeTime: u32,
  mountCount: u16,
  mostMounts: u16,
  magic: u16,
  state: u16, // STATE
  errors: u16,
  minorRevision: u16,
  lastCheck: u32,
  checkInterval: u32,
  creatorOs: u32,
  revision: u32, // 0: 128-byte inodes, the first free one is 11
  defaultUser: u16,
  defaultGroup: u16,
  firstInode: u32,
  inodeSize: u16,
  blockGroup: u16,
  compatible: u32,
  incompatible: u32, // INCOMPATIBLE
  readOnlyCompatible: u32, // READ_ONLY
}).layout(64);

export const magic = 0xef53;
export const STATE = { CLEAN: 1, ERRORS: 2 } as const;

/** With others, nothing may be read. */
export const INCOMPATIBLE = { FILETYPE: 0x2 } as const;
/** With others, nothing may be written. */
export const READ_ONLY = { SPARSE_SUPER: 0x1, LARGE_FILE: 0x2, EXTRA_ISIZE: 0x40 } as const;

/** Names for messages: what e2fsprogs calls the others. */
export const featureNames: Readonly<
  Record<'incompatible' | 'readOnly', Readonly<Record<number, string>>>
> = {
  // biome-ignore format: a table
  incompatible: {
    1: 'compression', 4: 'needs_recovery', 8: 'journal_dev', 16: 'meta_bg', 64: 'extent', 128: '64bit', 256: 'mmp',
    512: 'flex_bg', 1024: 'ea_inode', 4096: 'dirdata', 8192: 'metadata_csum_seed', 16384: 'large_dir',
    32768: 'inline_data', 65536: 'encrypt', 131072: 'casefold',
  },
  // biome-ignore format: a table
  readOnly: {
    4: 'btree_dir', 8: 'huge_file', 16: 'uninit_bg', 32: 'dir_nlink', 128: 'snapshot', 256: 'quota', 512: 'bigalloc',
    1024: 'metadata_csum', 4096: 'read-only', 8192: 'project', 32768: 'verity', 65536: 'orphan_file',
  },
};

export const ext2GroupDescriptor = struct('ext2_group_desc', {
  blockBitmap: u32,
  inodeBitmap: u32,
  inodeTable: u32,
  freeBlocksCount: u16,
  freeInodesCount: u16,
  usedDirectoriesCount: u16,
  flags: u16,
  reserved: array(u32, 3),
}).layout(64);

export const ext2Inode = struct('ext2_inode', {
  mode: u16,
  user: u16,
  size: u32,
  atime: u32, // seconds since 1970, signed
  ctime: u32,
  mtime: u32,
  dtime: u32,
  group: u16,
  links: u16,
  blocks: u32, // of 512 bytes
  flags: u32, // INODE_FLAGS
  osd1: u32,
  block: array(u32, 15),
  generation: u32,
  fileAcl: u32, // a block of extended attributes
  sizeHigh: u32, // of files
  fragment: u32,
  osd2: array(u32, 3),
}).layout(64);

/** What follows where inodes are larger than 128 bytes. */
export const ext2InodeExtra = struct('ext2_inode_large', {
  extraSize: u16, // bytes of this part that are in use
  checksumHigh: u16,
  ctimeExtra: u32, // nanoseconds << 2, and two bits above the seconds
  mtimeExtra: u32,
  atimeExtra: u32,
  crtime: u32,
  crtimeExtra: u32,
}).layout(64);

export const oldInodeSize = 128;
export const rootInode = 2;

/** Directories with a hashed index are linear ones, too, as long as nobody believes the index. */
export const INODE_FLAGS = {
  IMMUTABLE: 0x10,
  APPEND: 0x20,
  INDEX: 0x1000,
  EXTENTS: 0x80000,
} as const;

export const directBlocks = 12;
/** Names of a shorter text lie in the inode itself. */
export const fastLinkSize = 60;

export const ext2DirectoryEntry = struct('ext2_dir_entry_2', {
  inode: u32, // 0: not in use
  length: u16, // to the next one
  nameLength: u8,
  fileType: u8, // FILE_TYPE, where the file system has it
}).layout(64);

export const FILE_TYPE = {
  UNKNOWN: 0,
  REG: 1,
  DIR: 2,
  CHR: 3,
  BLK: 4,
  FIFO: 5,
  SOCK: 6,
  LNK: 7,
} as const;

/** The first words of a block of extended attributes, which several inodes may share. */
export const ext2AttributeHeader = struct('ext2_ext_attr_header', {
  magic: u32,
  references: u32,
}).layout(64);

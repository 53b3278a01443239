/** xen/include/public/io/blkif.h: requests to a block device and its answers. A ring has 32- or 64-bit ones by the front-end's `protocol`. */
import { array, i16, struct, u8, u16, u32, u64 } from '../../memory/layout.ts';

export const BLKIF_OP = {
  READ: 0,
  WRITE: 1,
  WRITE_BARRIER: 2,
  FLUSH_DISKCACHE: 3,
  DISCARD: 5,
  INDIRECT: 6,
} as const;

export const BLKIF_RSP = { OKAY: 0, ERROR: -1, EOPNOTSUPP: -2 } as const;

export const BLKIF_MAX_SEGMENTS_PER_REQUEST = 11;
export const BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST = 8;
export const BLKIF_DISCARD_SECURE = 1;

/** Bits of the node `info`. */
export const VDISK = { CDROM: 1, REMOVABLE: 2, READONLY: 4 } as const;

export const blkif_request_segment = struct('blkif_request_segment', {
  gref: u32, // grant of the page
  first_sect: u8, // first and last 512-byte sector
  last_sect: u8, // within that page, inclusive
});

export const blkif_request = struct('blkif_request', {
  operation: u8, // BLKIF_OP
  nr_segments: u8,
  handle: u16,
  id: u64, // the front-end's own; echoed in the response
  sector_number: u64,
  seg: array(blkif_request_segment, BLKIF_MAX_SEGMENTS_PER_REQUEST),
});

export const blkif_request_discard = struct('blkif_request_discard', {
  operation: u8, // BLKIF_OP.DISCARD
  flag: u8, // BLKIF_DISCARD_SECURE or 0
  handle: u16,
  id: u64,
  sector_number: u64,
  nr_sectors: u64,
});

export const blkif_request_indirect = struct('blkif_request_indirect', {
  operation: u8, // BLKIF_OP.INDIRECT
  indirect_op: u8, // BLKIF_OP.READ or WRITE
  nr_segments: u16,
  id: u64,
  sector_number: u64,
  handle: u16,
  indirect_grefs: array(u32, BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST), // of pages full of segments
});

export const blkif_response = struct('blkif_response', {
  id: u64,
  operation: u8,
  status: i16, // BLKIF_RSP
});

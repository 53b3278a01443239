/** xen/include/public/io/fsif.h: requests for files of another domain. Both widths have the same layouts but for padding at ends. */
import { array, i8, i16, i32, i64, struct, u8, u16, u32, u64 } from '../../memory/layout.ts';

// biome-ignore format: a table
export const REQ = {
  FILE_OPEN: 1, FILE_CLOSE: 2, FILE_READ: 3, FILE_WRITE: 4, STAT: 5, FILE_TRUNCATE: 6, REMOVE: 7, RENAME: 8, CREATE: 9, DIR_LIST: 10,
  CHMOD: 11, FS_SPACE: 12, FILE_SYNC: 13,
} as const;

export const STATE = {
  INITIALISED: 'init',
  READY: 'ready',
  CLOSING: 'closing',
  CLOSED: 'closed',
} as const;

/** Of reads and writes. In 64 bytes there is room for so many; a slot of the ring, which is shorter, has room for six. */
export const mostReferences = 9;

/** Of reads and writes: the first reference of as many as `len` needs. */
export const fsif_read_request = struct('fsif_read_request', {
  fd: u32,
  pad: i32,
  len: u64,
  offset: u64,
  grefs: array(u32, 1),
});

export const fsif_stat_response = struct('fsif_stat_response', {
  stat_mode: i32,
  stat_uid: u32,
  stat_gid: u32,
  stat_ret: i32,
  stat_size: i64,
  stat_atime: i64, // seconds since 1970
  stat_mtime: i64,
  stat_ctime: i64,
});

export const fsif_truncate_request = struct('fsif_truncate_request', {
  fd: u32,
  pad: i32,
  length: i64,
});

/** Names end with NULs, in the page that is granted. */
export const fsif_open_request = struct('fsif_open_request', { gref: u32 });
export const fsif_close_request = struct('fsif_close_request', { fd: u32 });

export const fsif_rename_request = struct('fsif_rename_request', {
  old_name_offset: u16,
  new_name_offset: u16,
  gref: u32,
});

export const fsif_create_request = struct('fsif_create_request', {
  directory: i8,
  pad: i8,
  pad2: i16,
  mode: i32,
  gref: u32,
});

/** The names come into the page that the directory's name was in. */
export const fsif_list_request = struct('fsif_list_request', { offset: u32, gref: u32 });
export const fsif_chmod_request = struct('fsif_chmod_request', { fd: u32, mode: i32 });

/** Of a list's answer. */
export const NR_FILES = { SHIFT: 0, SIZE: 16 } as const;
export const ERROR = { SIZE: 32, SHIFT: 16 } as const;
export const HAS_MORE = { SHIFT: 48 } as const;

/** What stands in front of a request's own struct. */
export const fsif_request_head = struct('fsif_request_head', {
  type: u8, // REQ
  pad: u8,
  id: u16, // echoed in the response
  pad2: u32,
});

export const fsif_response = struct('fsif_response', {
  id: u16,
  pad1: u16,
  pad2: u32,
  u: fsif_stat_response, // or a u64: the answer
});

/** What the POSIX rows take and give: mini-os/posix.h of the sysroot, and newlib's fcntl.h, sys/stat.h and our poll.h. */
import { array, i16, i32, i64, struct, u8, u32, u64 } from '../../memory/layout.ts';

export const MINIOS_FD = {
  ...{ CONSOLE: 1, FILE: 2, DIRECTORY: 3, DEVICE: 4, PIPE: 5 },
  /** From here on they are the image's own. */
  SOCKET: 16,
  SAVEFILE: 25,
} as const;
export const MINIOS_CLOCK = { REALTIME: 0, MONOTONIC: 1, RUNNING: 2 } as const;

export const minios_stat = struct('minios_stat', {
  size: i64,
  blocks: i64, // of 512 bytes
  atime_ns: i64,
  mtime_ns: i64,
  ctime_ns: i64,
  ino: u64,
  dev: u32,
  rdev: u32,
  mode: u32, // S_IF and permissions
  nlink: u32,
});

export const minios_statvfs = struct('minios_statvfs', {
  blocks: u64,
  free_blocks: u64,
  files: u64,
  free_files: u64,
  block_size: u32,
  dev: u32,
  read_only: u32,
  name_max: u32,
});

export const minios_dirent = struct('minios_dirent', {
  ino: u64,
  type: u32, // S_IFMT of the mode, shifted down: DT_* of dirent.h
  name: array(u8, 256), // ends with a NUL
});

/** An open file of the image's own, as far as the kernel looks at it. */
export const minios_object = struct('minios_object', {
  ready: u32, // POLL bits
  flags: u32, // O_ACCMODE, O_APPEND and O_NONBLOCK
});

export const pollfd = struct('pollfd', { fd: i32, events: i16, revents: i16 });

// biome-ignore format: a table
export const O = {
  RDONLY: 0, WRONLY: 1, RDWR: 2, ACCMODE: 3, APPEND: 8, CREAT: 0x200, TRUNC: 0x400, EXCL: 0x800, SYNC: 0x2000, NONBLOCK: 0x4000,
  CLOEXEC: 0x40000, NOFOLLOW: 0x100000, DIRECTORY: 0x200000,
} as const;

export const AT = { FDCWD: -2, SYMLINK_NOFOLLOW: 2, SYMLINK_FOLLOW: 4, REMOVEDIR: 8 } as const;

/** UTIME_NOW and UTIME_OMIT of sys/stat.h, as the rows take them. */
export const UTIME = { NOW: -(2n ** 63n), OMIT: -(2n ** 63n) + 1n } as const;

export const F = { DUPFD: 0, GETFD: 1, SETFD: 2, GETFL: 3, SETFL: 4, DUPFD_CLOEXEC: 14 } as const;

export const FD_CLOEXEC = 1;

export const SEEK = { SET: 0, CUR: 1, END: 2 } as const;

export const POLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 16, NVAL: 32 } as const;

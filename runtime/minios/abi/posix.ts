/** What the POSIX rows take and give: mini-os/posix.h of the sysroot, and newlib's fcntl.h, sys/stat.h and our poll.h. */
import { i16, i32, i64, struct, u32, u64 } from '../../memory/layout.ts';

export const MINIOS_FD = { CONSOLE: 1, FILE: 2, DIRECTORY: 3 } as const;
export const MINIOS_CLOCK = { REALTIME: 0, MONOTONIC: 1, RUNNING: 2 } as const;

export const minios_stat = struct('minios_stat', {
  size: i64,
  mtime_ns: i64,
  ino: u64,
  mode: u32, // S_IF and permissions
  nlink: u32,
});

export const pollfd = struct('pollfd', { fd: i32, events: i16, revents: i16 });

// biome-ignore format: a table
export const O = {
  RDONLY: 0, WRONLY: 1, RDWR: 2, ACCMODE: 3, APPEND: 8, CREAT: 0x200, TRUNC: 0x400, EXCL: 0x800, NONBLOCK: 0x4000,
} as const;

export const F = { DUPFD: 0, GETFL: 3, SETFL: 4 } as const;

export const SEEK = { SET: 0, CUR: 1, END: 2 } as const;

export const S_IF = { CHR: 0o020000, DIR: 0o040000, REG: 0o100000 } as const;

export const POLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 16, NVAL: 32 } as const;

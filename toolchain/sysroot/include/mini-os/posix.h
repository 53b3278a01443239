/*
 * What the POSIX rows of the kernel's table (mini-os/api.h) take and return. The layout is the same on x86-64 and
 * x86-32, which is why the wide fields come first.
 */
#ifndef _MINIOS_POSIX_H_
#define _MINIOS_POSIX_H_

#include <stdint.h>

/* minios_fd_kind; sockets are the image's own, since lwip is linked into it. */
#define MINIOS_FD_CONSOLE 1
#define MINIOS_FD_FILE 2
#define MINIOS_FD_DIRECTORY 3
#define MINIOS_FD_DEVICE 4
#define MINIOS_FD_PIPE 5

/* minios_clock_ns */
#define MINIOS_CLOCK_REALTIME 0
#define MINIOS_CLOCK_MONOTONIC 1
#define MINIOS_CLOCK_RUNNING 2

/* minios_utimensat: the time that it is, and the time that the file has */
#define MINIOS_UTIME_NOW INT64_MIN
#define MINIOS_UTIME_OMIT (INT64_MIN + 1)

struct minios_stat {
  int64_t size;
  int64_t blocks; /* of 512 bytes */
  int64_t atime_ns; /* since 1970, UTC */
  int64_t mtime_ns;
  int64_t ctime_ns;
  uint64_t ino;
  uint32_t dev;
  uint32_t rdev;
  uint32_t mode; /* S_IFMT of <sys/stat.h>, and permissions */
  uint32_t nlink;
};

struct minios_statvfs {
  uint64_t blocks;
  uint64_t free_blocks;
  uint64_t files;
  uint64_t free_files;
  uint32_t block_size;
  uint32_t dev;
  uint32_t read_only;
  uint32_t name_max;
};

struct minios_dirent {
  uint64_t ino;
  uint32_t type; /* DT_* of <dirent.h> */
  char name[256];
};

/* Linux's numbers (<sys/termios.h>) */
struct minios_termios {
  uint32_t iflag, oflag, cflag, lflag, ispeed, ospeed;
  uint8_t cc[32];
};

#endif

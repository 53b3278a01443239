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

/* minios_clock_ns */
#define MINIOS_CLOCK_REALTIME 0
#define MINIOS_CLOCK_MONOTONIC 1
#define MINIOS_CLOCK_RUNNING 2

struct minios_stat {
  int64_t size;
  int64_t mtime_ns; /* since 1970, UTC */
  uint64_t ino;
  uint32_t mode; /* S_IFCHR, S_IFREG or S_IFDIR of <sys/stat.h>, and permissions */
  uint32_t nlink;
};

#endif

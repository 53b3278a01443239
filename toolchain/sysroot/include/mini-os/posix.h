/*
 * What the POSIX rows of the kernel's table (mini-os/api.h) take and return. The layout is the same on x86-64 and
 * x86-32, which is why the wide fields come first.
 */
#ifndef _MINIOS_POSIX_H_
#define _MINIOS_POSIX_H_

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A flag of sigaction: no wait ends because the handler has run, not even one that SA_RESTART lets end. */
#define MINIOS_SA_ASIDE 0x01000000

/* minios_fd_kind */
#define MINIOS_FD_CONSOLE 1
#define MINIOS_FD_FILE 2
#define MINIOS_FD_DIRECTORY 3
#define MINIOS_FD_DEVICE 4
#define MINIOS_FD_PIPE 5
/* From here on they are the image's own: struct minios_object. */
#define MINIOS_FD_SOCKET 16
#define MINIOS_FD_TAP 17
#define MINIOS_FD_BLOCK 18
#define MINIOS_FD_FRAMEBUFFER 19
#define MINIOS_FD_KEYBOARD 20
#define MINIOS_FD_STORE 21
#define MINIOS_FD_EVENTS 22
#define MINIOS_FD_IMPORTED 23 /* mini-os/fs.h */
#define MINIOS_FD_RING 24     /* mini-os/console.h */
#define MINIOS_FD_SAVEFILE 25

struct minios_object;

/* What descriptors of an object are asked; errors are negative errnos. A read or write that is NULL is EINVAL. */
struct minios_object_calls {
  ssize_t (*read)(struct minios_object *object, void *buffer, size_t count);
  ssize_t (*write)(struct minios_object *object, const void *buffer, size_t count);
  /* ioctl, but for FIONBIO; NULL knows none */
  int (*control)(struct minios_object *object, unsigned long request, void *argument);
  /* The last descriptor has gone. */
  void (*close)(struct minios_object *object);
  /* Of what has positions, which is read and written by these; else NULL. */
  const struct minios_file_calls *file;
};

/*
 * An open file of the image's own, such as a socket: minios_open_object gives it a descriptor. The kernel knows its two words alone:
 * POLL bits of <poll.h> that hold now, which whoever changes them writes, and the flags, which fcntl writes.
 */
struct minios_object {
  uint32_t ready;
  uint32_t flags; /* O_ACCMODE, O_APPEND and O_NONBLOCK */
  const struct minios_object_calls *calls;
};

struct minios_dirent;
struct minios_stat;

/* An object that is read and written at positions. */
struct minios_file {
  struct minios_object object;
  int64_t position;
};

/* Errors are negative errnos; what is NULL is not for such files. */
struct minios_file_calls {
  ssize_t (*read)(struct minios_file *file, void *buffer, size_t count, int64_t offset);
  ssize_t (*write)(struct minios_file *file, const void *buffer, size_t count, int64_t offset);
  int (*status)(struct minios_file *file, struct minios_stat *result);
  int (*truncate)(struct minios_file *file, int64_t length);
  int (*flush)(struct minios_file *file);
  /* Of a directory, which entry 0 reads anew: 1 and an entry, 0 behind the last. */
  int (*entry)(struct minios_file *file, int number, struct minios_dirent *result);
};

/*
 * A descriptor of such an object, opened with these flags and always ready; a negative errno where there is none, and then the object
 * is closed.
 */
int minios_file_open(struct minios_file *file, const struct minios_object_calls *calls, int flags);

/* Called before somebody polls, if not NULL: whoever has objects may look what has come for them. */
extern void (*minios_before_poll)(void);

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

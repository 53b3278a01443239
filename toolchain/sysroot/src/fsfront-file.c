/* fsfront_open of mini-os/fs.h: a file behind the front-end as a descriptor of the C library's. */
#include "fsfront.h"

#include "result.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define NANOSECONDS 1000000000

struct fs_file {
  struct minios_file file;
  struct fs_import *import;
  int fd; /* the back-end's */
};

static ssize_t read_bytes(struct minios_file *file, void *buffer, size_t count, int64_t offset) {
  struct fs_file *own = (struct fs_file *)file;
  return minios_fs_move(own->import, REQ_FILE_READ, own->fd, buffer, count, (uint64_t)offset);
}

static ssize_t write_bytes(struct minios_file *file, const void *buffer, size_t count, int64_t offset) {
  struct fs_file *own = (struct fs_file *)file;
  return minios_fs_move(own->import, REQ_FILE_WRITE, own->fd, (void *)(uintptr_t)buffer, count, (uint64_t)offset);
}

static int status(struct minios_file *file, struct minios_stat *result) {
  struct fs_file *own = (struct fs_file *)file;
  struct fsif_stat_response stat;
  int error = fs_stat(own->import, own->fd, &stat);
  *result = (struct minios_stat){
      .size = stat.stat_size,
      .blocks = (stat.stat_size + 511) / 512,
      .atime_ns = stat.stat_atime * NANOSECONDS,
      .mtime_ns = stat.stat_mtime * NANOSECONDS,
      .ctime_ns = stat.stat_ctime * NANOSECONDS,
      .mode = (uint32_t)stat.stat_mode,
      .nlink = 1,
  };
  return error;
}

static int set_length(struct minios_file *file, int64_t length) {
  struct fs_file *own = (struct fs_file *)file;
  return fs_truncate(own->import, own->fd, length);
}

static int flush(struct minios_file *file) {
  struct fs_file *own = (struct fs_file *)file;
  return fs_sync(own->import, own->fd);
}

static void close_descriptor(struct minios_object *object) {
  struct fs_file *own = (struct fs_file *)object;
  fs_close(own->import, own->fd);
  free(own);
}

/* The back-end's number of what the flags ask for, or a negative errno. */
static int find(struct fs_import *import, char *name, int flags, int mode) {
  int fd = fs_open(import, name);
  if (fd == -ENOENT && flags & O_CREAT)
    return fs_create(import, name, 0, mode);
  if (fd < 0)
    return fd;
  int error = 0;
  if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
    error = -EEXIST;
  else if (flags & O_TRUNC && (flags & O_ACCMODE) != O_RDONLY)
    error = fs_truncate(import, fd, 0);
  if (error < 0)
    fs_close(import, fd);
  return error < 0 ? error : fd;
}

int fsfront_open(struct fs_import *import, const char *file, int flags, int mode) {
  static const struct minios_file_calls file_calls = {.read = read_bytes,
                                                      .write = write_bytes,
                                                      .status = status,
                                                      .truncate = set_length,
                                                      .flush = flush};
  static const struct minios_object_calls calls = {.close = close_descriptor, .file = &file_calls};
  struct fs_file *own = malloc(sizeof *own);
  if (own == NULL)
    return -1;
  *own = (struct fs_file){.import = import, .fd = find(import, (char *)(uintptr_t)file, flags, mode)};
  if (own->fd < 0) {
    int error = -own->fd;
    free(own);
    return minios_failed(_REENT, error);
  }
  return MINIOS_INT(minios_file_open(&own->file, &calls, flags));
}

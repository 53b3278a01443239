/* What the C library's calls on paths and descriptors are in 9P2000.L. */
#include "9p-wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of 9P2000.L: Linux's */
#define P9_O_EXCL 0200
#define P9_O_TRUNC 01000
#define P9_O_DIRECTORY 0200000
#define P9_AT_REMOVEDIR 0x200
#define P9_GETATTR_BASIC 0x7ff
#define P9_SETATTR_SIZE 8
#define NANOSECONDS 1000000000
#define READ_OVERHEAD 11  /* header and count */
#define WRITE_OVERHEAD 23 /* header, fid, offset and count */

struct p9_file {
  struct minios_file file;
  struct minios_9p *dev;
  uint32_t fid;
  struct minios_9p_names names; /* of a directory */
};

static struct minios_9p *device_of(struct minios_mount *mount) {
  return (struct minios_9p *)mount;
}

/* One request: bytes, or a negative errno. */
static ssize_t read_some(struct p9_file *own, void *buffer, uint32_t count, int64_t offset) {
  struct minios_9p *dev = own->dev;
  minios_9p_begin(dev);
  minios_9p_put_number(dev, own->fid, 4);
  minios_9p_put_number(dev, (uint64_t)offset, 8);
  minios_9p_put_number(dev, count, 4);
  ssize_t result = minios_9p_call(dev, P9_TREAD);
  if (result == 0) {
    uint64_t got = minios_9p_take_number(dev, 4);
    result = got <= count && minios_9p_take(dev, buffer, (size_t)got) ? (ssize_t)got : -EIO;
  }
  minios_9p_end(dev);
  return result;
}

static ssize_t write_some(struct p9_file *own, const void *buffer, uint32_t count, int64_t offset) {
  struct minios_9p *dev = own->dev;
  minios_9p_begin(dev);
  minios_9p_put_number(dev, own->fid, 4);
  minios_9p_put_number(dev, (uint64_t)offset, 8);
  minios_9p_put_number(dev, count, 4);
  minios_9p_put(dev, buffer, count);
  ssize_t result = minios_9p_call(dev, P9_TWRITE);
  if (result == 0) {
    uint64_t put = minios_9p_take_number(dev, 4);
    result = put <= count ? (ssize_t)put : -EIO;
  }
  minios_9p_end(dev);
  return result;
}

/* As many requests as it takes. */
static ssize_t move(struct p9_file *own, char *buffer, size_t count, int64_t offset, bool is_write) {
  uint32_t most = own->dev->longest - (is_write ? WRITE_OVERHEAD : READ_OVERHEAD);
  size_t done = 0;
  while (done < count) {
    uint32_t part = count - done < most ? (uint32_t)(count - done) : most;
    int64_t place = offset + (int64_t)done;
    ssize_t moved = is_write ? write_some(own, buffer + done, part, place)
                             : read_some(own, buffer + done, part, place);
    if (moved < 0)
      return done > 0 ? (ssize_t)done : moved;
    done += (size_t)moved;
    if ((uint32_t)moved < part)
      break;
  }
  return (ssize_t)done;
}

static ssize_t read_bytes(struct minios_file *file, void *buffer, size_t count, int64_t offset) {
  return move((struct p9_file *)file, buffer, count, offset, false);
}

static ssize_t write_bytes(struct minios_file *file, const void *buffer, size_t count, int64_t offset) {
  return move((struct p9_file *)file, (char *)(uintptr_t)buffer, count, offset, true);
}

static int64_t take_time(struct minios_9p *dev) {
  int64_t seconds = (int64_t)minios_9p_take_number(dev, 8);
  return seconds * NANOSECONDS + (int64_t)minios_9p_take_number(dev, 8);
}

static int status_of(struct minios_9p *dev, uint32_t fid, struct minios_stat *result) {
  char skipped[8];
  minios_9p_begin(dev);
  minios_9p_put_number(dev, fid, 4);
  minios_9p_put_number(dev, P9_GETATTR_BASIC, 8);
  int error = minios_9p_call(dev, P9_TGETATTR);
  if (error == 0) {
    memset(result, 0, sizeof *result);
    minios_9p_take(dev, skipped, 8); /* what is valid */
    minios_9p_take(dev, skipped, 5); /* kind and version */
    result->ino = minios_9p_take_number(dev, 8);
    result->mode = (uint32_t)minios_9p_take_number(dev, 4);
    minios_9p_take(dev, skipped, 8); /* owner and group */
    result->nlink = (uint32_t)minios_9p_take_number(dev, 8);
    result->rdev = (uint32_t)minios_9p_take_number(dev, 8);
    result->size = (int64_t)minios_9p_take_number(dev, 8);
    minios_9p_take(dev, skipped, 8); /* of a block */
    result->blocks = (int64_t)minios_9p_take_number(dev, 8);
    result->atime_ns = take_time(dev);
    result->mtime_ns = take_time(dev);
    result->ctime_ns = take_time(dev);
  }
  minios_9p_end(dev);
  return error;
}

static int status(struct minios_file *file, struct minios_stat *result) {
  struct p9_file *own = (struct p9_file *)file;
  return status_of(own->dev, own->fid, result);
}

static int set_length(struct minios_file *file, int64_t length) {
  struct p9_file *own = (struct p9_file *)file;
  minios_9p_begin(own->dev);
  minios_9p_put_number(own->dev, own->fid, 4);
  minios_9p_put_number(own->dev, P9_SETATTR_SIZE, 4);
  for (int i = 0; i < 3; i++) /* mode, owner, group */
    minios_9p_put_number(own->dev, 0, 4);
  minios_9p_put_number(own->dev, (uint64_t)length, 8);
  for (int i = 0; i < 4; i++) /* times */
    minios_9p_put_number(own->dev, 0, 8);
  int error = minios_9p_call(own->dev, P9_TSETATTR);
  minios_9p_end(own->dev);
  return error;
}

static int flush(struct minios_file *file) {
  struct p9_file *own = (struct p9_file *)file;
  minios_9p_begin(own->dev);
  minios_9p_put_number(own->dev, own->fid, 4);
  minios_9p_put_number(own->dev, 0, 4);
  int error = minios_9p_call(own->dev, P9_TFSYNC);
  minios_9p_end(own->dev);
  return error;
}

static int entry(struct minios_file *file, int number, struct minios_dirent *result) {
  struct p9_file *own = (struct p9_file *)file;
  return minios_9p_entry(own->dev, own->fid, &own->names, number, result);
}

static void close_descriptor(struct minios_object *object) {
  struct p9_file *own = (struct p9_file *)object;
  minios_9p_clunk(own->dev, own->fid);
  free(own->names.bytes);
  free(own);
}

static uint32_t linux_flags(int flags) {
  return (uint32_t)(flags & O_ACCMODE) | (flags & O_TRUNC ? P9_O_TRUNC : 0) | (flags & O_EXCL ? P9_O_EXCL : 0) |
         (flags & O_DIRECTORY ? P9_O_DIRECTORY : 0);
}

static int open_fid(struct minios_9p *dev, uint32_t fid, int flags) {
  minios_9p_begin(dev);
  minios_9p_put_number(dev, fid, 4);
  minios_9p_put_number(dev, linux_flags(flags & ~O_EXCL), 4);
  int error = minios_9p_call(dev, P9_TLOPEN);
  minios_9p_end(dev);
  return error;
}

/* Where the last name of a path begins. */
static const char *last_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

/* A fid of the directory that the path's last name is in. */
static int walk_above(struct minios_9p *dev, const char *path, uint32_t *fid) {
  const char *name = last_name(path);
  if (*name == '\0')
    return -EINVAL;
  return minios_9p_walk(dev, path, (size_t)(name - path), fid);
}

/* The directory's fid becomes the file's. */
static int create_in(struct minios_9p *dev, uint32_t fid, const char *name, int flags, int mode) {
  minios_9p_begin(dev);
  minios_9p_put_number(dev, fid, 4);
  minios_9p_put_text(dev, name, strlen(name));
  minios_9p_put_number(dev, linux_flags(flags), 4);
  minios_9p_put_number(dev, (uint64_t)mode, 4);
  minios_9p_put_number(dev, 0, 4);
  int error = minios_9p_call(dev, P9_TLCREATE);
  minios_9p_end(dev);
  return error;
}

/* An open fid. */
static int find(struct minios_9p *dev, const char *path, int flags, int mode, uint32_t *fid) {
  int error = minios_9p_walk(dev, path, strlen(path), fid);
  if (error == -ENOENT && flags & O_CREAT) {
    error = walk_above(dev, path, fid);
    if (error < 0)
      return error;
    error = create_in(dev, *fid, last_name(path), flags, mode);
  } else if (error < 0) {
    return error;
  } else if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
    error = -EEXIST;
  } else {
    error = open_fid(dev, *fid, flags);
  }
  if (error < 0)
    minios_9p_clunk(dev, *fid);
  return error;
}

static int open_path(struct minios_mount *mount, const char *path, int flags, int mode) {
  static const struct minios_file_calls file_calls = {.read = read_bytes,
                                                      .write = write_bytes,
                                                      .status = status,
                                                      .truncate = set_length,
                                                      .flush = flush,
                                                      .entry = entry};
  static const struct minios_object_calls calls = {.close = close_descriptor, .file = &file_calls};
  struct p9_file *own = malloc(sizeof *own);
  if (own == NULL)
    return -ENOMEM;
  *own = (struct p9_file){.dev = device_of(mount)};
  int error = find(own->dev, path, flags, mode, &own->fid);
  if (error < 0) {
    free(own);
    return error;
  }
  return minios_file_open(&own->file, &calls, flags);
}

static int path_status(struct minios_mount *mount, const char *path, struct minios_stat *result) {
  struct minios_9p *dev = device_of(mount);
  uint32_t fid;
  int error = minios_9p_walk(dev, path, strlen(path), &fid);
  if (error < 0)
    return error;
  error = status_of(dev, fid, result);
  minios_9p_clunk(dev, fid);
  return error;
}

/* A request about the path's last name and the directory that it is in. */
static int change(struct minios_mount *mount, const char *path, uint8_t request, const uint32_t *words, int count) {
  struct minios_9p *dev = device_of(mount);
  uint32_t fid;
  int error = walk_above(dev, path, &fid);
  if (error < 0)
    return error;
  minios_9p_begin(dev);
  minios_9p_put_number(dev, fid, 4);
  minios_9p_put_text(dev, last_name(path), strlen(last_name(path)));
  for (int i = 0; i < count; i++)
    minios_9p_put_number(dev, words[i], 4);
  error = minios_9p_call(dev, request);
  minios_9p_end(dev);
  minios_9p_clunk(dev, fid);
  return error;
}

static int make_directory(struct minios_mount *mount, const char *path, int mode) {
  uint32_t mode_and_group[] = {(uint32_t)mode, 0};
  return change(mount, path, P9_TMKDIR, mode_and_group, 2);
}

static int remove_name(struct minios_mount *mount, const char *path, int flags) {
  uint32_t how = flags != 0 ? P9_AT_REMOVEDIR : 0;
  return change(mount, path, P9_TUNLINKAT, &how, 1);
}

static int rename_name(struct minios_mount *mount, const char *from, const char *to) {
  struct minios_9p *dev = device_of(mount);
  uint32_t old, new;
  int error = walk_above(dev, from, &old);
  if (error < 0)
    return error;
  error = walk_above(dev, to, &new);
  if (error == 0) {
    minios_9p_begin(dev);
    minios_9p_put_number(dev, old, 4);
    minios_9p_put_text(dev, last_name(from), strlen(last_name(from)));
    minios_9p_put_number(dev, new, 4);
    minios_9p_put_text(dev, last_name(to), strlen(last_name(to)));
    error = minios_9p_call(dev, P9_TRENAMEAT);
    minios_9p_end(dev);
    minios_9p_clunk(dev, new);
  }
  minios_9p_clunk(dev, old);
  return error;
}

const struct minios_mount_calls minios_9p_calls = {.open = open_path,
                                                   .status = path_status,
                                                   .make_directory = make_directory,
                                                   .remove = remove_name,
                                                   .rename = rename_name};

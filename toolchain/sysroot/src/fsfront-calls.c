/* The calls of mini-os/fs.h, each a request. */
#include "fsfront.h"

#include "linux-errno.h"

#include <errno.h>
#include <mini-os/mm.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define AT_ONCE 8 /* requests of one read or write */

/* The names, one behind the other, in the request's first page; false where there is no room. */
static bool put_names(struct fs_request *request, const char *first, const char *second) {
  size_t length = strlen(first) + 1, more = second == NULL ? 0 : strlen(second) + 1;
  if (length + more > PAGE_SIZE)
    return false;
  memcpy(request->pages, first, length);
  if (second != NULL)
    memcpy(request->pages + length, second, more);
  return true;
}

/* A request with one name; NULL with *error. */
static struct fs_request *begin_named(struct fs_import *import, int type, const char *name, int *error) {
  struct fs_request *request = minios_fs_begin(import, type);
  if (request == NULL) {
    *error = -ENOMEM;
    return NULL;
  }
  if (put_names(request, name, NULL))
    return request;
  minios_fs_release(request);
  *error = -ENAMETOOLONG;
  return NULL;
}

int fs_open(struct fs_import *import, char *file) {
  int error;
  struct fs_request *request = begin_named(import, REQ_FILE_OPEN, file, &error);
  if (request == NULL)
    return error;
  request->request.u.fopen.gref = request->grefs[0];
  return (int)minios_fs_finish(import, request);
}

int fs_close(struct fs_import *import, int fd) {
  struct fs_request *request = minios_fs_begin(import, REQ_FILE_CLOSE);
  if (request == NULL)
    return -ENOMEM;
  request->request.u.fclose.fd = (uint32_t)fd;
  return (int)minios_fs_finish(import, request);
}

/* Reads and writes have the same fields. */
static struct fs_request *send_part(struct fs_import *import, int type, int fd, const void *from, size_t bytes,
                                    uint64_t offset) {
  struct fs_request *request = minios_fs_begin(import, type);
  if (request == NULL)
    return NULL;
  struct fsif_read_request *part = &request->request.u.fread;
  part->fd = (uint32_t)fd;
  part->len = bytes;
  part->offset = offset;
  memcpy(part->grefs, request->grefs, sizeof request->grefs);
  if (from != NULL)
    memcpy(request->pages, from, bytes);
  minios_fs_send(import, request);
  return request;
}

/* Some parts at once; what is behind a short one does not count. The count, or a negative errno where nothing has moved. */
static ssize_t move_some(struct fs_import *import, int type, int fd, char *buffer, size_t bytes, uint64_t offset) {
  struct fs_request *requests[AT_ONCE];
  int count = 0;
  bool is_write = type == REQ_FILE_WRITE;
  for (size_t sent = 0; sent < bytes && count < AT_ONCE; count++, sent += FS_BYTES) {
    size_t part = bytes - sent < FS_BYTES ? bytes - sent : FS_BYTES;
    requests[count] = send_part(import, type, fd, is_write ? buffer + sent : NULL, part, offset + sent);
    if (requests[count] == NULL)
      break;
  }
  ssize_t moved = count == 0 ? -ENOMEM : 0;
  bool is_over = false;
  for (int i = 0; i < count; i++) {
    int64_t answer = minios_fs_answer(import, requests[i]);
    if (answer > (int64_t)FS_BYTES)
      answer = -EIO;
    if (!is_over && answer > 0 && !is_write)
      memcpy(buffer + moved, requests[i]->pages, (size_t)answer);
    if (!is_over && answer < 0 && moved == 0)
      moved = (ssize_t)answer;
    if (!is_over && answer > 0)
      moved += (ssize_t)answer;
    is_over |= answer < (int64_t)FS_BYTES;
    minios_fs_release(requests[i]);
  }
  return moved;
}

ssize_t minios_fs_move(struct fs_import *import, int type, int fd, void *buffer, size_t bytes, uint64_t offset) {
  size_t done = 0;
  while (done < bytes) {
    size_t most = (size_t)AT_ONCE * FS_BYTES, part = bytes - done < most ? bytes - done : most;
    ssize_t moved = move_some(import, type, fd, (char *)buffer + done, part, offset + done);
    if (moved < 0)
      return done > 0 ? (ssize_t)done : moved;
    done += (size_t)moved;
    if ((size_t)moved < part)
      break;
  }
  return (ssize_t)done;
}

ssize_t fs_read(struct fs_import *import, int fd, void *buf, ssize_t len, ssize_t offset) {
  if (len < 0 || offset < 0)
    return -EINVAL;
  return minios_fs_move(import, REQ_FILE_READ, fd, buf, (size_t)len, (uint64_t)offset);
}

ssize_t fs_write(struct fs_import *import, int fd, void *buf, ssize_t len, ssize_t offset) {
  if (len < 0 || offset < 0)
    return -EINVAL;
  return minios_fs_move(import, REQ_FILE_WRITE, fd, buf, (size_t)len, (uint64_t)offset);
}

int fs_stat(struct fs_import *import, int fd, struct fsif_stat_response *stat) {
  struct fs_request *request = minios_fs_begin(import, REQ_STAT);
  if (request == NULL)
    return -ENOMEM;
  request->request.u.fstat.fd = (uint32_t)fd;
  minios_fs_send(import, request);
  minios_fs_answer(import, request);
  *stat = request->response.u.fstat;
  minios_fs_release(request);
  return stat->stat_ret < 0 ? minios_linux_error(stat->stat_ret) : 0;
}

int fs_truncate(struct fs_import *import, int fd, int64_t length) {
  struct fs_request *request = minios_fs_begin(import, REQ_FILE_TRUNCATE);
  if (request == NULL)
    return -ENOMEM;
  request->request.u.ftruncate.fd = (uint32_t)fd;
  request->request.u.ftruncate.length = length;
  return (int)minios_fs_finish(import, request);
}

int fs_remove(struct fs_import *import, char *file) {
  int error;
  struct fs_request *request = begin_named(import, REQ_REMOVE, file, &error);
  if (request == NULL)
    return error;
  request->request.u.fremove.gref = request->grefs[0];
  return (int)minios_fs_finish(import, request);
}

int fs_rename(struct fs_import *import, char *old_file_name, char *new_file_name) {
  struct fs_request *request = minios_fs_begin(import, REQ_RENAME);
  if (request == NULL)
    return -ENOMEM;
  if (!put_names(request, old_file_name, new_file_name)) {
    minios_fs_release(request);
    return -ENAMETOOLONG;
  }
  request->request.u.frename.new_name_offset = (uint16_t)(strlen(old_file_name) + 1);
  request->request.u.frename.gref = request->grefs[0];
  return (int)minios_fs_finish(import, request);
}

int fs_create(struct fs_import *import, char *name, int8_t directory, int32_t mode) {
  int error;
  struct fs_request *request = begin_named(import, REQ_CREATE, name, &error);
  if (request == NULL)
    return error;
  request->request.u.fcreate.directory = directory;
  request->request.u.fcreate.mode = mode;
  request->request.u.fcreate.gref = request->grefs[0];
  return (int)minios_fs_finish(import, request);
}

/* The names in that page, copied. */
static char **split_names(const char *page, int32_t count) {
  char **names = calloc((size_t)count + 1, sizeof *names);
  const char *end = page + PAGE_SIZE;
  for (int32_t i = 0; names != NULL && i < count; i++) {
    names[i] = strndup(page, (size_t)(end - page));
    page += names[i] == NULL ? 0 : strlen(names[i]) + 1;
  }
  return names;
}

char **fs_list(struct fs_import *import, char *name, int32_t offset, int32_t *nr_files, int *has_more) {
  int error;
  struct fs_request *request = begin_named(import, REQ_DIR_LIST, name, &error);
  if (request == NULL) {
    *nr_files = error;
    return NULL;
  }
  request->request.u.flist.offset = (uint32_t)offset;
  request->request.u.flist.gref = request->grefs[0];
  minios_fs_send(import, request);
  int64_t answer = minios_fs_answer(import, request);
  error = answer < 0 ? (int)answer : minios_linux_error(-(int64_t)((answer & ERROR_MASK) >> ERROR_SHIFT));
  *nr_files = error < 0 ? error : (int32_t)(answer & NR_FILES_MASK);
  if (has_more != NULL)
    *has_more = error == 0 && (answer & HAS_MORE_FLAG) != 0;
  char **names = error < 0 ? NULL : split_names(request->pages, *nr_files);
  minios_fs_release(request);
  return names;
}

int fs_chmod(struct fs_import *import, int fd, int32_t mode) {
  struct fs_request *request = minios_fs_begin(import, REQ_CHMOD);
  if (request == NULL)
    return -ENOMEM;
  request->request.u.fchmod.fd = (uint32_t)fd;
  request->request.u.fchmod.mode = mode;
  return (int)minios_fs_finish(import, request);
}

int64_t fs_space(struct fs_import *import, char *location) {
  int error;
  struct fs_request *request = begin_named(import, REQ_FS_SPACE, location, &error);
  if (request == NULL)
    return error;
  request->request.u.fspace.gref = request->grefs[0];
  return minios_fs_finish(import, request);
}

int fs_sync(struct fs_import *import, int fd) {
  struct fs_request *request = minios_fs_begin(import, REQ_FILE_SYNC);
  if (request == NULL)
    return -ENOMEM;
  request->request.u.fsync.fd = (uint32_t)fd;
  return (int)minios_fs_finish(import, request);
}

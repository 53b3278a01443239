/* Reading and writing at a position, and of several buffers at once. */
#include "cancel-point.h"
#include "object-file.h"
#include "result.h"
#include "settling.h"

#include <limits.h>
#include <mini-os/api.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

ssize_t pread(int fd, void *buffer, size_t count, off_t offset) {
  struct minios_file *file = minios_file_of(fd);
  if (file != NULL)
    return minios_result(_REENT, MINIOS_CANCELLABLE(minios_file_read_at(file, buffer, count, offset)));
  minios_settle(fd);
  return minios_result(_REENT, MINIOS_CANCELLABLE(minios_pread(fd, buffer, count, offset)));
}

ssize_t pwrite(int fd, const void *buffer, size_t count, off_t offset) {
  struct minios_file *file = minios_file_of(fd);
  if (file != NULL)
    return minios_result(_REENT, MINIOS_CANCELLABLE(minios_file_write_at(file, buffer, count, offset)));
  minios_settle(fd);
  ssize_t written = MINIOS_CANCELLABLE(minios_pwrite(fd, buffer, count, offset));
  minios_refresh(fd);
  return minios_result(_REENT, written);
}

/* The sum of all lengths, or -1 with EINVAL. */
static ssize_t total(const struct iovec *parts, int count) {
  size_t sum = 0;
  if (count < 0 || count > IOV_MAX)
    return minios_failed(_REENT, EINVAL);
  for (int i = 0; i < count; i++)
    if (__builtin_add_overflow(sum, parts[i].iov_len, &sum) || sum > __PTRDIFF_MAX__)
      return minios_failed(_REENT, EINVAL);
  return (ssize_t)sum;
}

/* One call of the kernel for all parts, as they are one call of the program's. */
static ssize_t gather(int fd, const struct iovec *parts, int count, const off_t *offset) {
  ssize_t length = total(parts, count);
  if (length < 0)
    return -1;
  char *all = malloc(length == 0 ? 1 : (size_t)length);
  if (all == NULL)
    return -1;
  char *to = all;
  for (int i = 0; i < count; i++)
    to = (char *)memcpy(to, parts[i].iov_base, parts[i].iov_len) + parts[i].iov_len;
  ssize_t written = offset == NULL ? write(fd, all, (size_t)length) : pwrite(fd, all, (size_t)length, *offset);
  free(all);
  return written;
}

static ssize_t scatter(int fd, const struct iovec *parts, int count, const off_t *offset) {
  ssize_t length = total(parts, count);
  if (length < 0)
    return -1;
  char *all = malloc(length == 0 ? 1 : (size_t)length);
  if (all == NULL)
    return -1;
  ssize_t got = offset == NULL ? read(fd, all, (size_t)length) : pread(fd, all, (size_t)length, *offset);
  const char *from = all;
  for (ssize_t rest = got; rest > 0; parts++) {
    size_t part = (size_t)rest < parts->iov_len ? (size_t)rest : parts->iov_len;
    memcpy(parts->iov_base, from, part);
    from += part;
    rest -= (ssize_t)part;
  }
  free(all);
  return got;
}

ssize_t readv(int fd, const struct iovec *parts, int count) {
  return scatter(fd, parts, count, NULL);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  return gather(fd, parts, count, NULL);
}

ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset) {
  return scatter(fd, parts, count, &offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
  return gather(fd, parts, count, &offset);
}

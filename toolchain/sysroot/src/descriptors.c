/*
 * Descriptors. Each call asks for the descriptor's kind first, since an image that links lwip has sockets of its own
 * beside the kernel's console and files; no such image is built yet, so every kind goes to the kernel.
 */
#include "result.h"

#include <fcntl.h>
#include <limits.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The kind, or -1 with errno. */
static int kind_of(struct _reent *reent, int fd) {
  return (int)minios_result(reent, minios_fd_kind(fd));
}

_ssize_t _read_r(struct _reent *reent, int fd, void *buffer, size_t count) {
  if (kind_of(reent, fd) < 0)
    return -1;
  return minios_result(reent, minios_read(fd, buffer, count));
}

_ssize_t _write_r(struct _reent *reent, int fd, const void *buffer, size_t count) {
  if (kind_of(reent, fd) < 0)
    return -1;
  return minios_result(reent, minios_write(fd, buffer, count));
}

int _close_r(struct _reent *reent, int fd) {
  if (kind_of(reent, fd) < 0)
    return -1;
  return (int)minios_result(reent, minios_close(fd));
}

_off_t _lseek_r(struct _reent *reent, int fd, _off_t offset, int whence) {
  int64_t position;
  if (minios_result(reent, minios_lseek(fd, offset, whence, &position)) < 0)
    return -1;
  if (position > LONG_MAX) /* off_t is long, 32 bits on x86-32 */
    return minios_failed(reent, EOVERFLOW);
  return (_off_t)position;
}

int _isatty_r(struct _reent *reent, int fd) {
  int kind = kind_of(reent, fd);
  if (kind < 0)
    return 0;
  if (kind == MINIOS_FD_CONSOLE && minios_isatty(fd) == 1)
    return 1;
  reent->_errno = ENOTTY;
  return 0;
}

int _fcntl_r(struct _reent *reent, int fd, int command, int argument) {
  if (kind_of(reent, fd) < 0)
    return -1;
  switch (command) {
    case F_GETFD: /* no program is ever executed in this one's place */
    case F_SETFD:
      return 0;
    default:
      return (int)minios_result(reent, minios_fcntl(fd, command, argument));
  }
}

int dup(int fd) {
  return _fcntl_r(_REENT, fd, F_DUPFD, 0);
}

int dup2(int from, int to) {
  return (int)minios_result(_REENT, minios_dup2(from, to));
}

static int set_nonblocking(struct _reent *reent, int fd, bool nonblocking) {
  int flags = _fcntl_r(reent, fd, F_GETFL, 0);
  if (flags < 0)
    return -1;
  flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  return _fcntl_r(reent, fd, F_SETFL, flags) < 0 ? -1 : 0;
}

int ioctl(int fd, unsigned long request, ...) {
  struct _reent *reent = _REENT;
  va_list arguments;
  va_start(arguments, request);
  const int *value = va_arg(arguments, const int *);
  va_end(arguments);

  if (kind_of(reent, fd) < 0)
    return -1;
  if (request == FIONBIO)
    return set_nonblocking(reent, fd, *value != 0);
  return minios_failed(reent, ENOTTY);
}

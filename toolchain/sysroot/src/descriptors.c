/*
 * Descriptors. Reads and writes ask first whether the open file is one of the image's own objects, such as a socket, and then
 * it is asked; all else is the kernel's.
 */
#include "cancel-point.h"
#include "object-file.h"
#include "result.h"
#include "settling.h"

#include <fcntl.h>
#include <limits.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The kind, or -1 with errno. */
static int kind_of(struct _reent *reent, int fd) {
  return (int)minios_result(reent, minios_fd_kind(fd));
}

_ssize_t _read_r(struct _reent *reent, int fd, void *buffer, size_t count) {
  struct minios_object *object;
  if (!minios_find_object(reent, fd, &object))
    return -1;
  if (object != NULL)
    return minios_result(reent, MINIOS_CANCELLABLE(minios_object_read(object, buffer, count)));
  minios_settle(fd);
  return minios_result(reent, MINIOS_CANCELLABLE(minios_read(fd, buffer, count)));
}

_ssize_t _write_r(struct _reent *reent, int fd, const void *buffer, size_t count) {
  struct minios_object *object;
  if (!minios_find_object(reent, fd, &object))
    return -1;
  if (object != NULL)
    return minios_result(reent, MINIOS_CANCELLABLE(minios_object_write(object, buffer, count)));
  minios_settle(fd);
  ssize_t written = MINIOS_CANCELLABLE(minios_write(fd, buffer, count));
  minios_refresh(fd);
  return minios_result(reent, written);
}

int _close_r(struct _reent *reent, int fd) {
  struct minios_object *object;
  if (!minios_find_object(reent, fd, &object))
    return -1;
  int result = (int)minios_result(reent, MINIOS_CANCELLABLE(minios_close(fd)));
  if (result <= 0)
    return result;
  object->calls->close(object);
  return 0;
}

_off_t _lseek_r(struct _reent *reent, int fd, _off_t offset, int whence) {
  struct minios_file *file = minios_file_of(fd);
  int64_t position;
  int result = file != NULL ? minios_file_seek(file, offset, whence, &position)
                            : minios_lseek(fd, offset, whence, &position);
  if (minios_result(reent, result) < 0)
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

/* One process has all locks that there are. */
static int lock(struct _reent *reent, int command, struct flock *wanted) {
  if (wanted->l_type != F_RDLCK && wanted->l_type != F_WRLCK && (wanted->l_type != F_UNLCK || command == F_GETLK))
    return minios_failed(reent, EINVAL);
  if (wanted->l_whence < SEEK_SET || wanted->l_whence > SEEK_END)
    return minios_failed(reent, EINVAL);
  if (command == F_GETLK)
    wanted->l_type = F_UNLCK;
  return 0;
}

int fcntl(int fd, int command, ...) {
  struct _reent *reent = _REENT;
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);

  if (kind_of(reent, fd) < 0)
    return -1;
  switch (command) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
      return lock(reent, command, argument);
    default:
      return _fcntl_r(reent, fd, command, (int)(intptr_t)argument);
  }
}

int _fcntl_r(struct _reent *reent, int fd, int command, int argument) {
  if (kind_of(reent, fd) < 0)
    return -1;
  return (int)minios_result(reent, minios_fcntl(fd, command, argument));
}

int flock(int fd, int operation) {
  if (kind_of(_REENT, fd) < 0)
    return -1;
  switch (operation & ~LOCK_NB) {
    case LOCK_SH:
    case LOCK_EX:
    case LOCK_UN:
      return 0;
    default:
      return minios_failed(_REENT, EINVAL);
  }
}

int lockf(int fd, int command, off_t length) {
  (void)length;
  if (kind_of(_REENT, fd) < 0)
    return -1;
  return command >= F_ULOCK && command <= F_TEST ? 0 : minios_failed(_REENT, EINVAL);
}

int dup(int fd) {
  return _fcntl_r(_REENT, fd, F_DUPFD, 0);
}

/* What `to` was is closed first, since the kernel cannot close an object. */
static int replace(int from, int to, int flags) {
  struct _reent *reent = _REENT;
  if (kind_of(reent, from) < 0)
    return -1;
  if (from != to && minios_fd_kind(to) >= MINIOS_FD_SOCKET)
    _close_r(reent, to);
  return (int)minios_result(reent, minios_dup2(from, to, flags));
}

int dup2(int from, int to) {
  return replace(from, to, 0);
}

int dup3(int from, int to, int flags) {
  if (from == to || (flags & ~O_CLOEXEC))
    return minios_failed(_REENT, EINVAL);
  return replace(from, to, flags);
}

int pipe2(int fds[2], int flags) {
  if (flags & ~(O_NONBLOCK | O_CLOEXEC))
    return minios_failed(_REENT, EINVAL);
  return MINIOS_INT(minios_pipe(fds, flags));
}

int pipe(int fds[2]) {
  return pipe2(fds, 0);
}

int getdtablesize(void) {
  return OPEN_MAX;
}

static int set_nonblocking(struct _reent *reent, int fd, bool nonblocking) {
  int flags = _fcntl_r(reent, fd, F_GETFL, 0);
  if (flags < 0)
    return -1;
  flags = nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
  return _fcntl_r(reent, fd, F_SETFL, flags) < 0 ? -1 : 0;
}

static int count_waiting(struct _reent *reent, int fd, int *result) {
  int waiting = (int)minios_result(reent, minios_waiting(fd));
  if (waiting < 0)
    return -1;
  *result = waiting;
  return 0;
}

/* Nobody says how large the person's terminal is. */
static int window_size(struct _reent *reent, int fd, struct winsize *result) {
  if (minios_isatty(fd) != 1)
    return minios_failed(reent, ENOTTY);
  *result = (struct winsize){0};
  return 0;
}

int ioctl(int fd, unsigned long request, ...) {
  struct _reent *reent = _REENT;
  va_list arguments;
  va_start(arguments, request);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);

  struct minios_object *object;
  if (!minios_find_object(reent, fd, &object))
    return -1;
  if (request == FIONBIO)
    return set_nonblocking(reent, fd, *(const int *)argument != 0);
  if (object != NULL && object->calls->control != NULL)
    return (int)minios_result(reent, object->calls->control(object, request, argument));
  switch (request) {
    case FIONREAD:
      return count_waiting(reent, fd, argument);
    case TIOCGWINSZ:
      return window_size(reent, fd, argument);
    default:
      return minios_failed(reent, ENOTTY);
  }
}

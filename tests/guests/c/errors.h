/* The name of an error number, since the numbers themselves are each C library's own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

static inline const char *error_name(int error) {
  static const struct {
    int number;
    const char *name;
  } names[] = {
      {EPERM, "EPERM"}, {ENOENT, "ENOENT"}, {EINTR, "EINTR"}, {EIO, "EIO"}, {ENXIO, "ENXIO"}, {EBADF, "EBADF"},
      {ECHILD, "ECHILD"}, {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EACCES, "EACCES"}, {EFAULT, "EFAULT"}, {EBUSY, "EBUSY"},
      {EEXIST, "EEXIST"}, {EXDEV, "EXDEV"}, {ENOTDIR, "ENOTDIR"}, {EISDIR, "EISDIR"}, {EINVAL, "EINVAL"}, {EMFILE, "EMFILE"},
      {ENOTTY, "ENOTTY"}, {EFBIG, "EFBIG"}, {ENOSPC, "ENOSPC"}, {ESPIPE, "ESPIPE"}, {EROFS, "EROFS"}, {EMLINK, "EMLINK"},
      {EPIPE, "EPIPE"}, {ERANGE, "ERANGE"}, {EDEADLK, "EDEADLK"}, {ENAMETOOLONG, "ENAMETOOLONG"}, {ENOSYS, "ENOSYS"},
      {ENOTEMPTY, "ENOTEMPTY"}, {ELOOP, "ELOOP"}, {EOVERFLOW, "EOVERFLOW"}, {ETIMEDOUT, "ETIMEDOUT"}, {ESRCH, "ESRCH"},
      {EOPNOTSUPP, "EOPNOTSUPP"}, {ENOTSUP, "EOPNOTSUPP"}, {ECANCELED, "ECANCELED"}, {EOWNERDEAD, "EOWNERDEAD"},
      {ENOTRECOVERABLE, "ENOTRECOVERABLE"}, {ENOTCONN, "ENOTCONN"}, {EISCONN, "EISCONN"}, {EADDRINUSE, "EADDRINUSE"},
      {ECONNREFUSED, "ECONNREFUSED"}, {ECONNRESET, "ECONNRESET"}, {EPROTOTYPE, "EPROTOTYPE"},
      {EPROTONOSUPPORT, "EPROTONOSUPPORT"},
  };
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (names[i].number == error)
      return names[i].name;
  return strerror(error);
}

/* One line: what was called, and its result or error. */
#define SAY(call)                                                          \
  do {                                                                     \
    errno = 0;                                                             \
    long result_ = (long)(call);                                           \
    if (result_ == -1)                                                     \
      printf("%d %s: %s\n", __LINE__, #call, error_name(errno));           \
    else                                                                   \
      printf("%d %s: %ld\n", __LINE__, #call, result_);                    \
  } while (0)

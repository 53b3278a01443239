/* readv and writev of POSIX. */
#ifndef _SYS_UIO_H_
#define _SYS_UIO_H_

#include <sys/types.h>

struct iovec {
  void *iov_base;
  size_t iov_len;
};

#ifdef __cplusplus
extern "C" {
#endif

ssize_t readv(int fd, const struct iovec *parts, int count);
ssize_t writev(int fd, const struct iovec *parts, int count);
ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset);
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset);

#ifdef __cplusplus
}
#endif

#endif

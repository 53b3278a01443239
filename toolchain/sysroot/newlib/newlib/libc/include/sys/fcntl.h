/* newlib's flags, and those that it has for Cygwin alone. */
#ifndef _SYS_FCNTL_H_
#define _SYS_FCNTL_H_

#include <sys/_default_fcntl.h>

#define O_DSYNC O_SYNC
#define O_RSYNC O_SYNC

#ifdef __cplusplus
extern "C" {
#endif

#define POSIX_FADV_NORMAL 0
#define POSIX_FADV_RANDOM 1
#define POSIX_FADV_SEQUENTIAL 2
#define POSIX_FADV_WILLNEED 3
#define POSIX_FADV_DONTNEED 4
#define POSIX_FADV_NOREUSE 5

int posix_fadvise(int fd, off_t offset, off_t length, int advice);
int posix_fallocate(int fd, off_t offset, off_t length);

#ifdef __cplusplus
}
#endif

#endif

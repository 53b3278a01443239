/* utime and its younger kin. */
#include "result.h"

#include <fcntl.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#define NANOSECONDS 1000000000

/* Both times in nanoseconds as the kernel takes them; -1 with EINVAL. */
static int kernel_times(const struct timespec *times, int64_t *result) {
  for (int i = 0; i < 2; i++) {
    if (times == NULL || times[i].tv_nsec == UTIME_NOW)
      result[i] = MINIOS_UTIME_NOW;
    else if (times[i].tv_nsec == UTIME_OMIT)
      result[i] = MINIOS_UTIME_OMIT;
    else if (times[i].tv_nsec < 0 || times[i].tv_nsec >= NANOSECONDS)
      return minios_failed(_REENT, EINVAL);
    else
      result[i] = (int64_t)times[i].tv_sec * NANOSECONDS + times[i].tv_nsec;
  }
  return 0;
}

int utimensat(int directory, const char *path, const struct timespec *times, int flags) {
  int64_t wanted[2];
  if (flags & ~AT_SYMLINK_NOFOLLOW)
    return minios_failed(_REENT, EINVAL);
  if (kernel_times(times, wanted) < 0)
    return -1;
  return MINIOS_INT(minios_utimensat(directory, path, wanted[0], wanted[1], flags));
}

int futimens(int fd, const struct timespec *times) {
  int64_t wanted[2];
  if (kernel_times(times, wanted) < 0)
    return -1;
  return MINIOS_INT(minios_futimens(fd, wanted[0], wanted[1]));
}

/* Microseconds as nanoseconds; NULL stays NULL, and what is no microsecond becomes no nanosecond. */
static const struct timespec *finer(const struct timeval *times, struct timespec *result) {
  if (times == NULL)
    return NULL;
  for (int i = 0; i < 2; i++) {
    int valid = times[i].tv_usec >= 0 && times[i].tv_usec < 1000000;
    result[i] = (struct timespec){.tv_sec = times[i].tv_sec, .tv_nsec = valid ? times[i].tv_usec * 1000 : NANOSECONDS};
  }
  return result;
}

int futimesat(int directory, const char *path, const struct timeval *times) {
  struct timespec fine[2];
  return utimensat(directory, path, finer(times, fine), 0);
}

int utimes(const char *path, const struct timeval *times) {
  return futimesat(AT_FDCWD, path, times);
}

int lutimes(const char *path, const struct timeval *times) {
  struct timespec fine[2];
  return utimensat(AT_FDCWD, path, finer(times, fine), AT_SYMLINK_NOFOLLOW);
}

int futimes(int fd, const struct timeval *times) {
  struct timespec fine[2];
  return futimens(fd, finer(times, fine));
}

int utime(const char *path, const struct utimbuf *times) {
  if (times == NULL)
    return utimensat(AT_FDCWD, path, NULL, 0);
  struct timespec fine[2] = {{.tv_sec = times->actime}, {.tv_sec = times->modtime}};
  return utimensat(AT_FDCWD, path, fine, 0);
}

/* Files and directories, by path or descriptor. */
#include "result.h"

#include <fcntl.h>
#include <limits.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#define NANOSECONDS 1000000000

int _open_r(struct _reent *reent, const char *path, int flags, int mode) {
  return (int)minios_result(reent, minios_open(path, flags, mode));
}

static int fill(struct _reent *reent, struct stat *result, const struct minios_stat *from) {
  if (from->size > LONG_MAX)
    return minios_failed(reent, EOVERFLOW);
  memset(result, 0, sizeof *result);
  result->st_ino = (ino_t)from->ino;
  result->st_mode = (mode_t)from->mode;
  result->st_nlink = (nlink_t)from->nlink;
  result->st_size = (off_t)from->size;
  result->st_mtim.tv_sec = (time_t)(from->mtime_ns / NANOSECONDS);
  result->st_mtim.tv_nsec = (long)(from->mtime_ns % NANOSECONDS);
  result->st_atim = result->st_mtim;
  result->st_ctim = result->st_mtim;
  result->st_blksize = 4096;
  result->st_blocks = (blkcnt_t)((from->size + 511) / 512);
  return 0;
}

int _fstat_r(struct _reent *reent, int fd, struct stat *result) {
  struct minios_stat from;
  if (minios_result(reent, minios_fstat(fd, &from)) < 0)
    return -1;
  return fill(reent, result, &from);
}

int _stat_r(struct _reent *reent, const char *path, struct stat *result) {
  struct minios_stat from;
  if (minios_result(reent, minios_stat(path, &from)) < 0)
    return -1;
  return fill(reent, result, &from);
}

/* There are no symbolic links. */
int lstat(const char *path, struct stat *result) {
  return _stat_r(_REENT, path, result);
}

/* One user, who may do everything that the file's kind allows. */
int access(const char *path, int mode) {
  struct _reent *reent = _REENT;
  struct stat found;
  if (_stat_r(reent, path, &found) < 0)
    return -1;
  if ((mode & X_OK) && !S_ISDIR(found.st_mode) && !(found.st_mode & 0111))
    return minios_failed(reent, EACCES);
  return 0;
}

int ftruncate(int fd, off_t length) {
  return (int)minios_result(_REENT, minios_ftruncate(fd, length));
}

int truncate(const char *path, off_t length) {
  struct _reent *reent = _REENT;
  int fd = (int)minios_result(reent, minios_open(path, O_WRONLY, 0));
  if (fd < 0)
    return -1;
  int result = (int)minios_result(reent, minios_ftruncate(fd, length));
  minios_close(fd);
  return result;
}

int chmod(const char *path, mode_t mode) {
  return (int)minios_result(_REENT, minios_chmod(path, (int)mode));
}

int fchmod(int fd, mode_t mode) {
  return (int)minios_result(_REENT, minios_fchmod(fd, (int)mode));
}

/* All files belong to user and group 0, which is all there is; -1 leaves an owner as it is. */
static int own(struct _reent *reent, int found, uid_t user, gid_t group) {
  if (found < 0)
    return -1;
  if ((user != 0 && user != (uid_t)-1) || (group != 0 && group != (gid_t)-1))
    return minios_failed(reent, EINVAL);
  return 0;
}

int chown(const char *path, uid_t user, gid_t group) {
  struct stat found;
  return own(_REENT, _stat_r(_REENT, path, &found), user, group);
}

int lchown(const char *path, uid_t user, gid_t group) {
  return chown(path, user, group);
}

int fchown(int fd, uid_t user, gid_t group) {
  return own(_REENT, (int)minios_result(_REENT, minios_fd_kind(fd)), user, group);
}

static int set_modified(const char *path, int64_t nanoseconds) {
  return (int)minios_result(_REENT, minios_utime(path, nanoseconds));
}

static int set_modified_now(const char *path) {
  int64_t now;
  if (minios_result(_REENT, minios_clock_ns(MINIOS_CLOCK_REALTIME, &now)) < 0)
    return -1;
  return set_modified(path, now);
}

/* No file keeps a time of access. */
int utime(const char *path, const struct utimbuf *times) {
  return times == NULL ? set_modified_now(path) : set_modified(path, (int64_t)times->modtime * NANOSECONDS);
}

int utimes(const char *path, const struct timeval *times) {
  if (times == NULL)
    return set_modified_now(path);
  return set_modified(path, (int64_t)times[1].tv_sec * NANOSECONDS + (int64_t)times[1].tv_usec * 1000);
}

/* Files are in memory: there is nothing behind them to wait for. */
int fsync(int fd) {
  return (int)minios_result(_REENT, minios_fd_kind(fd)) < 0 ? -1 : 0;
}

int _unlink_r(struct _reent *reent, const char *path) {
  return (int)minios_result(reent, minios_unlink(path));
}

int _rename_r(struct _reent *reent, const char *from, const char *to) {
  return (int)minios_result(reent, minios_rename(from, to));
}

int _link_r(struct _reent *reent, const char *from, const char *to) {
  (void)from;
  (void)to;
  return minios_failed(reent, ENOSYS);
}

char *getcwd(char *buffer, size_t size) {
  char *place = buffer;
  if (place == NULL) {
    size = size == 0 ? PATH_MAX : size;
    place = malloc(size);
    if (place == NULL)
      return NULL;
  }
  if (minios_result(_REENT, minios_getcwd(place, size)) >= 0)
    return place;
  if (buffer == NULL)
    free(place);
  return NULL;
}

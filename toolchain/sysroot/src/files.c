/* Files by name and by descriptor. Names from a directory are the kernel's; the older calls begin at AT_FDCWD. */
#include "cancel-point.h"
#include "mounts.h"
#include "object-file.h"
#include "result.h"
#include "settling.h"

#include <fcntl.h>
#include <limits.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define NANOSECONDS 1000000000

int minios_open_path(int directory, const char *path, int flags, int mode) {
  const char *rest;
  struct minios_mount *mount = minios_mount_of(path, &rest);
  if (mount != NULL)
    return mount->calls->open(mount, rest, flags, mode);
  return MINIOS_CANCELLABLE(minios_openat(directory, path, flags, mode));
}

int _open_r(struct _reent *reent, const char *path, int flags, int mode) {
  return (int)minios_result(reent, minios_open_path(AT_FDCWD, path, flags, mode));
}

int openat(int directory, const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  int mode = flags & O_CREAT ? va_arg(arguments, int) : 0;
  va_end(arguments);
  return MINIOS_INT(minios_open_path(directory, path, flags, mode));
}

static struct timespec timespec_of(int64_t nanoseconds) {
  int64_t rest = nanoseconds % NANOSECONDS;
  if (rest < 0)
    rest += NANOSECONDS;
  return (struct timespec){.tv_sec = (time_t)((nanoseconds - rest) / NANOSECONDS), .tv_nsec = (long)rest};
}

static int fill(struct _reent *reent, struct stat *result, const struct minios_stat *from) {
  if (from->size > LONG_MAX)
    return minios_failed(reent, EOVERFLOW);
  memset(result, 0, sizeof *result);
  result->st_dev = from->dev;
  result->st_ino = from->ino;
  result->st_mode = (mode_t)from->mode;
  result->st_nlink = from->nlink;
  result->st_rdev = from->rdev;
  result->st_size = (off_t)from->size;
  result->st_atim = timespec_of(from->atime_ns);
  result->st_mtim = timespec_of(from->mtime_ns);
  result->st_ctim = timespec_of(from->ctime_ns);
  result->st_blksize = 4096;
  result->st_blocks = (blkcnt_t)from->blocks;
  return 0;
}

/* By whoever answers for the descriptor. */
static int status_of(int fd, struct minios_stat *result) {
  struct minios_file *file = minios_file_of(fd);
  return file != NULL ? minios_file_status(file, result) : minios_fstat(fd, result);
}

static int set_length(int fd, int64_t length) {
  struct minios_file *file = minios_file_of(fd);
  return file != NULL ? minios_file_truncate(file, length) : minios_ftruncate(fd, length);
}

static int flush(int fd, int data_only) {
  struct minios_file *file = minios_file_of(fd);
  return file != NULL ? minios_file_flush(file) : minios_fsync(fd, data_only);
}

int _fstat_r(struct _reent *reent, int fd, struct stat *result) {
  struct minios_stat from;
  if (minios_result(reent, status_of(fd, &from)) < 0)
    return -1;
  return fill(reent, result, &from);
}

static int status(struct _reent *reent, int directory, const char *path, struct stat *result, int flags) {
  struct minios_stat from;
  const char *rest;
  struct minios_mount *mount = minios_mount_of(path, &rest);
  int error = mount != NULL ? mount->calls->status(mount, rest, &from)
                            : minios_fstatat(directory, path, &from, flags);
  if (minios_result(reent, error) < 0)
    return -1;
  return fill(reent, result, &from);
}

int _stat_r(struct _reent *reent, const char *path, struct stat *result) {
  return status(reent, AT_FDCWD, path, result, 0);
}

int lstat(const char *path, struct stat *result) {
  return status(_REENT, AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW);
}

int fstatat(int directory, const char *path, struct stat *result, int flags) {
  if (flags & ~AT_SYMLINK_NOFOLLOW)
    return minios_failed(_REENT, EINVAL);
  return status(_REENT, directory, path, result, flags);
}

/* One user, who may do everything that the file's kind and its folder allow. */
int faccessat(int directory, const char *path, int mode, int flags) {
  struct _reent *reent = _REENT;
  struct stat found;
  if ((mode & ~(R_OK | W_OK | X_OK)) || (flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW)))
    return minios_failed(reent, EINVAL);
  if (status(reent, directory, path, &found, flags & AT_SYMLINK_NOFOLLOW) < 0)
    return -1;
  struct minios_statvfs space;
  if ((mode & W_OK) && directory == AT_FDCWD && minios_statvfs(path, &space) == 0 && space.read_only)
    return minios_failed(reent, EROFS);
  if ((mode & X_OK) && !S_ISDIR(found.st_mode) && !(found.st_mode & 0111))
    return minios_failed(reent, EACCES);
  return 0;
}

int access(const char *path, int mode) {
  return faccessat(AT_FDCWD, path, mode, 0);
}

int ftruncate(int fd, off_t length) {
  minios_settle(fd);
  int result = set_length(fd, length);
  minios_refresh(fd);
  return MINIOS_INT(result);
}

int truncate(const char *path, off_t length) {
  struct _reent *reent = _REENT;
  int fd = (int)minios_result(reent, minios_openat(AT_FDCWD, path, O_WRONLY, 0));
  if (fd < 0)
    return -1;
  minios_settle(fd);
  int result = (int)minios_result(reent, minios_ftruncate(fd, length));
  minios_refresh(fd);
  minios_close(fd);
  return result;
}

int fsync(int fd) {
  minios_settle(fd);
  return MINIOS_INT(MINIOS_CANCELLABLE(flush(fd, 0)));
}

int fdatasync(int fd) {
  minios_settle(fd);
  return MINIOS_INT(MINIOS_CANCELLABLE(flush(fd, 1)));
}

/* What is written to the host lies with its kernel already. */
void sync(void) {}

int posix_fadvise(int fd, off_t offset, off_t length, int advice) {
  (void)offset;
  int kind = minios_fd_kind(fd);
  if (kind < 0)
    return -kind;
  if (kind == MINIOS_FD_PIPE)
    return ESPIPE;
  return length < 0 || advice < POSIX_FADV_NORMAL || advice > POSIX_FADV_NOREUSE ? EINVAL : 0;
}

/* As long as it must be; where zeros are, no room is kept. */
int posix_fallocate(int fd, off_t offset, off_t length) {
  struct minios_stat found;
  if (offset < 0 || length <= 0)
    return EINVAL;
  int result = status_of(fd, &found);
  if (result == 0 && !S_ISREG(found.mode))
    return ENODEV;
  if (result == 0 && found.size < (int64_t)offset + length)
    result = set_length(fd, (int64_t)offset + length);
  return -result;
}

int chmod(const char *path, mode_t mode) {
  return fchmodat(AT_FDCWD, path, mode, 0);
}

int fchmod(int fd, mode_t mode) {
  return MINIOS_INT(minios_fchmod(fd, (int)mode));
}

int fchmodat(int directory, const char *path, mode_t mode, int flags) {
  return MINIOS_INT(minios_fchmodat(directory, path, (int)mode, flags));
}

int lchmod(const char *path, mode_t mode) {
  return fchmodat(AT_FDCWD, path, mode, AT_SYMLINK_NOFOLLOW);
}

/* All files belong to user and group 0, which is all there is; -1 leaves an owner as it is. */
static int own(struct _reent *reent, int found, uid_t user, gid_t group) {
  if (found < 0)
    return -1;
  if ((user != 0 && user != (uid_t)-1) || (group != 0 && group != (gid_t)-1))
    return minios_failed(reent, EPERM);
  return 0;
}

int fchownat(int directory, const char *path, uid_t user, gid_t group, int flags) {
  struct stat found;
  if (flags & ~AT_SYMLINK_NOFOLLOW)
    return minios_failed(_REENT, EINVAL);
  return own(_REENT, status(_REENT, directory, path, &found, flags), user, group);
}

int chown(const char *path, uid_t user, gid_t group) {
  return fchownat(AT_FDCWD, path, user, group, 0);
}

int lchown(const char *path, uid_t user, gid_t group) {
  return fchownat(AT_FDCWD, path, user, group, AT_SYMLINK_NOFOLLOW);
}

int fchown(int fd, uid_t user, gid_t group) {
  return own(_REENT, MINIOS_INT(minios_fd_kind(fd)), user, group);
}

static int remove_path(int directory, const char *path, int flags) {
  const char *rest;
  struct minios_mount *mount = minios_mount_of(path, &rest);
  return mount != NULL ? mount->calls->remove(mount, rest, flags)
                       : minios_unlinkat(directory, path, flags);
}

int unlinkat(int directory, const char *path, int flags) {
  return MINIOS_INT(remove_path(directory, path, flags));
}

int _unlink_r(struct _reent *reent, const char *path) {
  return (int)minios_result(reent, remove_path(AT_FDCWD, path, 0));
}

int rmdir(const char *path) {
  return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int _remove_r(struct _reent *reent, const char *path) {
  if (_unlink_r(reent, path) == 0)
    return 0;
  return reent->_errno == EISDIR ? rmdir(path) : -1;
}

int remove(const char *path) {
  return _remove_r(_REENT, path);
}

static int rename_path(int from_directory, const char *from, int to_directory, const char *to) {
  const char *old_rest, *new_rest;
  struct minios_mount *mount = minios_mount_of(from, &old_rest);
  if (mount != minios_mount_of(to, &new_rest))
    return -EXDEV;
  return mount != NULL ? mount->calls->rename(mount, old_rest, new_rest)
                       : minios_renameat(from_directory, from, to_directory, to);
}

int _rename_r(struct _reent *reent, const char *from, const char *to) {
  return (int)minios_result(reent, rename_path(AT_FDCWD, from, AT_FDCWD, to));
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
  return MINIOS_INT(rename_path(from_directory, from, to_directory, to));
}

int _link_r(struct _reent *reent, const char *from, const char *to) {
  return (int)minios_result(reent, minios_linkat(AT_FDCWD, from, AT_FDCWD, to, 0));
}

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
  return MINIOS_INT(minios_linkat(from_directory, from, to_directory, to, flags));
}

int symlinkat(const char *text, int directory, const char *path) {
  return MINIOS_INT(minios_symlinkat(text, directory, path));
}

int symlink(const char *text, const char *path) {
  return symlinkat(text, AT_FDCWD, path);
}

ssize_t readlinkat(int directory, const char *path, char *buffer, size_t size) {
  return minios_result(_REENT, minios_readlinkat(directory, path, buffer, size));
}

ssize_t readlink(const char *path, char *buffer, size_t size) {
  return readlinkat(AT_FDCWD, path, buffer, size);
}

char *realpath(const char *path, char *result) {
  struct _reent *reent = _REENT;
  if (path == NULL) {
    minios_failed(reent, EINVAL);
    return NULL;
  }
  char *place = result == NULL ? malloc(PATH_MAX) : result;
  if (place == NULL || minios_result(reent, minios_realpath(path, place, PATH_MAX)) >= 0)
    return place;
  if (result == NULL)
    free(place);
  return NULL;
}

mode_t umask(mode_t mask) {
  return (mode_t)minios_umask((int)mask);
}

/* The tree has files, directories, links and sockets; devices are where the kernel made them. */
int mknodat(int directory, const char *path, mode_t mode, dev_t device) {
  (void)device;
  if (S_ISSOCK(mode))
    return MINIOS_INT(minios_make_socket_at(directory, path, (int)mode));
  if ((mode & S_IFMT) != 0 && !S_ISREG(mode))
    return minios_failed(_REENT, S_ISFIFO(mode) ? ENOSYS : EPERM);
  int fd = openat(directory, path, O_CREAT | O_EXCL | O_WRONLY, mode & ALLPERMS);
  if (fd < 0)
    return -1;
  minios_close(fd);
  return 0;
}

int mknod(const char *path, mode_t mode, dev_t device) {
  return mknodat(AT_FDCWD, path, mode, device);
}

int mkfifoat(int directory, const char *path, mode_t mode) {
  return mknodat(directory, path, S_IFIFO | mode, 0);
}

int mkfifo(const char *path, mode_t mode) {
  return mkfifoat(AT_FDCWD, path, mode);
}

static void fill_space(struct statvfs *result, const struct minios_statvfs *from) {
  *result = (struct statvfs){
      .f_bsize = from->block_size,
      .f_frsize = from->block_size,
      .f_blocks = (fsblkcnt_t)from->blocks,
      .f_bfree = (fsblkcnt_t)from->free_blocks,
      .f_bavail = (fsblkcnt_t)from->free_blocks,
      .f_files = (fsfilcnt_t)from->files,
      .f_ffree = (fsfilcnt_t)from->free_files,
      .f_favail = (fsfilcnt_t)from->free_files,
      .f_fsid = from->dev,
      .f_flag = from->read_only ? ST_RDONLY : 0,
      .f_namemax = from->name_max,
  };
}

int statvfs(const char *path, struct statvfs *result) {
  struct minios_statvfs from;
  if (MINIOS_INT(minios_statvfs(path, &from)) < 0)
    return -1;
  fill_space(result, &from);
  return 0;
}

int fstatvfs(int fd, struct statvfs *result) {
  struct minios_statvfs from;
  if (MINIOS_INT(minios_fstatvfs(fd, &from)) < 0)
    return -1;
  fill_space(result, &from);
  return 0;
}

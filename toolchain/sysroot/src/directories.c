/* Directories: reading them, making them, and the one that the program works in. */
#include "mounts.h"
#include "object-file.h"
#include "result.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct minios_directory {
  int fd;
  int next; /* number of the entry that comes next */
  struct dirent entry;
};

/* 1 where it is a directory, else a negative errno. */
static int is_directory(int fd) {
  struct minios_file *file = minios_file_of(fd);
  struct minios_stat found;
  int kind = minios_fd_kind(fd);
  if (file == NULL)
    return kind < 0 ? kind : kind == MINIOS_FD_DIRECTORY ? 1 : -ENOTDIR;
  int error = minios_file_status(file, &found);
  return error < 0 ? error : S_ISDIR(found.mode) ? 1 : -ENOTDIR;
}

DIR *fdopendir(int fd) {
  struct _reent *reent = _REENT;
  DIR *directory = minios_result(reent, is_directory(fd)) < 0 ? NULL : malloc(sizeof *directory);
  if (directory != NULL)
    *directory = (DIR){.fd = fd};
  return directory;
}

static DIR *open_directory(int at, const char *path) {
  int fd = MINIOS_INT(minios_open_path(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0));
  DIR *directory = fd < 0 ? NULL : fdopendir(fd);
  if (fd >= 0 && directory == NULL) {
    int error = errno;
    close(fd);
    errno = error;
  }
  return directory;
}

DIR *opendir(const char *path) {
  return open_directory(AT_FDCWD, path);
}

/* 1 and an entry, 0 behind the last, a negative errno. */
static int take(DIR *directory, struct dirent *entry) {
  struct minios_dirent from;
  struct minios_file *file = minios_file_of(directory->fd);
  int found = file != NULL ? minios_file_entry(file, directory->next, &from)
                           : minios_readdir(directory->fd, directory->next, &from);
  if (found != 1)
    return found;
  entry->d_ino = from.ino;
  entry->d_off = ++directory->next;
  entry->d_reclen = sizeof *entry;
  entry->d_type = (unsigned char)from.type;
  memcpy(entry->d_name, from.name, sizeof entry->d_name);
  return 1;
}

struct dirent *readdir(DIR *directory) {
  return minios_result(_REENT, take(directory, &directory->entry)) == 1 ? &directory->entry : NULL;
}

int readdir_r(DIR *directory, struct dirent *entry, struct dirent **result) {
  int found = take(directory, entry);
  *result = found == 1 ? entry : NULL;
  return found < 0 ? -found : 0;
}

void rewinddir(DIR *directory) {
  directory->next = 0;
}

long telldir(DIR *directory) {
  return directory->next;
}

/* Entry 0 would read the directory anew, in which places mean nothing; rewinddir does. */
void seekdir(DIR *directory, long place) {
  directory->next = (int)place;
}

int dirfd(DIR *directory) {
  return directory->fd;
}

int closedir(DIR *directory) {
  int fd = directory->fd;
  free(directory);
  return close(fd);
}

int alphasort(const struct dirent **one, const struct dirent **other) {
  return strcoll((*one)->d_name, (*other)->d_name);
}

static void forget(struct dirent **list, int count) {
  while (count > 0)
    free(list[--count]);
  free(list);
}

static int gather(DIR *directory, struct dirent ***result, int (*chosen)(const struct dirent *)) {
  struct dirent **list = NULL;
  int count = 0, found;
  while ((found = take(directory, &directory->entry)) == 1) {
    if (chosen != NULL && !chosen(&directory->entry))
      continue;
    struct dirent **longer = realloc(list, sizeof *list * (size_t)(count + 1));
    struct dirent *copy = longer == NULL ? NULL : malloc(sizeof *copy);
    list = longer == NULL ? list : longer;
    if (copy == NULL) {
      found = -ENOMEM;
      break;
    }
    *copy = directory->entry;
    list[count++] = copy;
  }
  if (found == 0) {
    *result = list;
    return count;
  }
  forget(list, count);
  return minios_failed(_REENT, -found);
}

int scandirat(int at, const char *path, struct dirent ***result, int (*chosen)(const struct dirent *),
              int (*compare)(const struct dirent **, const struct dirent **)) {
  DIR *directory = open_directory(at, path);
  if (directory == NULL)
    return -1;
  int count = gather(directory, result, chosen);
  closedir(directory);
  if (count > 1 && compare != NULL)
    qsort(*result, (size_t)count, sizeof **result, (int (*)(const void *, const void *))compare);
  return count;
}

int scandir(const char *path, struct dirent ***result, int (*chosen)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **)) {
  return scandirat(AT_FDCWD, path, result, chosen, compare);
}

static int make_path(int directory, const char *path, int mode) {
  const char *rest;
  struct minios_mount *mount = minios_mount_of(path, &rest);
  return mount != NULL ? mount->calls->make_directory(mount, rest, mode)
                       : minios_mkdirat(directory, path, mode);
}

int mkdirat(int directory, const char *path, mode_t mode) {
  return MINIOS_INT(make_path(directory, path, (int)mode));
}

int mkdir(const char *path, mode_t mode) {
  return mkdirat(AT_FDCWD, path, mode);
}

int _mkdir_r(struct _reent *reent, const char *path, int mode) {
  return (int)minios_result(reent, make_path(AT_FDCWD, path, mode));
}

int chdir(const char *path) {
  return MINIOS_INT(minios_chdir(path));
}

int fchdir(int fd) {
  return MINIOS_INT(minios_fchdir(fd));
}

char *getcwd(char *buffer, size_t size) {
  char *place = buffer;
  if (buffer != NULL && size == 0) {
    minios_failed(_REENT, EINVAL);
    return NULL;
  }
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

char *get_current_dir_name(void) {
  return getcwd(NULL, 0);
}

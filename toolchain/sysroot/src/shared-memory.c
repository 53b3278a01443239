/* shm_open: files of a folder of the in-memory root, since nobody else is there to share them with. */
#include "result.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char folder[] = "/dev/shm/";

/* NAME_MAX characters but for the slash that it may begin with; false with errno. */
static bool is_path(const char *name, char *path) {
  if (*name == '/')
    name++;
  size_t length = strlen(name);
  if (length == 0 || strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
    minios_failed(_REENT, EINVAL);
    return false;
  }
  if (length > NAME_MAX) {
    minios_failed(_REENT, ENAMETOOLONG);
    return false;
  }
  strcpy(path, folder);
  strcat(path, name);
  return true;
}

int shm_open(const char *name, int flags, mode_t mode) {
  char path[sizeof folder + NAME_MAX];
  if (!is_path(name, path))
    return -1;
  if ((flags & O_ACCMODE) == O_WRONLY)
    return minios_failed(_REENT, EINVAL);
  if (flags & O_CREAT) {
    int before = errno;
    mkdir("/dev/shm", 01777);
    errno = before;
  }
  return open(path, (flags & (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC)) | O_NOFOLLOW | O_CLOEXEC, mode);
}

int shm_unlink(const char *name) {
  char path[sizeof folder + NAME_MAX];
  return is_path(name, path) ? unlink(path) : -1;
}

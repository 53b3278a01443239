/* Which paths lead into folders that the image itself reaches (mounts.h); nearly no image has any. */
#include "mounts.h"

#include <string.h>

struct minios_mount *minios_mounts;

struct minios_mount *minios_mount_of(const char *path, const char **rest) {
  for (struct minios_mount *mount = minios_mounts; mount != NULL && path != NULL; mount = mount->next) {
    size_t length = strlen(mount->place);
    if (strncmp(path, mount->place, length) != 0 || (path[length] != '/' && path[length] != '\0'))
      continue;
    *rest = path + length;
    return mount;
  }
  return NULL;
}

/* Folders that the image itself reaches, at places of the tree: paths below them go to the mount's own calls, not to the kernel. */
#ifndef MINIOS_MOUNTS_H
#define MINIOS_MOUNTS_H

#include <mini-os/posix.h>
#include <stddef.h>

struct minios_mount;

/* What fails answers with a negative errno; paths are those behind the mount's own. */
struct minios_mount_calls {
  /* A descriptor. */
  int (*open)(struct minios_mount *mount, const char *path, int flags, int mode);
  int (*status)(struct minios_mount *mount, const char *path, struct minios_stat *result);
  int (*make_directory)(struct minios_mount *mount, const char *path, int mode);
  /* flags: AT_REMOVEDIR */
  int (*remove)(struct minios_mount *mount, const char *path, int flags);
  int (*rename)(struct minios_mount *mount, const char *from, const char *to);
};

struct minios_mount {
  struct minios_mount *next;
  const char *place; /* absolute */
  const struct minios_mount_calls *calls;
};

/* The newest comes first. */
extern struct minios_mount *minios_mounts;

/* A descriptor, or a negative errno: of a mount's, or of the kernel's. */
int minios_open_path(int directory, const char *path, int flags, int mode);

/* The mount that an absolute path leads into, and the rest of the path; else NULL. */
struct minios_mount *minios_mount_of(const char *path, const char **rest);

#endif

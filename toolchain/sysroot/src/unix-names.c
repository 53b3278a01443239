/* Names of AF_UNIX sockets: nodes of the file system, and names beside it that begin with a NUL, as on Linux (unix(7)). */
#include "mounts.h"
#include "unix-names.h"

#include <fcntl.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

struct minios_unix *minios_unix_all;

/* The path of an address, which need not end with a NUL there. */
static void path_of(const struct sockaddr_un *address, socklen_t length, char path[sizeof address->sun_path + 1]) {
  memcpy(path, address->sun_path, length - PATH_AT);
  path[length - PATH_AT] = '\0';
}

static bool is_valid(const void *address, socklen_t length) {
  return length > PATH_AT && length <= sizeof(struct sockaddr_un) &&
         ((const struct sockaddr_un *)address)->sun_family == AF_UNIX;
}

static struct minios_unix *find_name(const void *address, socklen_t length) {
  struct minios_unix *one = minios_unix_all;
  while (one != NULL && (one->name.length != length || memcmp(&one->name.address, address, length) != 0))
    one = one->next;
  return one;
}

static struct minios_unix *find_node(const struct minios_stat *status) {
  struct minios_unix *one = minios_unix_all;
  while (one != NULL && !(one->has_node && one->dev == status->dev && one->ino == status->ino))
    one = one->next;
  return one;
}

static struct minios_unix *find_path(const char *path, int *error) {
  const char *rest;
  struct minios_stat status;
  struct minios_mount *mount = minios_mount_of(path, &rest);
  *error = mount != NULL ? mount->calls->status(mount, rest, &status) : minios_fstatat(AT_FDCWD, path, &status, 0);
  if (*error != 0)
    return NULL;
  struct minios_unix *found = mount == NULL && S_ISSOCK(status.mode) ? find_node(&status) : NULL;
  *error = found == NULL ? -ECONNREFUSED : 0;
  return found;
}

struct minios_unix *minios_unix_find(const struct minios_unix *end, const void *address, socklen_t length, int *error) {
  *error = -EINVAL;
  if (!is_valid(address, length))
    return NULL;
  const struct sockaddr_un *name = address;
  char path[sizeof name->sun_path + 1];
  path_of(name, length, path);
  struct minios_unix *found;
  if (path[0] == '\0') {
    found = find_name(address, length);
    *error = -ECONNREFUSED;
  } else {
    found = find_path(path, error);
  }
  if (found == NULL || found->type == end->type)
    return found;
  *error = -EPROTOTYPE;
  return NULL;
}

/* A name that nobody has, as Linux makes one. */
static int bind_anywhere(struct minios_unix *end) {
  static unsigned last;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  const socklen_t length = PATH_AT + 6;
  do {
    char digits[6];
    snprintf(digits, sizeof digits, "%05x", ++last & 0xfffff);
    memcpy(address.sun_path + 1, digits, 5);
  } while (find_name(&address, length) != NULL);
  end->name = (struct minios_unix_name){address, length};
  return 0;
}

static int bind_node(struct minios_unix *end, const struct sockaddr_un *address, const char *path) {
  const char *rest;
  struct minios_stat status;
  if (minios_mount_of(path, &rest) != NULL)
    return -EPERM;
  int error = minios_make_socket_at(AT_FDCWD, path, 0777);
  if (error != 0)
    return error == -EEXIST ? -EADDRINUSE : error;
  error = minios_fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW);
  if (error != 0)
    return error;
  // Whose node is gone, of which this one has the number.
  struct minios_unix *former = find_node(&status);
  if (former != NULL)
    former->has_node = false;
  end->name = (struct minios_unix_name){*address, (socklen_t)(PATH_AT + strlen(path) + 1)};
  end->has_node = true;
  end->dev = status.dev;
  end->ino = status.ino;
  return 0;
}

int minios_unix_bind(struct minios_object *object, const struct sockaddr *address, socklen_t length) {
  struct minios_unix *end = (struct minios_unix *)object;
  if (length == PATH_AT && address->sa_family == AF_UNIX)
    return end->name.length != 0 ? 0 : bind_anywhere(end);
  if (!is_valid(address, length) || end->name.length != 0)
    return -EINVAL;
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  char path[sizeof name.sun_path + 1];
  memcpy(&name, address, length);
  path_of(&name, length, path);
  if (path[0] != '\0')
    return bind_node(end, &name, path);
  if (find_name(&name, length) != NULL)
    return -EADDRINUSE;
  end->name = (struct minios_unix_name){name, length};
  return 0;
}

int minios_unix_name(struct minios_object *object, struct sockaddr *address, socklen_t length, bool is_peer) {
  const struct minios_unix *end = (struct minios_unix *)object;
  const sa_family_t family = AF_UNIX;
  if (is_peer && end->state != MINIOS_UNIX_CONNECTED)
    return -ENOTCONN;
  const struct minios_unix_name *name = is_peer ? &end->peer_name : &end->name;
  const void *from = name->length == 0 ? (const void *)&family : &name->address;
  socklen_t whole = name->length == 0 ? sizeof family : name->length;
  // Of the longest path its NUL has no place in an address.
  socklen_t there = whole < sizeof name->address ? whole : sizeof name->address;
  memcpy(address, from, length < there ? length : there);
  return (int)whole;
}

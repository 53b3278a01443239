/* Descriptors that go with what AF_UNIX sockets hand on (unix-rights.h). */
#include "unix-rights.h"

#include <errno.h>
#include <fcntl.h>
#include <mini-os/api.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCM_CREDENTIALS 2
#define MOST 253 /* Linux's SCM_MAX_FD */
/* Out of the way of those that a program counts on. */
#define FAR 512

static size_t count_of(const struct cmsghdr *control) {
  return (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
}

/* How many descriptors all parts name, or a negative errno. */
static long count_all(const struct msghdr *message) {
  size_t count = 0;
  if (message->msg_control == NULL)
    return 0;
  for (struct cmsghdr *one = CMSG_FIRSTHDR(message); one != NULL; one = CMSG_NXTHDR(message, one)) {
    size_t left = (size_t)((char *)message->msg_control + message->msg_controllen - (char *)one);
    if (one->cmsg_len < CMSG_LEN(0) || one->cmsg_len > left)
      return -EINVAL;
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type == SCM_CREDENTIALS)
      continue;
    if (one->cmsg_type != SCM_RIGHTS)
      return -EINVAL;
    count += count_of(one);
    if (count > MOST)
      return -EINVAL;
  }
  return (long)count;
}

static int copy_far(int fd) {
  int copy = minios_fcntl(fd, F_DUPFD_CLOEXEC, FAR);
  return copy == -EINVAL || copy == -EMFILE ? minios_fcntl(fd, F_DUPFD_CLOEXEC, 0) : copy;
}

int minios_unix_take_rights(const struct msghdr *message, struct minios_unix_rights **rights) {
  long count = count_all(message);
  *rights = NULL;
  if (count <= 0)
    return (int)count;
  struct minios_unix_rights *taken = malloc(sizeof *taken + (size_t)count * sizeof(int));
  if (taken == NULL)
    return -ENOMEM;
  taken->count = 0;
  for (struct cmsghdr *one = CMSG_FIRSTHDR(message); one != NULL; one = CMSG_NXTHDR(message, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS)
      continue;
    for (size_t i = 0; i < count_of(one); i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(one) + i * sizeof fd, sizeof fd);
      int copy = copy_far(fd);
      if (copy < 0) {
        minios_unix_drop_rights(taken);
        return copy;
      }
      taken->fds[taken->count++] = copy;
    }
  }
  *rights = taken;
  return 0;
}

void minios_unix_give_rights(const struct minios_unix_rights *rights, struct msghdr *message, size_t room, int flags) {
  struct cmsghdr *control = message->msg_control;
  size_t most = control == NULL || room < CMSG_LEN(0) ? 0 : (room - CMSG_LEN(0)) / sizeof(int);
  size_t given = 0;
  while (given < most && given < rights->count) {
    int command = flags & MSG_CMSG_CLOEXEC ? F_DUPFD_CLOEXEC : F_DUPFD;
    int fd = minios_fcntl(rights->fds[given], command, 0);
    if (fd < 0)
      break;
    memcpy(CMSG_DATA(control) + given++ * sizeof fd, &fd, sizeof fd);
  }
  if (given < rights->count)
    message->msg_flags |= MSG_CTRUNC;
  if (given == 0)
    return;
  *control = (struct cmsghdr){CMSG_LEN(given * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
  size_t space = CMSG_SPACE(given * sizeof(int));
  message->msg_controllen = space < room ? space : room;
}

void minios_unix_drop_rights(struct minios_unix_rights *rights) {
  if (rights == NULL)
    return;
  int error = errno;
  for (unsigned i = 0; i < rights->count; i++)
    close(rights->fds[i]);
  errno = error;
  free(rights);
}

/* poll, and select in terms of it. */
#include "cancel-point.h"
#include "result.h"

#include <limits.h>
#include <mini-os/api.h>
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

void (*minios_before_poll)(void);

static int ask(struct pollfd *fds, nfds_t count, int timeout) {
  if (minios_before_poll != NULL)
    minios_before_poll();
  return (int)minios_result(_REENT, MINIOS_CANCELLABLE(minios_poll(fds, count, timeout)));
}

int poll(struct pollfd *fds, nfds_t count, int timeout) {
  return ask(fds, count, timeout);
}

/* Rounded up, so that nothing wakes before its time. */
static int milliseconds(const struct timeval *timeout) {
  if (timeout == NULL)
    return -1;
  int64_t total = (int64_t)timeout->tv_sec * 1000 + (timeout->tv_usec + 999) / 1000;
  return total > INT_MAX ? INT_MAX : (int)total;
}

static nfds_t wanted(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
                     struct pollfd *fds) {
  nfds_t used = 0;
  for (int fd = 0; fd < count; fd++) {
    int events = (readable && FD_ISSET(fd, readable) ? POLLIN : 0) |
                 (writable && FD_ISSET(fd, writable) ? POLLOUT : 0) |
                 (exceptional && FD_ISSET(fd, exceptional) ? POLLPRI : 0);
    if (events != 0)
      fds[used++] = (struct pollfd){.fd = fd, .events = (short)events};
  }
  return used;
}

/* Leaves fd in the set where the answer has one of the bits; counts it. */
static int answer(fd_set *set, const struct pollfd *fd, int asked, int bits) {
  if (set == NULL || !(fd->events & asked))
    return 0;
  if (fd->revents & bits)
    return 1;
  FD_CLR(fd->fd, set);
  return 0;
}

int select(int count, fd_set *readable, fd_set *writable, fd_set *exceptional,
           struct timeval *timeout) {
  struct _reent *reent = _REENT;
  struct pollfd fds[FD_SETSIZE];
  if (count < 0 || count > FD_SETSIZE || (timeout && (timeout->tv_sec < 0 || timeout->tv_usec < 0)))
    return minios_failed(reent, EINVAL);

  nfds_t used = wanted(count, readable, writable, exceptional, fds);
  if (ask(fds, used, milliseconds(timeout)) < 0)
    return -1;

  int ready = 0;
  for (nfds_t i = 0; i < used; i++) {
    if (fds[i].revents & POLLNVAL)
      return minios_failed(reent, EBADF);
    ready += answer(readable, &fds[i], POLLIN, POLLIN | POLLHUP | POLLERR);
    ready += answer(writable, &fds[i], POLLOUT, POLLOUT | POLLERR);
    ready += answer(exceptional, &fds[i], POLLPRI, POLLPRI);
  }
  return ready;
}

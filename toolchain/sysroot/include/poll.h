/* poll of POSIX; the constants and struct pollfd are also the kernel's (minios_poll). */
#ifndef _POLL_H_
#define _POLL_H_

#define POLLIN 0x01
#define POLLPRI 0x02
#define POLLOUT 0x04
#define POLLERR 0x08
#define POLLHUP 0x10
#define POLLNVAL 0x20

typedef unsigned int nfds_t;

struct pollfd {
  int fd;
  short events;
  short revents;
};

#ifdef __cplusplus
extern "C" {
#endif

int poll(struct pollfd *fds, nfds_t count, int timeout);

#ifdef __cplusplus
}
#endif

#endif

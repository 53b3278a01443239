/* Pairs of AF_UNIX sockets, which have no names. */
#include "result.h"
#include "unix-socket.h"

#include <unistd.h>

int socketpair(int domain, int type, int protocol, int fds[2]) {
  struct _reent *reent = _REENT;
  int kind = type & ~MINIOS_SOCK_FLAGS;
  if (domain != AF_UNIX)
    return minios_failed(reent, domain == AF_INET || domain == AF_INET6 ? EOPNOTSUPP : EAFNOSUPPORT);
  if (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_SEQPACKET)
    return minios_failed(reent, EPROTOTYPE);
  if (protocol != 0 && protocol != PF_UNIX)
    return minios_failed(reent, EPROTONOSUPPORT);
  struct minios_unix *first = minios_unix_new(kind), *second = minios_unix_new(kind);
  if (first == NULL || second == NULL) {
    if (first != NULL)
      minios_unix_close(&first->object);
    if (second != NULL)
      minios_unix_close(&second->object);
    return minios_failed(reent, ENOMEM);
  }
  minios_unix_join(first, second);
  int one = minios_open_socket(&first->object, type);
  if (one < 0) {
    minios_unix_close(&second->object);
    return minios_failed(reent, -one);
  }
  int other = minios_open_socket(&second->object, type);
  if (other < 0) {
    _close_r(reent, one);
    return minios_failed(reent, -other);
  }
  fds[0] = one;
  fds[1] = other;
  return 0;
}

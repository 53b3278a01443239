/* socket: apart from all other calls, so that only those who open sockets of the Internet have lwip in their image. */
#include "socket.h"
#include "result.h"

int socket(int domain, int type, int protocol) {
  struct _reent *reent = _REENT;
  struct minios_object *opened;
  int kind = type & ~MINIOS_SOCK_FLAGS, result = -EAFNOSUPPORT;
  if (domain == AF_UNIX)
    result = minios_unix_socket(kind, protocol, &opened);
  else if (domain == AF_INET || domain == AF_INET6)
    result = minios_inet_socket(domain, kind, protocol, &opened);
  if (result == 0)
    result = minios_open_socket(opened, type & MINIOS_SOCK_FLAGS);
  return (int)minios_result(reent, result);
}

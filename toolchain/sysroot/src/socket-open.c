/* socket: apart from all other calls, so that only those who open sockets of the Internet have lwip in their image. */
#include "socket.h"
#include "result.h"

int socket(int domain, int type, int protocol) {
  struct _reent *reent = _REENT;
  struct minios_object *opened;
  if (domain != AF_INET && domain != AF_INET6)
    return minios_failed(reent, EAFNOSUPPORT);
  int result = minios_inet_socket(domain, type & ~MINIOS_SOCK_FLAGS, protocol, &opened);
  if (result == 0)
    result = minios_open_socket(opened, type & MINIOS_SOCK_FLAGS);
  return (int)minios_result(reent, result);
}

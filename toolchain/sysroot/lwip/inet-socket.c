/* What streams and datagrams have in common (inet-socket.h). */
#include "inet-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <lwip/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define KEPT_BYTES (512 * 1024) /* SO_SNDBUF and SO_RCVBUF: what TCP's windows are */

void minios_inet_init(struct inet_socket *socket, int domain, int type, int protocol,
                      const struct minios_socket_calls *calls) {
  *socket = (struct inet_socket){.object = {.flags = O_RDWR, .calls = &calls->object},
                                 .domain = domain, .type = type, .protocol = protocol};
  init_waitqueue_head(&socket->queue);
}

int minios_inet_socket(int domain, int type, int protocol, struct minios_object **socket) {
  bool is_stream = type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP);
  bool is_datagram = type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP);
  bool is_raw = type == SOCK_RAW && protocol > 0 && protocol <= 255;
  if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_RAW)
    return -EPROTOTYPE;
  if (!is_stream && !is_datagram && !is_raw)
    return -EPROTONOSUPPORT;
  minios_network_start();
  *socket = is_stream ? minios_stream_open(domain, IPPROTO_TCP)
                      : minios_datagram_open(domain, type, is_raw ? protocol : IPPROTO_UDP);
  return *socket == NULL ? -ENOMEM : 0;
}

static int read_place6(const struct inet_socket *socket, const struct sockaddr_in6 *address, struct inet_place *place) {
  const struct in6_addr *from = &address->sin6_addr;
  place->port = ntohs(address->sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(from) && !socket->is_only_ipv6) {
    ip_addr_set_ip4_u32_val(place->address, from->s6_addr32[3]);
    return 0;
  }
  ip6_addr_t *to = ip_2_ip6(&place->address);
  IP_SET_TYPE_VAL(place->address, IPADDR_TYPE_V6);
  memcpy(to->addr, from, sizeof to->addr);
  ip6_addr_set_zone(to, (u8_t)address->sin6_scope_id);
  return 0;
}

int minios_read_place(const struct inet_socket *socket, const struct sockaddr *address, socklen_t length,
                      struct inet_place *place) {
  memset(place, 0, sizeof *place);
  if (length < sizeof address->sa_family)
    return -EINVAL;
  if (address->sa_family == AF_INET && socket->domain == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    if (length < sizeof *in)
      return -EINVAL;
    ip_addr_set_ip4_u32_val(place->address, in->sin_addr.s_addr);
    place->port = ntohs(in->sin_port);
    return 0;
  }
  if (address->sa_family != AF_INET6 || socket->domain != AF_INET6)
    return -EAFNOSUPPORT;
  if (length < sizeof(struct sockaddr_in6))
    return -EINVAL;
  return read_place6(socket, (const struct sockaddr_in6 *)address, place);
}

int minios_write_place(const struct inet_socket *socket, struct inet_place place, struct sockaddr *address,
                       socklen_t length) {
  union {
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
  } whole;
  memset(&whole, 0, sizeof whole);
  bool is_v6 = socket->domain == AF_INET6;
  if (!is_v6) {
    whole.in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(place.port)};
    whole.in.sin_addr.s_addr = IP_IS_V4_VAL(place.address) ? ip_2_ip4(&place.address)->addr : INADDR_ANY;
  } else {
    whole.in6.sin6_family = AF_INET6;
    whole.in6.sin6_port = htons(place.port);
    if (IP_IS_V6_VAL(place.address)) {
      memcpy(&whole.in6.sin6_addr, ip_2_ip6(&place.address)->addr, sizeof whole.in6.sin6_addr);
      whole.in6.sin6_scope_id = ip6_addr_zone(ip_2_ip6(&place.address));
    } else if (IP_IS_V4_VAL(place.address)) {
      whole.in6.sin6_addr.s6_addr32[2] = htonl(0xffff);
      whole.in6.sin6_addr.s6_addr32[3] = ip_2_ip4(&place.address)->addr;
    }
  }
  socklen_t size = is_v6 ? sizeof whole.in6 : sizeof whole.in;
  memcpy(address, &whole, length < size ? length : size);
  return (int)size;
}

int minios_errno_of(int lwip_error) {
  switch (lwip_error) {
    case ERR_OK:
      return 0;
    case ERR_MEM:
    case ERR_BUF:
      return ENOBUFS;
    case ERR_TIMEOUT:
      return ETIMEDOUT;
    case ERR_RTE:
      return EHOSTUNREACH;
    case ERR_USE:
      return EADDRINUSE;
    case ERR_ALREADY:
      return EALREADY;
    case ERR_ISCONN:
      return EISCONN;
    case ERR_CONN:
    case ERR_CLSD:
      return ENOTCONN;
    case ERR_ABRT:
      return ECONNABORTED;
    case ERR_RST:
      return ECONNRESET;
    case ERR_VAL:
    case ERR_ARG:
      return EINVAL;
    default:
      return EIO;
  }
}

uint8_t minios_address_type(const struct inet_socket *socket) {
  if (socket->domain == AF_INET)
    return IPADDR_TYPE_V4;
  return socket->is_only_ipv6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_ANY;
}

void minios_give_turn(void) {
  schedule();
}

size_t minios_scatter(const struct msghdr *message, size_t skip, const struct pbuf *p, size_t from, size_t count) {
  size_t done = 0;
  for (size_t i = 0; i < message->msg_iovlen && done < count; i++) {
    const struct iovec *part = &message->msg_iov[i];
    size_t start = skip < part->iov_len ? skip : part->iov_len;
    size_t length = part->iov_len - start;
    skip -= start;
    if (length > count - done)
      length = count - done;
    if (length > 0)
      pbuf_copy_partial(p, (char *)part->iov_base + start, (u16_t)length, (u16_t)(from + done));
    done += length;
  }
  return done;
}

int minios_get_common(struct inet_socket *socket, int level, int name, void *value, socklen_t *length) {
  if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && socket->domain == AF_INET6)
    return minios_give_int(socket->is_only_ipv6, value, length);
  if (level != SOL_SOCKET)
    return -ENOPROTOOPT;
  int error = socket->error;
  switch (name) {
    case SO_TYPE:
      return minios_give_int(socket->type, value, length);
    case SO_DOMAIN:
      return minios_give_int(socket->domain, value, length);
    case SO_PROTOCOL:
      return minios_give_int(socket->protocol, value, length);
    case SO_ERROR:
      socket->error = 0;
      return minios_give_int(error, value, length);
    case SO_SNDBUF:
    case SO_RCVBUF:
      return minios_give_int(KEPT_BYTES, value, length);
    case SO_RCVLOWAT:
    case SO_SNDLOWAT:
      return minios_give_int(1, value, length);
    case SO_RCVTIMEO:
      return minios_give_time(socket->receive_timeout, value, length);
    case SO_SNDTIMEO:
      return minios_give_time(socket->send_timeout, value, length);
    default:
      return -ENOPROTOOPT;
  }
}

int minios_set_common(struct inet_socket *socket, int level, int name, const void *value, socklen_t length) {
  int number;
  if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && socket->domain == AF_INET6) {
    int error = minios_take_int(value, length, &number);
    socket->is_only_ipv6 = error == 0 ? number != 0 : socket->is_only_ipv6;
    return error;
  }
  if (level != SOL_SOCKET)
    return -ENOPROTOOPT;
  switch (name) {
    case SO_RCVTIMEO:
      return minios_take_time(value, length, &socket->receive_timeout);
    case SO_SNDTIMEO:
      return minios_take_time(value, length, &socket->send_timeout);
    case SO_SNDBUF: /* a wish, which Linux does not fulfil to the byte either */
    case SO_RCVBUF:
    case SO_DONTROUTE:
    case SO_OOBINLINE:
      return minios_take_int(value, length, &number);
    default:
      return -ENOPROTOOPT;
  }
}

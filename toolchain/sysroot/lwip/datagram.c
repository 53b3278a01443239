/* UDP and raw sockets over lwip's core: datagrams wait as they came, each with its sender. */
#include "inet-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <lwip/raw.h>
#include <lwip/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MOST_HELD (512 * 1024) /* of bytes that nobody has received; what comes then is lost */

struct piece {
  struct piece *next;
  struct pbuf *p;
  struct inet_place from;
};

struct datagrams {
  struct inet_socket socket; /* first */
  struct udp_pcb *udp;       /* one of both */
  struct raw_pcb *raw;
  bool is_connected, is_reused, may_broadcast;
  struct inet_place remote;
  struct piece *first, **last;
  size_t held;
};

static const struct minios_socket_calls datagram_calls;

static struct datagrams *datagrams_of(struct minios_object *object) {
  return (struct datagrams *)object;
}

static bool is_readable(const struct datagrams *all) {
  return all->first != NULL || all->socket.is_read_shut || all->socket.error != 0;
}

static void changed(struct datagrams *all) {
  all->socket.object.ready = POLLOUT | (is_readable(all) ? POLLIN : 0) | (all->socket.error != 0 ? POLLERR : 0);
  wake_up(&all->socket.queue);
}

static bool keep(struct datagrams *all, struct pbuf *p, const ip_addr_t *address, uint16_t port) {
  struct piece *piece = all->held + p->tot_len > MOST_HELD ? NULL : malloc(sizeof *piece);
  if (piece == NULL)
    return false;
  *piece = (struct piece){NULL, p, {*address, port}};
  *all->last = piece;
  all->last = &piece->next;
  all->held += p->tot_len;
  changed(all);
  return true;
}

static void received(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *address, uint16_t port) {
  (void)pcb;
  if (!keep(arg, p, address, port))
    pbuf_free(p);
}

/* Others may want it, too: lwip's own ICMP does. */
static uint8_t received_raw(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *address) {
  struct pbuf *copy = pbuf_clone(PBUF_RAW, PBUF_RAM, p);
  (void)pcb;
  if (copy != NULL && !keep(arg, copy, address, 0))
    pbuf_free(copy);
  return 0;
}

struct minios_object *minios_datagram_open(int domain, int type, int protocol) {
  struct datagrams *all = calloc(1, sizeof *all);
  if (all == NULL)
    return NULL;
  minios_inet_init(&all->socket, domain, type, protocol, &datagram_calls);
  all->last = &all->first;
  uint8_t addresses = minios_address_type(&all->socket);
  if (type == SOCK_RAW) {
    all->raw = raw_new_ip_type(addresses, (uint8_t)protocol);
    if (all->raw != NULL)
      raw_recv(all->raw, received_raw, all);
  } else {
    all->udp = udp_new_ip_type(addresses);
    if (all->udp != NULL)
      udp_recv(all->udp, received, all);
  }
  if (all->udp == NULL && all->raw == NULL) {
    free(all);
    return NULL;
  }
  changed(all);
  return &all->socket.object;
}

static void drop_first(struct datagrams *all) {
  struct piece *piece = all->first;
  all->held -= piece->p->tot_len;
  all->first = piece->next;
  if (all->first == NULL)
    all->last = &all->first;
  pbuf_free(piece->p);
  free(piece);
}

static void close_datagrams(struct minios_object *object) {
  struct datagrams *all = datagrams_of(object);
  if (all->udp != NULL)
    udp_remove(all->udp);
  if (all->raw != NULL)
    raw_remove(all->raw);
  while (all->first != NULL)
    drop_first(all);
  free(all);
}

static int bind_datagrams(struct minios_object *object, const struct sockaddr *address, socklen_t length) {
  struct datagrams *all = datagrams_of(object);
  struct inet_place place;
  int error = minios_read_place(&all->socket, address, length, &place);
  if (error != 0)
    return error;
  if (all->udp != NULL && all->udp->local_port != 0)
    return -EINVAL;
  bool is_any = ip_addr_isany_val(place.address);
  if (is_any && all->socket.domain == AF_INET6)
    IP_SET_TYPE_VAL(place.address, minios_address_type(&all->socket));
  if (!is_any && !ip_addr_ismulticast(&place.address) && ip_route(&place.address, &place.address) == NULL)
    return -EADDRNOTAVAIL;
  error = all->udp != NULL ? udp_bind(all->udp, &place.address, place.port) : raw_bind(all->raw, &place.address);
  return -minios_errno_of(error);
}

static int connect_datagrams(struct minios_object *object, const struct sockaddr *address, socklen_t length) {
  struct datagrams *all = datagrams_of(object);
  struct inet_place place;
  if (length >= sizeof address->sa_family && address->sa_family == AF_UNSPEC) {
    all->is_connected = false;
    if (all->udp != NULL)
      udp_disconnect(all->udp);
    else
      raw_disconnect(all->raw);
    return 0;
  }
  int error = minios_read_place(&all->socket, address, length, &place);
  if (error != 0)
    return error;
  if (ip_addr_isany_val(place.address))
    ip_addr_set_loopback(IP_IS_V6_VAL(place.address), &place.address);
  if (ip_route(IP_ADDR_ANY, &place.address) == NULL)
    return -ENETUNREACH;
  error = all->udp != NULL ? udp_connect(all->udp, &place.address, place.port)
                           : raw_connect(all->raw, &place.address);
  if (error != 0)
    return -minios_errno_of(error);
  all->is_connected = true;
  all->remote = place;
  return 0;
}

/* The message in one piece behind room for headers. */
static struct pbuf *gather(const struct msghdr *message, size_t length) {
  struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, (u16_t)length, PBUF_RAM);
  if (p == NULL)
    return NULL;
  char *to = p->payload;
  for (size_t i = 0; i < message->msg_iovlen; i++)
    to = (char *)memcpy(to, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len) + message->msg_iov[i].iov_len;
  return p;
}

static int transmit(struct datagrams *all, struct pbuf *p, const struct inet_place *place) {
  ip_addr_t address = place->address;
  if (ip_addr_isany_val(address))
    ip_addr_set_loopback(IP_IS_V6_VAL(address), &address);
  return all->udp != NULL ? udp_sendto(all->udp, p, &address, place->port) : raw_sendto(all->raw, p, &address);
}

static ssize_t send_datagram(struct minios_object *object, const struct msghdr *message, int flags) {
  struct datagrams *all = datagrams_of(object);
  size_t length = minios_message_length(message);
  struct inet_place place = all->remote;
  (void)flags;
  if (all->socket.error != 0) {
    int error = all->socket.error;
    all->socket.error = 0;
    changed(all);
    return -error;
  }
  if (message->msg_name != NULL) {
    int error = minios_read_place(&all->socket, message->msg_name, message->msg_namelen, &place);
    if (error != 0)
      return error;
  } else if (!all->is_connected)
    return -EDESTADDRREQ;
  if (all->socket.is_write_shut)
    return -EPIPE;
  if (all->udp != NULL && place.port == 0)
    return -EINVAL;
  if (length > 65507)
    return -EMSGSIZE;
  bool is_to_all = IP_IS_V4_VAL(place.address) && ip4_addr_get_u32(ip_2_ip4(&place.address)) == INADDR_BROADCAST;
  if (is_to_all && !all->may_broadcast)
    return -EACCES;
  struct pbuf *p = gather(message, length);
  if (p == NULL)
    return -ENOBUFS;
  int error = transmit(all, p, &place);
  pbuf_free(p);
  minios_network_flush();
  return error == 0 ? (ssize_t)length : -minios_errno_of(error);
}

static ssize_t take_first(struct datagrams *all, struct msghdr *message, int flags) {
  struct piece *piece = all->first;
  size_t length = piece->p->tot_len, wanted = minios_message_length(message);
  size_t count = length < wanted ? length : wanted;
  minios_scatter(message, 0, piece->p, 0, count);
  if (count < length)
    message->msg_flags |= MSG_TRUNC;
  if (message->msg_name != NULL)
    message->msg_namelen =
        (socklen_t)minios_write_place(&all->socket, piece->from, message->msg_name, message->msg_namelen);
  if (!(flags & MSG_PEEK))
    drop_first(all);
  changed(all);
  return (ssize_t)(flags & MSG_TRUNC ? length : count);
}

static ssize_t receive_datagram(struct minios_object *object, struct msghdr *message, int flags) {
  struct datagrams *all = datagrams_of(object);
  message->msg_controllen = 0;
  minios_network_look();
  if (all->first == NULL && minios_may_wait(&all->socket.object, flags)) {
    s_time_t deadline = minios_socket_deadline(all->socket.receive_timeout);
    minios_network_wait(all->socket.queue, is_readable(all), deadline);
  } else if (all->first == NULL)
    minios_give_turn();
  if (all->first != NULL)
    return take_first(all, message, flags);
  int error = all->socket.error;
  all->socket.error = 0;
  message->msg_namelen = 0;
  changed(all);
  return error != 0 ? -error : all->socket.is_read_shut ? 0 : -EAGAIN;
}

static int control_datagrams(struct minios_object *object, unsigned long request, void *argument) {
  struct datagrams *all = datagrams_of(object);
  minios_network_look();
  if (request != FIONREAD)
    return -ENOTTY;
  *(int *)argument = all->first == NULL ? 0 : all->first->p->tot_len;
  return 0;
}

static int shut_datagrams(struct minios_object *object, int how) {
  struct datagrams *all = datagrams_of(object);
  if (!all->is_connected)
    return -ENOTCONN;
  all->socket.is_read_shut = all->socket.is_read_shut || how != SHUT_WR;
  all->socket.is_write_shut = all->socket.is_write_shut || how != SHUT_RD;
  changed(all);
  return 0;
}

static int listen_datagrams(struct minios_object *object, int backlog) {
  (void)object, (void)backlog;
  return -EOPNOTSUPP;
}

static int accept_datagrams(struct minios_object *object, struct minios_object **accepted) {
  (void)object, (void)accepted;
  return -EOPNOTSUPP;
}

static int name_datagrams(struct minios_object *object, struct sockaddr *address, socklen_t length, bool is_peer) {
  struct datagrams *all = datagrams_of(object);
  if (is_peer && !all->is_connected)
    return -ENOTCONN;
  struct inet_place local = all->udp != NULL ? (struct inet_place){all->udp->local_ip, all->udp->local_port}
                                             : (struct inet_place){all->raw->local_ip, 0};
  if (all->is_connected && ip_addr_isany_val(local.address)) {
    struct netif *netif = ip_route(&local.address, &all->remote.address);
    const ip_addr_t *ours = netif == NULL ? NULL : ip_netif_get_local_ip(netif, &all->remote.address);
    if (ours != NULL)
      local.address = *ours;
  }
  return minios_write_place(&all->socket, is_peer ? all->remote : local, address, length);
}

/* Options are those of the protocol block, of either kind. */
static uint8_t *byte_of(struct datagrams *all, int level, int name) {
  if (level == IPPROTO_IP && name == IP_TTL)
    return all->udp != NULL ? &all->udp->ttl : &all->raw->ttl;
  if (level == IPPROTO_IP && name == IP_TOS)
    return all->udp != NULL ? &all->udp->tos : &all->raw->tos;
  return NULL;
}

static void allow(struct datagrams *all, uint8_t flag, bool is_allowed) {
  uint8_t *options = all->udp != NULL ? &all->udp->so_options : &all->raw->so_options;
  *options = (uint8_t)(is_allowed ? *options | flag : *options & ~flag);
}

static int get_datagram_option(struct minios_object *object, int level, int name, void *value, socklen_t *length) {
  struct datagrams *all = datagrams_of(object);
  const uint8_t *byte = byte_of(all, level, name);
  if (byte != NULL)
    return minios_give_int(*byte, value, length);
  if (level == SOL_SOCKET && (name == SO_REUSEADDR || name == SO_REUSEPORT))
    return minios_give_int(all->is_reused, value, length);
  if (level == SOL_SOCKET && name == SO_BROADCAST)
    return minios_give_int(all->may_broadcast, value, length);
  if (level == SOL_SOCKET && name == SO_ACCEPTCONN)
    return minios_give_int(0, value, length);
  return minios_get_common(&all->socket, level, name, value, length);
}

static int set_datagram_option(struct minios_object *object, int level, int name, const void *value,
                               socklen_t length) {
  struct datagrams *all = datagrams_of(object);
  uint8_t *byte = byte_of(all, level, name);
  bool is_reuse = level == SOL_SOCKET && (name == SO_REUSEADDR || name == SO_REUSEPORT);
  bool is_broadcast = level == SOL_SOCKET && name == SO_BROADCAST;
  int number;
  if (byte == NULL && !is_reuse && !is_broadcast)
    return minios_set_common(&all->socket, level, name, value, length);
  int error = minios_take_int(value, length, &number);
  if (error != 0)
    return error;
  if (byte != NULL)
    *byte = (uint8_t)number;
  else if (is_reuse)
    allow(all, SOF_REUSEADDR, all->is_reused = number != 0);
  else
    allow(all, SOF_BROADCAST, all->may_broadcast = number != 0);
  return 0;
}

static const struct minios_socket_calls datagram_calls = {
    .object = {minios_read_socket, minios_write_socket, control_datagrams, close_datagrams},
    .bind = bind_datagrams,
    .connect = connect_datagrams,
    .listen = listen_datagrams,
    .accept = accept_datagrams,
    .send = send_datagram,
    .receive = receive_datagram,
    .shutdown = shut_datagrams,
    .name = name_datagrams,
    .get_option = get_datagram_option,
    .set_option = set_datagram_option,
};

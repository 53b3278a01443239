/* Sockets over lwip's core: what streams and datagrams have in common. Calls are those of src/socket.h. */
#ifndef MINIOS_INET_SOCKET_H
#define MINIOS_INET_SOCKET_H

#include "network.h"
#include "socket.h"

#include <lwip/ip_addr.h>
#include <lwip/pbuf.h>
#include <mini-os/time.h>
#include <mini-os/wait.h>
#include <netinet/in.h>

struct tcp_pcb;
struct udp_pcb;
struct raw_pcb;

struct inet_socket {
  struct minios_object object; /* first */
  int domain, type, protocol;
  struct wait_queue_head queue;
  int error; /* of SO_ERROR: a positive errno */
  s_time_t receive_timeout, send_timeout; /* 0: none */
  bool is_read_shut, is_write_shut;
  bool is_only_ipv6;
};

/* A place of the network; where the port is not part of it, it is 0. */
struct inet_place {
  ip_addr_t address;
  uint16_t port;
};

void minios_inet_init(struct inet_socket *socket, int domain, int type, int protocol,
                      const struct minios_socket_calls *calls);

/* 0, or a negative errno where the address is none of the socket's domain. */
int minios_read_place(const struct inet_socket *socket, const struct sockaddr *address, socklen_t length,
                      struct inet_place *place);
/* At most `length` bytes of it; how many it has. */
int minios_write_place(const struct inet_socket *socket, struct inet_place place, struct sockaddr *address,
                       socklen_t length);
/* Of lwip's err_t: a positive errno. */
int minios_errno_of(int lwip_error);

/* The type of the addresses that a protocol block of this socket takes. */
uint8_t minios_address_type(const struct inet_socket *socket);

/* A call that may not wait has nothing to give: others have a turn, so that something may come. */
void minios_give_turn(void);

/* Copies part of a pbuf to where the message has room, `skip` bytes of which are full. */
size_t minios_scatter(const struct msghdr *message, size_t skip, const struct pbuf *p, size_t from, size_t count);

/* The options of SOL_SOCKET that all know; -ENOPROTOOPT for others. */
int minios_get_common(struct inet_socket *socket, int level, int name, void *value, socklen_t *length);
int minios_set_common(struct inet_socket *socket, int level, int name, const void *value, socklen_t length);

struct minios_object *minios_stream_open(int domain, int protocol);
struct minios_object *minios_datagram_open(int domain, int type, int protocol);

#endif

/*
 * Sockets of AF_UNIX, between the threads of one image: what their calls (unix-socket.c) and what they hand to each other
 * (unix-transfer.c) have in common.
 */
#ifndef MINIOS_UNIX_SOCKET_H
#define MINIOS_UNIX_SOCKET_H

#include "socket.h"

#include <errno.h>
#include <mini-os/wait.h>
#include <sys/un.h>

#define MINIOS_UNIX_CAPACITY 212992u /* Linux's net.core.wmem_default */

/* No name has length 0. */
struct minios_unix_name {
  struct sockaddr_un address;
  socklen_t length;
};

enum minios_unix_state {
  MINIOS_UNIX_ALONE,
  MINIOS_UNIX_LISTENS,
  MINIOS_UNIX_CONNECTED, /* though the other end may be closed */
};

struct minios_unix_piece;

struct minios_unix {
  struct minios_object object;
  struct minios_unix *next; /* in minios_unix_all */
  struct minios_unix *peer; /* NULL when it is closed, too */
  int type;
  enum minios_unix_state state;
  struct minios_unix_piece *first, **last;
  size_t held; /* bytes that wait here to be received */
  int error;   /* to be told once */
  s_time_t receive_timeout, send_timeout; /* 0: none */
  bool gets_no_more, is_read_shut, is_write_shut, is_closed;
  unsigned users; /* the descriptor, and threads that wait */
  /* Whoever waits for what happens here: to receive or accept here, to send or connect to here. */
  struct wait_queue_head queue;
  struct minios_unix_name name, peer_name;
  /* Of the node that is its name, if one is. */
  bool has_node;
  uint32_t dev;
  uint64_t ino;
  /* Other ends of connections that nobody has accepted yet. */
  struct minios_unix *first_pending, **last_pending, *next_pending;
  unsigned pending, backlog;
};

/* Those that can be found. */
extern struct minios_unix *minios_unix_all;

/* NULL where there is no memory. */
struct minios_unix *minios_unix_new(int type);
/* Two that are each other's. */
void minios_unix_join(struct minios_unix *one, struct minios_unix *other);
void minios_unix_close(struct minios_object *object);

static inline void minios_unix_hold(struct minios_unix *end) {
  end->users++;
}
void minios_unix_let_go(struct minios_unix *end);

/* Whom an address names, of the same type; NULL and a negative errno where it names none. */
struct minios_unix *minios_unix_find(const struct minios_unix *end, const void *address, socklen_t length, int *error);

/* What poll finds is another, and whoever waits is to look again. */
void minios_unix_changed(struct minios_unix *end);

ssize_t minios_unix_send(struct minios_object *object, const struct msghdr *message, int flags);
ssize_t minios_unix_receive(struct minios_object *object, struct msghdr *message, int flags);
void minios_unix_drop_pieces(struct minios_unix *end);
/* As FIONREAD. */
size_t minios_unix_waiting(const struct minios_unix *end);

#endif

/* Pairs of AF_UNIX sockets: streams, datagrams and sequences of packets between the threads of one image. */
#include "socket.h"
#include "result.h"

#include <fcntl.h>
#include <mini-os/wait.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define CAPACITY 212992u /* Linux's net.core.wmem_default */

/* A datagram, or what one send gave a stream. */
struct piece {
  struct piece *next;
  size_t length, taken;
  char bytes[];
};

struct end {
  struct minios_object object;
  struct end *peer; /* NULL when it is closed */
  int type;
  struct piece *first, **last;
  size_t held; /* bytes that wait here to be received */
  bool gets_no_more, is_read_shut, is_write_shut;
  struct wait_queue_head queue;
};

static bool can_write(const struct end *end) {
  return end->peer == NULL || end->is_write_shut || end->peer->is_read_shut || end->peer->held < CAPACITY;
}

static bool has_ended(const struct end *end) {
  return end->gets_no_more || end->is_read_shut || end->peer == NULL;
}

/* What poll finds, and whoever waits is to look again. */
static void changed(struct end *end) {
  if (end == NULL)
    return;
  bool is_over = has_ended(end);
  end->object.ready = (end->first != NULL || is_over ? POLLIN : 0) | (can_write(end) ? POLLOUT : 0) |
                      (end->peer == NULL || (is_over && end->is_write_shut) ? POLLHUP : 0);
  wake_up(&end->queue);
}

static size_t total(const struct msghdr *message) {
  size_t sum = 0;
  for (size_t i = 0; i < message->msg_iovlen; i++)
    sum += message->msg_iov[i].iov_len;
  return sum;
}

static struct piece *gather(const struct msghdr *message, size_t skip, size_t length) {
  struct piece *piece = malloc(sizeof *piece + length);
  if (piece == NULL)
    return NULL;
  *piece = (struct piece){NULL, length, 0};
  char *to = piece->bytes;
  for (const struct iovec *part = message->msg_iov; length > 0; part++) {
    size_t from = skip < part->iov_len ? skip : part->iov_len;
    size_t count = part->iov_len - from < length ? part->iov_len - from : length;
    skip -= from;
    to = (char *)memcpy(to, (const char *)part->iov_base + from, count) + count;
    length -= count;
  }
  return piece;
}

static int write_error(const struct end *end) {
  if (end->is_write_shut || end->peer == NULL || end->peer->is_read_shut)
    return end->type == SOCK_DGRAM && end->peer == NULL ? -ECONNREFUSED : -EPIPE;
  return 0;
}

/* A stream takes what fits, at once; a datagram all or nothing. */
static ssize_t put(struct end *end, const struct msghdr *message, size_t done, size_t length) {
  size_t room = CAPACITY - end->peer->held, part = length - done;
  if (end->type == SOCK_STREAM && part > room)
    part = room;
  struct piece *piece = gather(message, done, part);
  if (piece == NULL)
    return -ENOBUFS;
  *end->peer->last = piece;
  end->peer->last = &piece->next;
  end->peer->held += part;
  changed(end->peer);
  changed(end);
  return (ssize_t)part;
}

static bool may_wait(const struct end *end, int flags) {
  return !(flags & MSG_DONTWAIT) && !(end->object.flags & O_NONBLOCK);
}

static ssize_t send_pair(struct minios_object *object, const struct msghdr *message, int flags) {
  struct end *end = (struct end *)object;
  size_t length = total(message), done = 0;
  if (message->msg_namelen != 0)
    return -EISCONN;
  if (end->type != SOCK_STREAM && length > CAPACITY)
    return -EMSGSIZE;
  for (;;) {
    int error = write_error(end);
    if (error != 0)
      return done > 0 ? (ssize_t)done : error;
    bool fits = end->type == SOCK_STREAM ? can_write(end) : end->peer->held + length <= CAPACITY;
    if (fits) {
      ssize_t part = length == 0 && end->type == SOCK_STREAM ? 0 : put(end, message, done, length);
      if (part < 0)
        return done > 0 ? (ssize_t)done : part;
      done += (size_t)part;
      if (done == length)
        return (ssize_t)done;
    }
    if (!may_wait(end, flags))
      return done > 0 ? (ssize_t)done : -EAGAIN;
    wait_event(end->queue, write_error(end) != 0 || end->peer->held + (end->type == SOCK_STREAM ? 1 : length) <= CAPACITY);
  }
}

/* Copies of the piece what the message has room for, behind what it has already. */
static size_t scatter(const struct piece *piece, const struct msghdr *message, size_t skip) {
  size_t done = 0;
  for (size_t i = 0; i < message->msg_iovlen && piece->taken + done < piece->length; i++) {
    const struct iovec *part = &message->msg_iov[i];
    size_t from = skip < part->iov_len ? skip : part->iov_len;
    size_t count = part->iov_len - from, rest = piece->length - piece->taken - done;
    skip -= from;
    if (count > rest)
      count = rest;
    memcpy((char *)part->iov_base + from, piece->bytes + piece->taken + done, count);
    done += count;
  }
  return done;
}

static void drop_first(struct end *end) {
  struct piece *piece = end->first;
  end->held -= piece->length - piece->taken;
  end->first = piece->next;
  if (end->first == NULL)
    end->last = &end->first;
  free(piece);
}

static ssize_t take_stream(struct end *end, struct msghdr *message, size_t done, bool stays) {
  size_t all = 0;
  for (struct piece *piece = end->first; piece != NULL;) {
    size_t count = scatter(piece, message, done + all);
    bool is_whole = piece->taken + count == piece->length;
    struct piece *next = piece->next;
    all += count;
    if (!stays) {
      piece->taken += count;
      end->held -= count;
      if (is_whole)
        drop_first(end);
    }
    if (!is_whole)
      break;
    piece = next;
  }
  return (ssize_t)all;
}

static ssize_t take_packet(struct end *end, struct msghdr *message, int flags) {
  struct piece *piece = end->first;
  size_t count = scatter(piece, message, 0), length = piece->length;
  if (count < length)
    message->msg_flags |= MSG_TRUNC;
  if (!(flags & MSG_PEEK))
    drop_first(end);
  return (ssize_t)(flags & MSG_TRUNC ? length : count);
}

static ssize_t receive_pair(struct minios_object *object, struct msghdr *message, int flags) {
  struct end *end = (struct end *)object;
  size_t wanted = total(message), done = 0;
  message->msg_namelen = 0;
  message->msg_controllen = 0;
  for (;;) {
    if (end->first != NULL) {
      ssize_t part = end->type == SOCK_STREAM ? take_stream(end, message, done, flags & MSG_PEEK)
                                              : take_packet(end, message, flags);
      changed(end);
      changed(end->peer);
      done += (size_t)part;
      bool wants_more = end->type == SOCK_STREAM && (flags & MSG_WAITALL) && !(flags & MSG_PEEK) && done < wanted;
      if (!wants_more)
        return (ssize_t)done;
    }
    if (has_ended(end) || (end->type == SOCK_STREAM && wanted == 0))
      return (ssize_t)done;
    if (!may_wait(end, flags))
      return done > 0 ? (ssize_t)done : -EAGAIN;
    wait_event(end->queue, end->first != NULL || has_ended(end));
  }
}

static ssize_t read_pair(struct minios_object *object, void *buffer, size_t count) {
  struct iovec part = {buffer, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  return receive_pair(object, &message, 0);
}

static ssize_t write_pair(struct minios_object *object, const void *buffer, size_t count) {
  struct iovec part = {(void *)buffer, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  return send_pair(object, &message, 0);
}

static int control_pair(struct minios_object *object, unsigned long request, void *argument) {
  struct end *end = (struct end *)object;
  if (request != FIONREAD)
    return -ENOTTY;
  *(int *)argument = (int)(end->type != SOCK_DGRAM || end->first == NULL ? end->held : end->first->length);
  return 0;
}

static void close_pair(struct minios_object *object) {
  struct end *end = (struct end *)object;
  while (end->first != NULL)
    drop_first(end);
  if (end->peer != NULL) {
    end->peer->peer = NULL;
    changed(end->peer);
  }
  free(end);
}

static int shut_pair(struct minios_object *object, int how) {
  struct end *end = (struct end *)object;
  if (how != SHUT_WR)
    end->is_read_shut = true;
  if (how != SHUT_RD) {
    end->is_write_shut = true;
    if (end->peer != NULL && end->type != SOCK_DGRAM)
      end->peer->gets_no_more = true;
  }
  changed(end);
  changed(end->peer);
  return 0;
}

/* Pairs have no names. */
static int name_pair(struct minios_object *object, struct sockaddr *address, socklen_t length, bool is_peer) {
  const sa_family_t family = AF_UNIX;
  if (is_peer && ((struct end *)object)->peer == NULL)
    return -ENOTCONN;
  memcpy(address, &family, length < sizeof family ? length : sizeof family);
  return sizeof family;
}

static int get_pair_option(struct minios_object *object, int level, int name, void *value, socklen_t *length) {
  const struct end *end = (struct end *)object;
  int number = 0;
  if (level != SOL_SOCKET)
    return -ENOPROTOOPT;
  switch (name) {
    case SO_TYPE:
      number = end->type;
      break;
    case SO_DOMAIN:
      number = AF_UNIX;
      break;
    case SO_SNDBUF:
    case SO_RCVBUF:
      number = CAPACITY;
      break;
    case SO_ERROR:
    case SO_ACCEPTCONN:
    case SO_PROTOCOL:
      break;
    default:
      return -ENOPROTOOPT;
  }
  if (*length > sizeof number)
    *length = sizeof number;
  memcpy(value, &number, *length);
  return 0;
}

static int set_pair_option(struct minios_object *object, int level, int name, const void *value,
                           socklen_t length) {
  (void)object, (void)value;
  bool is_known = level == SOL_SOCKET && (name == SO_SNDBUF || name == SO_RCVBUF || name == SO_KEEPALIVE ||
                                          name == SO_REUSEADDR);
  return !is_known ? -ENOPROTOOPT : length < sizeof(int) ? -EINVAL : 0;
}

static int bind_pair(struct minios_object *object, const struct sockaddr *address, socklen_t length) {
  (void)object, (void)address, (void)length;
  return -EINVAL;
}

static int connect_pair(struct minios_object *object, const struct sockaddr *address, socklen_t length) {
  (void)object, (void)address, (void)length;
  return -EISCONN;
}

static int listen_pair(struct minios_object *object, int backlog) {
  (void)backlog;
  return ((struct end *)object)->type == SOCK_DGRAM ? -EOPNOTSUPP : -EINVAL;
}

static int accept_pair(struct minios_object *object, struct minios_object **accepted) {
  (void)accepted;
  return listen_pair(object, 0);
}

static const struct minios_socket_calls pair_calls = {
    .object = {read_pair, write_pair, control_pair, close_pair},
    .bind = bind_pair,
    .connect = connect_pair,
    .listen = listen_pair,
    .accept = accept_pair,
    .send = send_pair,
    .receive = receive_pair,
    .shutdown = shut_pair,
    .name = name_pair,
    .get_option = get_pair_option,
    .set_option = set_pair_option,
};

static struct end *new_end(int type) {
  struct end *end = calloc(1, sizeof *end);
  if (end == NULL)
    return NULL;
  end->object.flags = O_RDWR;
  end->object.calls = &pair_calls.object;
  end->type = type;
  end->last = &end->first;
  init_waitqueue_head(&end->queue);
  return end;
}

int socketpair(int domain, int type, int protocol, int fds[2]) {
  struct _reent *reent = _REENT;
  int kind = type & ~MINIOS_SOCK_FLAGS;
  if (domain != AF_UNIX)
    return minios_failed(reent, domain == AF_INET || domain == AF_INET6 ? EOPNOTSUPP : EAFNOSUPPORT);
  if (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_SEQPACKET)
    return minios_failed(reent, EPROTOTYPE);
  if (protocol != 0 && protocol != PF_UNIX)
    return minios_failed(reent, EPROTONOSUPPORT);
  struct end *first = new_end(kind), *second = new_end(kind);
  if (first == NULL || second == NULL) {
    free(first);
    free(second);
    return minios_failed(reent, ENOMEM);
  }
  first->peer = second;
  second->peer = first;
  changed(first);
  changed(second);
  int one = minios_open_socket(&first->object, type);
  if (one < 0) {
    close_pair(&second->object);
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

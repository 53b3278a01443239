/* AF_UNIX sockets (unix-socket.h): how they are made, come together and part, as on Linux (unix(7)). */
#include "unix-names.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void minios_unix_let_go(struct minios_unix *end) {
  if (--end->users == 0)
    free(end);
}

void minios_unix_join(struct minios_unix *one, struct minios_unix *other) {
  one->peer = other;
  other->peer = one;
  one->peer_name = other->name;
  other->peer_name = one->name;
  one->state = other->state = MINIOS_UNIX_CONNECTED;
  minios_unix_changed(one);
  minios_unix_changed(other);
}

static int control(struct minios_object *object, unsigned long request, void *argument) {
  const struct minios_unix *end = (struct minios_unix *)object;
  if (request != FIONREAD)
    return -ENOTTY;
  if (end->state == MINIOS_UNIX_LISTENS)
    return -EINVAL;
  *(int *)argument = (int)minios_unix_waiting(end);
  return 0;
}

/* Those who are connected to it hear that it is gone; a stream's other end also that not all was received. */
static void leave_peers(struct minios_unix *end, bool is_reset) {
  for (struct minios_unix *other = minios_unix_all; other != NULL; other = other->next) {
    if (other->peer != end)
      continue;
    other->peer = NULL;
    if (end->type != SOCK_DGRAM && is_reset)
      other->error = ECONNRESET;
    minios_unix_changed(other);
  }
}

static void close_end(struct minios_unix *end, bool is_accepted) {
  struct minios_unix **place = &minios_unix_all;
  while (*place != NULL && *place != end)
    place = &(*place)->next;
  if (*place != NULL)
    *place = end->next;
  leave_peers(end, end->first != NULL || !is_accepted);
  minios_unix_drop_pieces(end);
  end->peer = NULL;
  end->is_closed = true;
  minios_unix_changed(end);
  minios_unix_let_go(end);
}

static struct minios_unix *take_pending(struct minios_unix *end) {
  struct minios_unix *first = end->first_pending;
  end->first_pending = first->next_pending;
  if (end->first_pending == NULL)
    end->last_pending = &end->first_pending;
  end->pending--;
  return first;
}

void minios_unix_close(struct minios_object *object) {
  struct minios_unix *end = (struct minios_unix *)object;
  while (end->first_pending != NULL)
    close_end(take_pending(end), false);
  close_end(end, true);
}

static int shut_down(struct minios_object *object, int how) {
  struct minios_unix *end = (struct minios_unix *)object, *peer = end->peer;
  if (how != SHUT_WR)
    end->is_read_shut = true;
  if (how != SHUT_RD) {
    end->is_write_shut = true;
    if (peer != NULL && end->type != SOCK_DGRAM)
      peer->gets_no_more = true;
  }
  minios_unix_changed(end);
  minios_unix_changed(peer);
  return 0;
}

/* There is one process, of one user. */
static int get_peer(const struct minios_unix *end, void *value, socklen_t *length) {
  struct ucred peer = {0, (uid_t)-1, (gid_t)-1};
  if (end->state != MINIOS_UNIX_ALONE)
    peer = (struct ucred){getpid(), getuid(), getgid()};
  return minios_give_value(&peer, sizeof peer, value, length);
}

static int get_option(struct minios_object *object, int level, int name, void *value, socklen_t *length) {
  struct minios_unix *end = (struct minios_unix *)object;
  if (level != SOL_SOCKET)
    return -EOPNOTSUPP;
  switch (name) {
    case SO_PEERCRED:
      return get_peer(end, value, length);
    case SO_TYPE:
      return minios_give_int(end->type, value, length);
    case SO_DOMAIN:
      return minios_give_int(AF_UNIX, value, length);
    case SO_PROTOCOL:
      return minios_give_int(0, value, length);
    case SO_SNDBUF:
    case SO_RCVBUF:
      return minios_give_int(MINIOS_UNIX_CAPACITY, value, length);
    case SO_ACCEPTCONN:
      return minios_give_int(end->state == MINIOS_UNIX_LISTENS, value, length);
    case SO_RCVTIMEO:
      return minios_give_time(end->receive_timeout, value, length);
    case SO_SNDTIMEO:
      return minios_give_time(end->send_timeout, value, length);
    case SO_ERROR: {
      int error = end->error;
      end->error = 0;
      minios_unix_changed(end);
      return minios_give_int(error, value, length);
    }
    default:
      return -ENOPROTOOPT;
  }
}

static int set_option(struct minios_object *object, int level, int name, const void *value, socklen_t length) {
  struct minios_unix *end = (struct minios_unix *)object;
  if (level != SOL_SOCKET)
    return -EOPNOTSUPP;
  if (name == SO_RCVTIMEO || name == SO_SNDTIMEO)
    return minios_take_time(value, length, name == SO_RCVTIMEO ? &end->receive_timeout : &end->send_timeout);
  bool is_known = name == SO_SNDBUF || name == SO_RCVBUF || name == SO_KEEPALIVE || name == SO_REUSEADDR ||
                  name == SO_BROADCAST || name == SO_LINGER || name == SO_DONTROUTE;
  return !is_known ? -ENOPROTOOPT : length < sizeof(int) ? -EINVAL : 0;
}

static bool takes_connections(const struct minios_unix *end) {
  return !end->is_closed && end->state == MINIOS_UNIX_LISTENS && !end->is_read_shut;
}

/* As Linux counts them. */
static bool has_backlog(const struct minios_unix *end) {
  return end->pending > end->backlog;
}

static int enter(struct minios_unix *end, struct minios_unix *listener) {
  if (end->state != MINIOS_UNIX_ALONE)
    return end->state == MINIOS_UNIX_CONNECTED ? -EISCONN : -EINVAL;
  struct minios_unix *other = minios_unix_new(end->type);
  if (other == NULL)
    return -ENOMEM;
  other->name = listener->name;
  minios_unix_join(end, other);
  *listener->last_pending = other;
  listener->last_pending = &other->next_pending;
  listener->pending++;
  minios_unix_changed(listener);
  return 0;
}

static int connect_stream(struct minios_unix *end, struct minios_unix *listener) {
  bool waits = !(end->object.flags & O_NONBLOCK);
  if (takes_connections(listener) && has_backlog(listener) && waits) {
    minios_unix_hold(end);
    minios_unix_hold(listener);
    wait_event_deadline(listener->queue, end->is_closed || !takes_connections(listener) || !has_backlog(listener),
                        minios_socket_deadline(end->send_timeout));
    bool is_closed = end->is_closed, takes = takes_connections(listener);
    minios_unix_let_go(end);
    minios_unix_let_go(listener);
    if (is_closed || !takes)
      return is_closed ? -EBADF : -ECONNREFUSED;
  }
  if (!takes_connections(listener))
    return -ECONNREFUSED;
  return has_backlog(listener) ? -EAGAIN : enter(end, listener);
}

static int connect_unix(struct minios_object *object, const struct sockaddr *address, socklen_t length) {
  struct minios_unix *end = (struct minios_unix *)object;
  if (end->type == SOCK_DGRAM && length >= sizeof address->sa_family && address->sa_family == AF_UNSPEC) {
    end->peer = NULL;
    end->state = MINIOS_UNIX_ALONE;
    minios_unix_changed(end);
    return 0;
  }
  int error;
  struct minios_unix *found = minios_unix_find(end, address, length, &error);
  if (found == NULL)
    return error;
  if (end->type != SOCK_DGRAM)
    return connect_stream(end, found);
  if (found->peer != NULL && found->peer != end)
    return -EPERM;
  end->peer = found;
  end->peer_name = found->name;
  end->state = MINIOS_UNIX_CONNECTED;
  minios_unix_changed(end);
  return 0;
}

static int listen_unix(struct minios_object *object, int backlog) {
  struct minios_unix *end = (struct minios_unix *)object;
  if (end->type == SOCK_DGRAM)
    return -EOPNOTSUPP;
  if (end->name.length == 0 || end->state == MINIOS_UNIX_CONNECTED)
    return -EINVAL;
  end->state = MINIOS_UNIX_LISTENS;
  end->backlog = backlog < 0 || backlog > SOMAXCONN ? SOMAXCONN : (unsigned)backlog;
  minios_unix_changed(end);
  return 0;
}

static int wait_for_pending(struct minios_unix *end) {
  minios_unix_hold(end);
  wait_event_deadline(end->queue, end->first_pending != NULL || !takes_connections(end),
                      minios_socket_deadline(end->receive_timeout));
  bool is_over = end->first_pending != NULL || !takes_connections(end);
  int error = end->is_closed ? -EBADF : is_over ? 0 : -EAGAIN;
  minios_unix_let_go(end);
  return error;
}

static int accept_unix(struct minios_object *object, struct minios_object **accepted) {
  struct minios_unix *end = (struct minios_unix *)object;
  int error = end->type == SOCK_DGRAM ? -EOPNOTSUPP : 0;
  while (error == 0 && end->first_pending == NULL) {
    if (end->state != MINIOS_UNIX_LISTENS)
      error = -EINVAL;
    else if (end->object.flags & O_NONBLOCK)
      error = -EAGAIN;
    else
      error = takes_connections(end) ? wait_for_pending(end) : -EINVAL;
  }
  if (error != 0)
    return error;
  *accepted = &take_pending(end)->object;
  minios_unix_changed(end);
  return 0;
}

static const struct minios_socket_calls calls = {
    .object = {minios_read_socket, minios_write_socket, control, minios_unix_close},
    .bind = minios_unix_bind,
    .connect = connect_unix,
    .listen = listen_unix,
    .accept = accept_unix,
    .send = minios_unix_send,
    .receive = minios_unix_receive,
    .shutdown = shut_down,
    .name = minios_unix_name,
    .get_option = get_option,
    .set_option = set_option,
};

struct minios_unix *minios_unix_new(int type) {
  struct minios_unix *end = calloc(1, sizeof *end);
  if (end == NULL)
    return NULL;
  end->object = (struct minios_object){.flags = O_RDWR, .calls = &calls.object};
  end->type = type;
  end->last = &end->first;
  end->last_pending = &end->first_pending;
  end->users = 1;
  init_waitqueue_head(&end->queue);
  end->next = minios_unix_all;
  minios_unix_all = end;
  minios_unix_changed(end);
  return end;
}

int minios_unix_socket(int type, int protocol, struct minios_object **socket) {
  if (protocol != 0 && protocol != PF_UNIX)
    return -EPROTONOSUPPORT;
  if (type == SOCK_RAW)
    type = SOCK_DGRAM;
  if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
    return -EPROTOTYPE;
  struct minios_unix *end = minios_unix_new(type);
  if (end == NULL)
    return -ENOMEM;
  *socket = &end->object;
  return 0;
}

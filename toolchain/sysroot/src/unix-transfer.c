/* What AF_UNIX sockets hand to each other (unix-socket.h): streams, datagrams and sequences of packets. */
#include "unix-rights.h"
#include "unix-socket.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY MINIOS_UNIX_CAPACITY

/* A datagram, or what one send gave a stream. */
struct minios_unix_piece {
  struct minios_unix_piece *next;
  size_t length, taken;
  struct minios_unix_name *from; /* NULL where the sender has no name */
  struct minios_unix_rights *rights;
  char bytes[];
};

static bool is_full(const struct minios_unix *end) {
  return end->held >= CAPACITY;
}

static bool can_write(const struct minios_unix *end) {
  const struct minios_unix *peer = end->peer;
  return peer == NULL || end->is_write_shut || peer->is_read_shut || !is_full(peer);
}

/* Nothing more will come. */
static bool has_ended(const struct minios_unix *end) {
  bool is_left = end->type != SOCK_DGRAM && (end->gets_no_more || end->peer == NULL);
  return end->is_closed || end->is_read_shut || is_left;
}

static uint32_t ready_of(const struct minios_unix *end) {
  bool is_over = has_ended(end), is_single = end->type == SOCK_DGRAM;
  if (end->state == MINIOS_UNIX_LISTENS)
    return end->first_pending != NULL ? POLLIN : 0;
  if (end->state == MINIOS_UNIX_ALONE && !is_single)
    return POLLOUT | POLLHUP;
  bool has_hung_up = (!is_single && end->peer == NULL) || (is_over && end->is_write_shut);
  return (end->first != NULL || is_over ? POLLIN : 0) | (can_write(end) ? POLLOUT : 0) |
         (has_hung_up ? POLLHUP : 0) | (end->error != 0 ? POLLERR : 0);
}

void minios_unix_changed(struct minios_unix *end) {
  if (end == NULL)
    return;
  end->object.ready = ready_of(end);
  wake_up(&end->queue);
  if (end->type != SOCK_DGRAM && end->peer != NULL)
    end->peer->object.ready = ready_of(end->peer);
  for (struct minios_unix *other = minios_unix_all; end->type == SOCK_DGRAM && other != NULL; other = other->next)
    if (other->peer == end)
      other->object.ready = ready_of(other);
}

static struct minios_unix_piece *gather(const struct msghdr *message, size_t skip, size_t length) {
  struct minios_unix_piece *piece = malloc(sizeof *piece + length);
  if (piece == NULL)
    return NULL;
  *piece = (struct minios_unix_piece){.length = length};
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

/* Whom a send reaches; NULL, with a negative errno, where it reaches nobody. */
static struct minios_unix *target_of(struct minios_unix *end, const struct msghdr *message, int *error) {
  if (end->type == SOCK_STREAM && message->msg_namelen != 0) {
    *error = end->state == MINIOS_UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    return NULL;
  }
  if (end->type == SOCK_DGRAM && message->msg_namelen != 0) {
    struct minios_unix *target = minios_unix_find(end, message->msg_name, message->msg_namelen, error);
    if (target == NULL || target->peer == NULL || target->peer == end)
      return target;
    *error = -EPERM;
    return NULL;
  }
  if (end->peer != NULL)
    return end->peer;
  bool was_connected = end->state == MINIOS_UNIX_CONNECTED;
  *error = !was_connected ? -ENOTCONN : end->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
  if (end->type == SOCK_DGRAM)
    end->state = MINIOS_UNIX_ALONE;
  return NULL;
}

/* A stream takes what fits, at once; a datagram all or nothing. */
static ssize_t put(struct minios_unix *end, struct minios_unix *target, const struct msghdr *message, size_t done,
                   size_t length, struct minios_unix_rights **rights) {
  size_t room = CAPACITY - target->held, part = length - done;
  if (end->type == SOCK_STREAM && part > room)
    part = room;
  struct minios_unix_piece *piece = gather(message, done, part);
  struct minios_unix_name *from = end->name.length == 0 ? NULL : malloc(sizeof *from);
  if (piece == NULL || (from == NULL && end->name.length != 0)) {
    free(piece);
    return -ENOBUFS;
  }
  if (from != NULL)
    *from = end->name;
  piece->from = from;
  piece->rights = *rights;
  *rights = NULL;
  *target->last = piece;
  target->last = &piece->next;
  target->held += part;
  minios_unix_changed(target);
  return (ssize_t)part;
}

static bool has_room(const struct minios_unix *end, const struct minios_unix *target, size_t length) {
  return end->type == SOCK_STREAM ? !is_full(target) : target->held + length <= CAPACITY;
}

static bool is_worth_a_look(const struct minios_unix *end, const struct minios_unix *target, size_t length) {
  return end->is_closed || end->is_write_shut || target->is_closed || target->is_read_shut || has_room(end, target, length);
}

/* 0, or a negative errno where nothing can be sent any more, or in time. */
static int wait_for_room(struct minios_unix *end, struct minios_unix *target, size_t length, s_time_t deadline) {
  minios_unix_hold(end);
  minios_unix_hold(target);
  wait_event_deadline(target->queue, is_worth_a_look(end, target, length), deadline);
  int error = is_worth_a_look(end, target, length) ? 0 : -EAGAIN;
  if (target->is_closed)
    error = end->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
  if (end->is_closed)
    error = -EBADF;
  minios_unix_let_go(target);
  minios_unix_let_go(end);
  return error;
}

/* As much as there is room for now; 0 where there is none. */
static ssize_t send_now(struct minios_unix *end, struct minios_unix *target, const struct msghdr *message, size_t done,
                        size_t length, struct minios_unix_rights **rights) {
  if (end->is_write_shut || target->is_read_shut)
    return -EPIPE;
  if (!has_room(end, target, length) || (length == 0 && end->type == SOCK_STREAM))
    return 0;
  return put(end, target, message, done, length, rights);
}

/* What is on its way is NULL from then on. */
static ssize_t send_all(struct minios_unix *end, const struct msghdr *message, int flags,
                        struct minios_unix_rights **rights) {
  size_t length = minios_message_length(message), done = 0;
  bool is_sent = false;
  s_time_t deadline = minios_socket_deadline(end->send_timeout);
  ssize_t error = end->type != SOCK_STREAM && length > CAPACITY ? -EMSGSIZE : 0;
  if (error == 0 && end->type == SOCK_SEQPACKET) {
    error = -end->error;
    end->error = 0;
  }
  while (error == 0 && !is_sent) {
    int found = 0;
    struct minios_unix *target = target_of(end, message, &found);
    ssize_t part = target == NULL ? found : send_now(end, target, message, done, length, rights);
    bool had_room = target != NULL && part >= 0 && (part > 0 || length == 0);
    done += part > 0 ? (size_t)part : 0;
    is_sent = had_room && done == length;
    if (part < 0)
      error = part;
    else if (!had_room)
      error = minios_may_wait(&end->object, flags) ? wait_for_room(end, target, length, deadline) : -EAGAIN;
  }
  return is_sent || done > 0 ? (ssize_t)done : error;
}

ssize_t minios_unix_send(struct minios_object *object, const struct msghdr *message, int flags) {
  struct minios_unix_rights *rights;
  int error = minios_unix_take_rights(message, &rights);
  if (error != 0)
    return error;
  ssize_t result = send_all((struct minios_unix *)object, message, flags, &rights);
  minios_unix_drop_rights(rights);
  return result;
}

/* Copies of the piece what the message has room for, behind what it has already. */
static size_t scatter(const struct minios_unix_piece *piece, const struct msghdr *message, size_t skip) {
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

static void drop_first(struct minios_unix *end) {
  struct minios_unix_piece *piece = end->first;
  end->held -= piece->length - piece->taken;
  end->first = piece->next;
  if (end->first == NULL)
    end->last = &end->first;
  minios_unix_drop_rights(piece->rights);
  free(piece->from);
  free(piece);
}

/* Descriptors go to whoever receives the first byte that they came with. */
static bool hand_over(struct minios_unix_piece *piece, struct msghdr *message, size_t room, int flags) {
  if (piece->rights == NULL)
    return false;
  minios_unix_give_rights(piece->rights, message, room, flags);
  if (!(flags & MSG_PEEK)) {
    minios_unix_drop_rights(piece->rights);
    piece->rights = NULL;
  }
  return true;
}

/* Behind a piece that came with descriptors it ends. */
static ssize_t take_stream(struct minios_unix *end, struct msghdr *message, size_t done, size_t room, int flags) {
  size_t all = 0;
  for (struct minios_unix_piece *piece = end->first; piece != NULL;) {
    size_t count = scatter(piece, message, done + all);
    bool is_whole = piece->taken + count == piece->length;
    struct minios_unix_piece *next = piece->next;
    bool has_rights = count > 0 && hand_over(piece, message, room, flags);
    all += count;
    if (!(flags & MSG_PEEK)) {
      piece->taken += count;
      end->held -= count;
      if (is_whole)
        drop_first(end);
    }
    if (!is_whole || has_rights)
      break;
    piece = next;
  }
  return (ssize_t)all;
}

static ssize_t take_packet(struct minios_unix *end, struct msghdr *message, size_t room, int flags) {
  struct minios_unix_piece *piece = end->first;
  size_t count = scatter(piece, message, 0), length = piece->length;
  if (count < length)
    message->msg_flags |= MSG_TRUNC;
  hand_over(piece, message, room, flags);
  if (!(flags & MSG_PEEK))
    drop_first(end);
  return (ssize_t)(flags & MSG_TRUNC ? length : count);
}

/* Who sent what comes first. */
static void tell_sender(const struct minios_unix *end, struct msghdr *message) {
  const struct minios_unix_name *from = end->first->from;
  if (from == NULL) {
    message->msg_namelen = 0;
    return;
  }
  socklen_t there = from->length < sizeof from->address ? from->length : sizeof from->address;
  if (message->msg_name != NULL)
    memcpy(message->msg_name, &from->address, message->msg_namelen < there ? message->msg_namelen : there);
  message->msg_namelen = from->length;
}

static bool has_news(const struct minios_unix *end) {
  return end->first != NULL || end->error != 0 || has_ended(end);
}

static int wait_for_piece(struct minios_unix *end, s_time_t deadline) {
  minios_unix_hold(end);
  wait_event_deadline(end->queue, has_news(end), deadline);
  int error = end->is_closed ? -EBADF : has_news(end) ? 0 : -EAGAIN;
  minios_unix_let_go(end);
  return error;
}

/* What stands in the way of any receiving, as a negative errno; of a stream, once all is received. */
static int receive_error(struct minios_unix *end) {
  if (end->type != SOCK_DGRAM && end->state != MINIOS_UNIX_CONNECTED)
    return end->type == SOCK_STREAM ? -EINVAL : -ENOTCONN;
  if (end->first != NULL && end->type == SOCK_STREAM)
    return 0;
  int error = -end->error;
  end->error = 0;
  return error;
}

ssize_t minios_unix_receive(struct minios_object *object, struct msghdr *message, int flags) {
  struct minios_unix *end = (struct minios_unix *)object;
  size_t wanted = minios_message_length(message), done = 0, room = message->msg_controllen;
  bool is_stream = end->type == SOCK_STREAM, is_told = false;
  s_time_t deadline = minios_socket_deadline(end->receive_timeout);
  message->msg_controllen = 0;
  for (;;) {
    int error = receive_error(end);
    if (end->first != NULL && error == 0) {
      if (!is_told)
        tell_sender(end, message);
      is_told = true;
      bool is_last = end->first->rights != NULL;
      done += (size_t)(is_stream ? take_stream(end, message, done, room, flags) : take_packet(end, message, room, flags));
      minios_unix_changed(end);
      if (!is_stream || is_last || !(flags & MSG_WAITALL) || (flags & MSG_PEEK) || done >= wanted)
        return (ssize_t)done;
      continue;
    }
    if (!is_told)
      message->msg_namelen = 0;
    if (error == 0 && (has_ended(end) || (is_stream && wanted == 0)))
      return (ssize_t)done;
    if (error == 0)
      error = minios_may_wait(&end->object, flags) ? wait_for_piece(end, deadline) : -EAGAIN;
    if (error != 0)
      return done > 0 ? (ssize_t)done : error;
  }
}

void minios_unix_drop_pieces(struct minios_unix *end) {
  while (end->first != NULL)
    drop_first(end);
}

size_t minios_unix_waiting(const struct minios_unix *end) {
  return end->type != SOCK_DGRAM || end->first == NULL ? end->held : end->first->length;
}

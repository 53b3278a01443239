/* TCP sockets over lwip's core: what has arrived waits in pbufs, and the window grows again as it is read. */
#include "inet-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define MOST_WRITE 0xf000 /* tcp_write counts by 16 bits */

/* What arrived as one. */
struct piece {
  struct piece *next;
  struct pbuf *p;
  size_t taken;
};

struct stream {
  struct inet_socket socket; /* first */
  struct tcp_pcb *pcb;       /* NULL when the connection is no more */
  enum { FRESH, CONNECTING, CONNECTED, LISTENING, OVER } state;
  bool has_ended; /* the other end sends no more */
  bool is_lingering;
  int linger;
  struct inet_place local, remote; /* of a connection that is no more */
  struct piece *first, **last;
  size_t held;
  /* Connections that nobody has accepted. */
  struct stream *pending, **last_pending, *next_pending;
  struct stream *listener;
  int pending_count;
};

static const struct minios_socket_calls stream_calls;

static struct stream *stream_of(struct minios_object *object) {
  return (struct stream *)object;
}

static bool has_room(const struct stream *stream) {
  return stream->pcb != NULL && stream->state == CONNECTED && tcp_sndbuf(stream->pcb) >= TCP_SNDLOWAT &&
         tcp_sndqueuelen(stream->pcb) < TCP_SND_QUEUELEN / 2;
}

static bool is_readable(const struct stream *stream) {
  return stream->first != NULL || stream->has_ended || stream->socket.is_read_shut || stream->pending != NULL ||
         stream->socket.error != 0 || stream->state == OVER;
}

/* As Linux's tcp_poll: a socket that is no connection yet is both over and writable. */
static unsigned readiness(const struct stream *stream) {
  const struct inet_socket *socket = &stream->socket;
  bool is_over = stream->state == OVER || stream->state == FRESH;
  bool is_shut = socket->is_write_shut && (stream->has_ended || socket->is_read_shut);
  return (is_readable(stream) ? POLLIN : 0) |
         (has_room(stream) || is_over || socket->is_write_shut || socket->error != 0 ? POLLOUT : 0) |
         (is_over || is_shut ? POLLHUP : 0) | (socket->error != 0 ? POLLERR : 0);
}

static void changed(struct stream *stream) {
  stream->socket.object.ready = readiness(stream);
  wake_up(&stream->socket.queue);
}

/*
 * A connection whose peer takes whole segments hands the back-end much longer ones (network interface.c): cut there, they are those of
 * the peer's size. Window and congestion window are counted in them.
 */
void minios_lwip_packet(struct tcp_pcb *pcb) {
  if (pcb->state != ESTABLISHED || pcb->mss != (IP_IS_V6(&pcb->remote_ip) ? TCP_MSS - 20 : TCP_MSS))
    return;
  pcb->mss = (u16_t)(pcb->mss * (MOST_WRITE / TCP_MSS));
  if (pcb->cwnd < 2 * (tcpwnd_size_t)pcb->mss)
    pcb->cwnd = 2 * (tcpwnd_size_t)pcb->mss;
}

static void keep_names(struct stream *stream) {
  stream->local = (struct inet_place){stream->pcb->local_ip, stream->pcb->local_port};
  stream->remote = (struct inet_place){stream->pcb->remote_ip, stream->pcb->remote_port};
}

static void detach(struct stream *stream) {
  tcp_arg(stream->pcb, NULL);
  tcp_recv(stream->pcb, NULL);
  tcp_sent(stream->pcb, NULL);
  tcp_err(stream->pcb, NULL);
  stream->pcb = NULL;
  stream->state = OVER;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t error) {
  struct stream *stream = arg;
  (void)error;
  if (p == NULL) {
    stream->has_ended = true;
    if (stream->socket.is_write_shut) /* both have ended: what is left is lwip's alone, which tells nobody when it is over */
      detach(stream);
    changed(stream);
    return ERR_OK;
  }
  if (stream->socket.is_read_shut) {
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
  }
  struct piece *piece = malloc(sizeof *piece);
  if (piece == NULL)
    return ERR_MEM;
  *piece = (struct piece){NULL, p, 0};
  *stream->last = piece;
  stream->last = &piece->next;
  stream->held += p->tot_len;
  if (p->tot_len >= 2 * TCP_MSS) /* several segments in one: not to be kept for later */
    tcp_ack_now(pcb);
  changed(stream);
  return ERR_OK;
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t length) {
  (void)pcb, (void)length;
  changed(arg);
  return ERR_OK;
}

/* lwip has freed the connection. */
static void failed(void *arg, err_t error) {
  struct stream *stream = arg;
  bool was_connecting = stream->state == CONNECTING;
  stream->pcb = NULL;
  stream->state = OVER;
  if (error == ERR_ABRT)
    stream->socket.error = ETIMEDOUT;
  else if (error == ERR_RST)
    stream->socket.error = was_connecting ? ECONNREFUSED : ECONNRESET;
  else if (error != ERR_CLSD)
    stream->socket.error = minios_errno_of(error);
  changed(stream);
}

static err_t connected(void *arg, struct tcp_pcb *pcb, err_t error) {
  struct stream *stream = arg;
  (void)error;
  stream->state = CONNECTED;
  keep_names(stream);
  minios_lwip_packet(pcb);
  changed(stream);
  return ERR_OK;
}

static void attach(struct stream *stream, struct tcp_pcb *pcb) {
  stream->pcb = pcb;
  tcp_arg(pcb, stream);
  tcp_recv(pcb, received);
  tcp_sent(pcb, sent);
  tcp_err(pcb, failed);
}

static struct stream *new_stream(int domain) {
  struct stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL)
    return NULL;
  minios_inet_init(&stream->socket, domain, SOCK_STREAM, IPPROTO_TCP, &stream_calls);
  stream->last = &stream->first;
  stream->last_pending = &stream->pending;
  return stream;
}

struct minios_object *minios_stream_open(int domain, int protocol) {
  struct stream *stream = new_stream(domain);
  struct tcp_pcb *pcb = stream == NULL ? NULL : tcp_new_ip_type(minios_address_type(&stream->socket));
  (void)protocol;
  if (pcb == NULL) {
    free(stream);
    return NULL;
  }
  attach(stream, pcb);
  changed(stream);
  return &stream->socket.object;
}

static err_t arrived(void *arg, struct tcp_pcb *pcb, err_t error) {
  struct stream *listener = arg;
  if (error != ERR_OK || pcb == NULL)
    return ERR_VAL;
  struct stream *stream = new_stream(listener->socket.domain);
  if (stream == NULL)
    return ERR_MEM;
  attach(stream, pcb);
  stream->state = CONNECTED;
  stream->listener = listener;
  stream->socket.is_only_ipv6 = listener->socket.is_only_ipv6;
  keep_names(stream);
  tcp_backlog_delayed(pcb);
  minios_lwip_packet(pcb);
  *listener->last_pending = stream;
  listener->last_pending = &stream->next_pending;
  listener->pending_count++;
  changed(stream);
  changed(listener);
  return ERR_OK;
}

static void discard_received(struct stream *stream) {
  for (struct piece *piece; (piece = stream->first) != NULL; free(piece)) {
    pbuf_free(piece->p);
    stream->first = piece->next;
  }
  stream->last = &stream->first;
  stream->held = 0;
}

/* What is unread makes lwip reset the connection, as Linux does. */
static void let_go(struct stream *stream) {
  struct tcp_pcb *pcb = stream->pcb;
  if (pcb == NULL)
    return;
  bool is_hard = stream->is_lingering && stream->linger == 0 && stream->state == CONNECTED;
  if (stream->state == LISTENING) {
    tcp_arg(pcb, NULL);
    tcp_accept(pcb, NULL);
  } else
    detach(stream);
  if (is_hard || tcp_close(pcb) != ERR_OK)
    tcp_abort(pcb);
}

static void close_stream(struct minios_object *object) {
  struct stream *stream = stream_of(object);
  for (struct stream *pending; (pending = stream->pending) != NULL;) {
    stream->pending = pending->next_pending;
    close_stream(&pending->socket.object);
  }
  let_go(stream);
  discard_received(stream);
  free(stream);
  minios_network_flush();
}

static int bind_stream(struct minios_object *object, const struct sockaddr *address, socklen_t length) {
  struct stream *stream = stream_of(object);
  struct inet_place place;
  int error = minios_read_place(&stream->socket, address, length, &place);
  if (error != 0)
    return error;
  if (stream->state != FRESH || stream->pcb->local_port != 0)
    return -EINVAL;
  if (stream->socket.domain == AF_INET6 && ip_addr_isany_val(place.address))
    IP_SET_TYPE_VAL(place.address, minios_address_type(&stream->socket));
  bool is_ours = ip_addr_isany_val(place.address) || ip_addr_isloopback(&place.address) ||
                 ip_route(&place.address, &place.address) != NULL;
  error = is_ours ? tcp_bind(stream->pcb, &place.address, place.port) : ERR_RTE;
  return error == ERR_RTE ? -EADDRNOTAVAIL : -minios_errno_of(error);
}

static int begin_connection(struct stream *stream, struct inet_place *place) {
  if (ip_addr_isany_val(place->address)) { /* Linux takes it for this host */
    ip_addr_set_loopback(IP_IS_V6_VAL(place->address), &place->address);
  }
  stream->state = CONNECTING;
  stream->remote = *place;
  int error = tcp_connect(stream->pcb, &place->address, place->port, connected);
  if (error != ERR_OK)
    stream->state = FRESH;
  minios_network_flush();
  changed(stream);
  return error == ERR_RTE ? -ENETUNREACH : error == ERR_BUF ? -EADDRNOTAVAIL : -minios_errno_of(error);
}

/* The end of a connection attempt; the error is told once. */
static int outcome(struct stream *stream) {
  if (stream->state == CONNECTED)
    return 0;
  int error = stream->socket.error;
  stream->socket.error = 0;
  changed(stream);
  return error == 0 ? -ECONNABORTED : -error;
}

static int connect_stream(struct minios_object *object, const struct sockaddr *address, socklen_t length) {
  struct stream *stream = stream_of(object);
  struct inet_place place;
  int error = minios_read_place(&stream->socket, address, length, &place);
  if (error != 0)
    return error;
  if (stream->state == CONNECTED)
    return -EISCONN;
  if (stream->state == LISTENING)
    return -EISCONN;
  if (stream->state == OVER)
    return outcome(stream);
  if (stream->state == CONNECTING)
    return -EALREADY;
  error = begin_connection(stream, &place);
  if (error != 0)
    return error;
  if (!minios_may_wait(&stream->socket.object, 0))
    return -EINPROGRESS; /* even where lwip knows already, as on Linux's loopback */
  s_time_t deadline = minios_socket_deadline(stream->socket.send_timeout);
  minios_network_wait(stream->socket.queue, stream->state != CONNECTING, deadline);
  return stream->state == CONNECTING ? -EINPROGRESS : outcome(stream);
}

static int listen_stream(struct minios_object *object, int backlog) {
  struct stream *stream = stream_of(object);
  int most = backlog <= 0 ? 1 : backlog > 255 ? 255 : backlog;
  if (stream->state == LISTENING) {
    tcp_backlog_set(stream->pcb, most);
    return 0;
  }
  if (stream->state != FRESH)
    return -EINVAL;
  err_t error = ERR_OK;
  if (stream->pcb->local_port == 0) {
    ip_addr_t any = *IP_ANY_TYPE;
    IP_SET_TYPE_VAL(any, minios_address_type(&stream->socket));
    error = tcp_bind(stream->pcb, &any, 0);
  }
  struct tcp_pcb *pcb = error != ERR_OK ? NULL : tcp_listen_with_backlog_and_err(stream->pcb, (u8_t)most, &error);
  if (pcb == NULL)
    return -minios_errno_of(error);
  stream->pcb = pcb;
  stream->state = LISTENING;
  tcp_arg(pcb, stream);
  tcp_accept(pcb, arrived);
  changed(stream);
  return 0;
}

static int accept_stream(struct minios_object *object, struct minios_object **accepted) {
  struct stream *stream = stream_of(object);
  if (stream->state != LISTENING)
    return -EINVAL;
  minios_network_look();
  if (stream->pending == NULL && !minios_may_wait(&stream->socket.object, 0))
    minios_give_turn();
  else {
    s_time_t deadline = minios_socket_deadline(stream->socket.receive_timeout);
    minios_network_wait(stream->socket.queue, stream->pending != NULL, deadline);
  }
  struct stream *first = stream->pending;
  if (first == NULL)
    return -EAGAIN;
  stream->pending = first->next_pending;
  if (stream->pending == NULL)
    stream->last_pending = &stream->pending;
  stream->pending_count--;
  first->next_pending = first->listener = NULL;
  if (first->pcb != NULL)
    tcp_backlog_accepted(first->pcb);
  changed(stream);
  *accepted = &first->socket.object;
  return 0;
}

/* 0 where the stream can be written to, or ever will. */
static int write_error(struct stream *stream) {
  int error = stream->socket.error;
  if (error != 0) {
    stream->socket.error = 0;
    changed(stream);
    return -error;
  }
  if (stream->state == OVER || stream->socket.is_write_shut)
    return -EPIPE;
  return stream->state == CONNECTED || stream->state == CONNECTING ? 0 : -EPIPE;
}

/* What lwip takes now; 0 where it has no room. */
static size_t write_some(struct stream *stream, const char *from, size_t count, bool has_more) {
  struct tcp_pcb *pcb = stream->pcb;
  size_t room = tcp_sndbuf(pcb), part = count < room ? count : room;
  if (part > MOST_WRITE)
    part = MOST_WRITE;
  u8_t flags = TCP_WRITE_FLAG_COPY | (has_more || part < count ? TCP_WRITE_FLAG_MORE : 0);
  if (part == 0 || tcp_write(pcb, from, (u16_t)part, flags) != ERR_OK)
    return 0;
  return part;
}

static size_t write_part(struct stream *stream, const struct iovec *part, size_t done, bool has_more) {
  size_t all = 0, count;
  while (done + all < part->iov_len) {
    count = write_some(stream, (const char *)part->iov_base + done + all, part->iov_len - done - all, has_more);
    if (count == 0)
      break;
    all += count;
  }
  return all;
}

/* As much of the message from `done` on as there is room for. */
static size_t write_message(struct stream *stream, const struct msghdr *message, size_t done, bool has_more) {
  size_t before = 0, all = 0;
  for (size_t i = 0; i < message->msg_iovlen; i++) {
    const struct iovec *part = &message->msg_iov[i];
    size_t at = done + all;
    if (at < before + part->iov_len) {
      all += write_part(stream, part, at - before, has_more || i + 1 < message->msg_iovlen);
      if (done + all < before + part->iov_len)
        break;
    }
    before += part->iov_len;
  }
  return all;
}

static ssize_t send_stream(struct minios_object *object, const struct msghdr *message, int flags) {
  struct stream *stream = stream_of(object);
  size_t length = minios_message_length(message), done = 0;
  s_time_t deadline = minios_socket_deadline(stream->socket.send_timeout);
  if (flags & MSG_OOB)
    return -EOPNOTSUPP;
  for (;;) {
    minios_network_look();
    int error = write_error(stream);
    if (error != 0)
      return done > 0 ? (ssize_t)done : error;
    if (stream->state == CONNECTED) {
      done += write_message(stream, message, done, flags & MSG_MORE);
      tcp_output(stream->pcb);
      minios_network_flush();
      changed(stream);
    }
    if (done == length)
      return (ssize_t)done;
    if (!minios_may_wait(&stream->socket.object, flags)) {
      if (done == 0)
        minios_give_turn();
      return done > 0 ? (ssize_t)done : -EAGAIN;
    }
    minios_network_wait(stream->socket.queue, has_room(stream) || stream->socket.error != 0 || stream->state == OVER,
                        deadline);
    if (deadline != 0 && NOW() >= deadline && !has_room(stream))
      return done > 0 ? (ssize_t)done : -EAGAIN;
  }
}

/* What is there, in order; the window is opened by as much. */
static size_t take(struct stream *stream, struct msghdr *message, size_t skip, size_t wanted, bool stays) {
  size_t all = 0;
  for (struct piece *piece = stream->first; piece != NULL && all < wanted;) {
    size_t rest = piece->p->tot_len - piece->taken;
    size_t count = rest < wanted - all ? rest : wanted - all;
    minios_scatter(message, skip + all, piece->p, piece->taken, count);
    all += count;
    struct piece *next = piece->next;
    if (!stays && count == rest) {
      stream->first = next;
      if (next == NULL)
        stream->last = &stream->first;
      pbuf_free(piece->p);
      free(piece);
    } else if (!stays)
      piece->taken += count;
    piece = next;
  }
  if (stays)
    return all;
  stream->held -= all;
  for (size_t told = 0; stream->pcb != NULL && told < all;) {
    size_t part = all - told < 0xffff ? all - told : 0xffff;
    tcp_recved(stream->pcb, (u16_t)part);
    told += part;
  }
  return all;
}

/* Nothing more will come: 0 for the end, or an error. */
static ssize_t end_of(struct stream *stream) {
  int error = stream->socket.error;
  stream->socket.error = 0;
  changed(stream);
  if (error != 0)
    return -error;
  return stream->state == FRESH || stream->state == LISTENING ? -ENOTCONN : 0;
}

static bool is_over(const struct stream *stream) {
  return stream->has_ended || stream->socket.is_read_shut || stream->socket.error != 0 ||
         (stream->state != CONNECTED && stream->state != CONNECTING);
}

static ssize_t receive_stream(struct minios_object *object, struct msghdr *message, int flags) {
  struct stream *stream = stream_of(object);
  size_t wanted = minios_message_length(message), done = 0;
  s_time_t deadline = minios_socket_deadline(stream->socket.receive_timeout);
  message->msg_namelen = 0;
  message->msg_controllen = 0;
  if (flags & MSG_OOB)
    return -EINVAL;
  if (stream->first == NULL)
    minios_network_look();
  for (;;) {
    size_t part = take(stream, message, done, wanted - done, flags & MSG_PEEK);
    done += part;
    if (part > 0) {
      minios_network_flush();
      changed(stream);
    }
    bool wants_more = (flags & MSG_WAITALL) && !(flags & MSG_PEEK) && done < wanted;
    if ((done > 0 && !wants_more) || wanted == 0)
      return (ssize_t)done;
    if (is_over(stream))
      return done > 0 ? (ssize_t)done : end_of(stream);
    if (!minios_may_wait(&stream->socket.object, flags)) {
      if (done == 0)
        minios_give_turn();
      return done > 0 ? (ssize_t)done : -EAGAIN;
    }
    minios_network_wait(stream->socket.queue, stream->first != NULL || is_over(stream), deadline);
    if (stream->first == NULL && !is_over(stream))
      return done > 0 ? (ssize_t)done : -EAGAIN;
  }
}

static int control_stream(struct minios_object *object, unsigned long request, void *argument) {
  minios_network_look();
  if (request != FIONREAD)
    return -ENOTTY;
  *(int *)argument = (int)stream_of(object)->held;
  return 0;
}

static int shut_stream(struct minios_object *object, int how) {
  struct stream *stream = stream_of(object);
  if (stream->state != CONNECTED)
    return -ENOTCONN;
  if (how != SHUT_WR)
    stream->socket.is_read_shut = true;
  if (how != SHUT_RD && !stream->socket.is_write_shut) {
    stream->socket.is_write_shut = true;
    tcp_shutdown(stream->pcb, 0, 1);
    minios_network_flush();
  }
  changed(stream);
  return 0;
}

static int name_stream(struct minios_object *object, struct sockaddr *address, socklen_t length, bool is_peer) {
  struct stream *stream = stream_of(object);
  if (is_peer && stream->state != CONNECTED)
    return -ENOTCONN;
  struct inet_place local = stream->local;
  if (stream->pcb != NULL)
    local = (struct inet_place){stream->pcb->local_ip, stream->pcb->local_port};
  return minios_write_place(&stream->socket, is_peer ? stream->remote : local, address, length);
}

/* Flags of the connection that are options; of one that is no more nothing is asked. */
static int flag_of(int level, int name) {
  if (level != SOL_SOCKET)
    return 0;
  return name == SO_REUSEADDR || name == SO_REUSEPORT ? SOF_REUSEADDR
         : name == SO_KEEPALIVE                       ? SOF_KEEPALIVE
         : name == SO_BROADCAST                       ? SOF_BROADCAST
                                                      : 0;
}

static int get_tcp(struct stream *stream, int name) {
  struct tcp_pcb *pcb = stream->pcb;
  switch (name) {
    case TCP_NODELAY:
      return stream->state != LISTENING && (pcb->flags & TF_NODELAY) != 0;
    case TCP_MAXSEG:
      return TCP_MSS;
    case TCP_KEEPIDLE:
      return (int)(pcb->keep_idle / 1000);
    case TCP_KEEPINTVL:
      return (int)(pcb->keep_intvl / 1000);
    case TCP_KEEPCNT:
      return (int)pcb->keep_cnt;
    default:
      return -ENOPROTOOPT;
  }
}

static int get_stream_option(struct minios_object *object, int level, int name, void *value, socklen_t *length) {
  struct stream *stream = stream_of(object);
  int flag = flag_of(level, name);
  if (flag != 0)
    return minios_give_int(stream->pcb != NULL && (stream->pcb->so_options & flag) != 0, value, length);
  if (level == SOL_SOCKET && name == SO_ACCEPTCONN)
    return minios_give_int(stream->state == LISTENING, value, length);
  if (level == SOL_SOCKET && name == SO_LINGER) {
    struct linger linger = {stream->is_lingering, stream->linger};
    *length = *length < sizeof linger ? *length : sizeof linger;
    memcpy(value, &linger, *length);
    return 0;
  }
  if (level == IPPROTO_TCP) {
    if (stream->pcb == NULL || (stream->state == LISTENING && name != TCP_NODELAY && name != TCP_MAXSEG))
      return -EINVAL;
    int number = get_tcp(stream, name);
    return number < 0 ? number : minios_give_int(number, value, length);
  }
  if (level == IPPROTO_IP && (name == IP_TTL || name == IP_TOS) && stream->pcb != NULL)
    return minios_give_int(name == IP_TTL ? stream->pcb->ttl : stream->pcb->tos, value, length);
  int result = minios_get_common(&stream->socket, level, name, value, length);
  changed(stream);
  return result;
}

static int set_tcp(struct tcp_pcb *pcb, int name, int number) {
  switch (name) {
    case TCP_NODELAY:
      if (number)
        tcp_nagle_disable(pcb);
      else
        tcp_nagle_enable(pcb);
      return 0;
    case TCP_KEEPIDLE:
      pcb->keep_idle = (u32_t)number * 1000;
      return number > 0 ? 0 : -EINVAL;
    case TCP_KEEPINTVL:
      pcb->keep_intvl = (u32_t)number * 1000;
      return number > 0 ? 0 : -EINVAL;
    case TCP_KEEPCNT:
      pcb->keep_cnt = (u32_t)number;
      return number > 0 ? 0 : -EINVAL;
    default:
      return -ENOPROTOOPT;
  }
}

static int set_linger(struct stream *stream, const void *value, socklen_t length) {
  struct linger linger;
  if (length < sizeof linger)
    return -EINVAL;
  memcpy(&linger, value, sizeof linger);
  stream->is_lingering = linger.l_onoff != 0;
  stream->linger = linger.l_linger;
  return 0;
}

static int set_stream_option(struct minios_object *object, int level, int name, const void *value, socklen_t length) {
  struct stream *stream = stream_of(object);
  struct tcp_pcb *pcb = stream->pcb;
  int number = 0, flag = flag_of(level, name);
  if (level == SOL_SOCKET && name == SO_LINGER)
    return set_linger(stream, value, length);
  bool is_ours = flag != 0 || level == IPPROTO_TCP || (level == IPPROTO_IP && (name == IP_TTL || name == IP_TOS));
  if (!is_ours) {
    int error = minios_set_common(&stream->socket, level, name, value, length);
    if (name == IPV6_V6ONLY && level == IPPROTO_IPV6 && stream->state == FRESH && error == 0)
      IP_SET_TYPE_VAL(pcb->local_ip, minios_address_type(&stream->socket));
    return error;
  }
  int error = minios_take_int(value, length, &number);
  if (error != 0 || pcb == NULL)
    return error != 0 ? error : -EINVAL;
  if (level == IPPROTO_TCP)
    return stream->state == LISTENING ? 0 : set_tcp(pcb, name, number);
  if (level == IPPROTO_IP) {
    if (name == IP_TTL)
      pcb->ttl = (u8_t)number;
    else
      pcb->tos = (u8_t)number;
    return 0;
  }
  if (number)
    pcb->so_options |= (u8_t)flag;
  else
    pcb->so_options &= (u8_t)~flag;
  return 0;
}

static const struct minios_socket_calls stream_calls = {
    .object = {minios_read_socket, minios_write_socket, control_stream, close_stream},
    .bind = bind_stream,
    .connect = connect_stream,
    .listen = listen_stream,
    .accept = accept_stream,
    .send = send_stream,
    .receive = receive_stream,
    .shutdown = shut_stream,
    .name = name_stream,
    .get_option = get_stream_option,
    .set_option = set_stream_option,
};

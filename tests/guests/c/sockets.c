/* Sockets of one thread with itself, over the loopback: streams, datagrams, options, readiness, errors. */
#include "errors.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static const char *network_error(int error) {
  switch (error) {
    case EINPROGRESS: return "EINPROGRESS";
    case EALREADY: return "EALREADY";
    case EISCONN: return "EISCONN";
    case ENOTCONN: return "ENOTCONN";
    case ENOTSOCK: return "ENOTSOCK";
    case ECONNREFUSED: return "ECONNREFUSED";
    case ECONNRESET: return "ECONNRESET";
    case EADDRINUSE: return "EADDRINUSE";
    case EADDRNOTAVAIL: return "EADDRNOTAVAIL";
    case EAFNOSUPPORT: return "EAFNOSUPPORT";
    case EPROTONOSUPPORT: return "EPROTONOSUPPORT";
    case ENOPROTOOPT: return "ENOPROTOOPT";
    case EDESTADDRREQ: return "EDESTADDRREQ";
    case EMSGSIZE: return "EMSGSIZE";
    default: return error_name(error);
  }
}

#define TRY(call)                                                          \
  do {                                                                     \
    errno = 0;                                                             \
    long result_ = (long)(call);                                           \
    if (result_ == -1)                                                     \
      printf("%d %s: %s\n", __LINE__, #call, network_error(errno));        \
    else                                                                   \
      printf("%d %s: %ld\n", __LINE__, #call, result_);                    \
  } while (0)

static struct sockaddr_in place(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static int port_of(int fd) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
    return -1;
  return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                            : ((struct sockaddr_in6 *)&address)->sin6_port);
}

static int option(int fd, int level, int name) {
  int value = -7;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

static int ready(int fd, int events, int milliseconds) {
  struct pollfd asked = {.fd = fd, .events = (short)events};
  return poll(&asked, 1, milliseconds) < 0 ? -1 : asked.revents;
}

static int listening(struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  *address = place(0);
  if (bind(fd, (struct sockaddr *)address, sizeof *address) != 0 || listen(fd, 5) != 0)
    return -1;
  address->sin_port = htons(port_of(fd));
  return fd;
}

static void streams(void) {
  struct sockaddr_in address, peer;
  socklen_t length = sizeof peer;
  char text[64] = "";
  int waiting, server = listening(&address);
  int client = socket(AF_INET, SOCK_STREAM, 0);
  TRY(option(server, SOL_SOCKET, SO_ACCEPTCONN));
  TRY(option(client, SOL_SOCKET, SO_TYPE));
  TRY(option(client, SOL_SOCKET, SO_ERROR));
  TRY(ready(server, POLLIN, 0));
  TRY(connect(client, (struct sockaddr *)&address, sizeof address));
  TRY(connect(client, (struct sockaddr *)&address, sizeof address));
  TRY(ready(server, POLLIN, 1000));
  int fd = accept(server, (struct sockaddr *)&peer, &length);
  printf("accepted from us: %d, of %d bytes, family %d\n", ntohs(peer.sin_port) == port_of(client), (int)length,
         peer.sin_family);
  length = sizeof peer;
  TRY(getpeername(client, (struct sockaddr *)&peer, &length));
  printf("the peer is the server: %d\n", peer.sin_port == address.sin_port);
  TRY(ready(fd, POLLIN | POLLOUT, 0));
  TRY(send(client, "hello", 5, 0));
  TRY(ready(fd, POLLIN | POLLOUT, 1000));
  TRY(ioctl(fd, FIONREAD, &waiting));
  printf("%d wait\n", waiting);
  TRY(recv(fd, text, 3, MSG_PEEK));
  TRY(recv(fd, text, sizeof text, 0));
  printf("%s\n", text);
  TRY(recv(fd, text, sizeof text, MSG_DONTWAIT));
  TRY(write(fd, "one", 3));
  TRY(write(fd, "two", 3));
  TRY(recv(client, text, 6, MSG_WAITALL));
  printf("%.6s\n", text);
  struct iovec parts[2] = {{"scatter", 4}, {"gather", 6}};
  struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
  TRY(sendmsg(client, &message, 0));
  char first[5] = "", second[9] = "";
  struct iovec into[2] = {{first, 4}, {second, 8}};
  struct msghdr got = {.msg_iov = into, .msg_iovlen = 2};
  ready(fd, POLLIN, 1000);
  TRY(recvmsg(fd, &got, 0));
  printf("%s %s\n", first, second);
  TRY(shutdown(client, SHUT_WR));
  TRY(ready(fd, POLLIN, 1000));
  TRY(read(fd, text, sizeof text));
  TRY(send(client, "x", 1, MSG_NOSIGNAL));
  TRY(write(fd, "late", 4));
  TRY(read(client, text, sizeof text));
  TRY(close(fd));
  TRY(ready(client, POLLIN, 1000));
  TRY(read(client, text, sizeof text));
  TRY(close(client));
  TRY(close(server));
}

/* A megabyte and more, through buffers that are smaller. */
static void bulk(void) {
  struct sockaddr_in address;
  int server = listening(&address), client = socket(AF_INET, SOCK_STREAM, 0);
  size_t total = 3 << 20, sent = 0, received = 0, wrong = 0;
  unsigned char block[10000];
  connect(client, (struct sockaddr *)&address, sizeof address);
  int fd = accept4(server, NULL, NULL, SOCK_NONBLOCK);
  TRY(fcntl(fd, F_GETFL) & O_NONBLOCK ? 1 : 0);
  TRY(fcntl(client, F_SETFL, O_NONBLOCK));
  while (received < total) {
    for (size_t i = 0; i < sizeof block; i++)
      block[i] = (unsigned char)((sent + i) * 7 >> 3);
    size_t part = total - sent < sizeof block ? total - sent : sizeof block;
    ssize_t count = part == 0 ? 0 : write(client, block, part);
    if (count > 0)
      sent += (size_t)count;
    else if (part != 0 && errno != EAGAIN)
      break;
    while ((count = read(fd, block, sizeof block)) > 0) {
      for (ssize_t i = 0; i < count; i++)
        wrong += block[i] != (unsigned char)((received + (size_t)i) * 7 >> 3);
      received += (size_t)count;
    }
  }
  printf("%zu sent, %zu received, %zu wrong\n", sent, received, wrong);
  close(client);
  ready(fd, POLLIN, 1000);
  TRY(read(fd, block, sizeof block));
  close(fd);
  close(server);
}

static void refusals(void) {
  struct sockaddr_in address, nobody;
  struct sockaddr_in6 other = {.sin6_family = AF_INET6};
  int server = listening(&address), fd = socket(AF_INET, SOCK_STREAM, 0);
  char text[8];
  nobody = address;
  close(server);
  TRY(connect(fd, (struct sockaddr *)&nobody, sizeof nobody));
  close(fd);
  fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  server = listening(&address);
  TRY(connect(fd, (struct sockaddr *)&nobody, sizeof nobody));
  TRY(ready(fd, POLLOUT, 1000) & POLLOUT);
  printf("SO_ERROR says ECONNREFUSED: %d\n", option(fd, SOL_SOCKET, SO_ERROR) == ECONNREFUSED);
  TRY(option(fd, SOL_SOCKET, SO_ERROR));
  close(fd);
  fd = socket(AF_INET, SOCK_STREAM, 0);
  TRY(read(fd, text, 1));
  TRY(send(fd, "x", 1, MSG_NOSIGNAL));
  TRY(ready(fd, POLLIN | POLLOUT, 0));
  TRY(accept(fd, NULL, NULL));
  TRY(bind(fd, (struct sockaddr *)&address, sizeof address));
  TRY(bind(fd, (struct sockaddr *)&address, 4));
  TRY(connect(fd, (struct sockaddr *)&other, sizeof other));
  address.sin_addr.s_addr = htonl(0xc0000201);
  TRY(bind(fd, (struct sockaddr *)&address, sizeof address));
  TRY(shutdown(fd, SHUT_RDWR));
  TRY(shutdown(fd, 9));
  socklen_t length = sizeof address;
  TRY(getpeername(fd, (struct sockaddr *)&address, &length));
  close(fd);
  fcntl(server, F_SETFL, O_NONBLOCK);
  TRY(accept(server, NULL, NULL));
  TRY(read(server, text, 1));
  close(server);
  TRY(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
  TRY(socket(77, SOCK_STREAM, 0));
  int ends[2];
  pipe(ends);
  TRY(listen(ends[0], 1));
  TRY(send(ends[1], "x", 1, 0));
  TRY(recv(77, text, 1, 0));
  fd = socket(AF_INET, SOCK_DGRAM, 0);
  TRY(listen(fd, 1));
  TRY(accept(fd, NULL, NULL));
  TRY(send(fd, "x", 1, 0));
  TRY(lseek(fd, 0, SEEK_SET));
  TRY(setsockopt(fd, SOL_SOCKET, 9999, &fd, sizeof fd));
  close(fd);
}

/* The other end is reset when something was not read. */
static void resets(void) {
  struct sockaddr_in address;
  struct linger hard = {1, 0};
  int server = listening(&address), client = socket(AF_INET, SOCK_STREAM, 0);
  char text[8];
  connect(client, (struct sockaddr *)&address, sizeof address);
  int fd = accept(server, NULL, NULL);
  TRY(write(client, "unread", 6));
  ready(fd, POLLIN, 1000);
  close(fd);
  TRY(ready(client, POLLIN, 1000) & POLLIN);
  TRY(read(client, text, sizeof text));
  TRY(read(client, text, sizeof text));
  TRY(send(client, "x", 1, MSG_NOSIGNAL));
  close(client);
  client = socket(AF_INET, SOCK_STREAM, 0);
  connect(client, (struct sockaddr *)&address, sizeof address);
  fd = accept(server, NULL, NULL);
  TRY(setsockopt(client, SOL_SOCKET, SO_LINGER, &hard, sizeof hard));
  close(client);
  ready(fd, POLLIN, 1000);
  TRY(read(fd, text, sizeof text));
  close(fd);
  close(server);
}

static void datagrams(void) {
  struct sockaddr_in address = place(0), from;
  socklen_t length = sizeof from;
  char text[3000] = "", big[2500];
  int one = socket(AF_INET, SOCK_DGRAM, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
  TRY(bind(one, (struct sockaddr *)&address, sizeof address));
  address.sin_port = htons(port_of(one));
  TRY(ready(one, POLLIN | POLLOUT, 0));
  TRY(sendto(other, "first", 5, 0, (struct sockaddr *)&address, sizeof address));
  TRY(sendto(other, "", 0, 0, (struct sockaddr *)&address, sizeof address));
  TRY(sendto(other, "second", 6, 0, (struct sockaddr *)&address, sizeof address));
  TRY(ready(one, POLLIN, 1000));
  TRY(recvfrom(one, text, 2, MSG_PEEK, NULL, NULL));
  TRY(recvfrom(one, text, 2, MSG_TRUNC, (struct sockaddr *)&from, &length));
  printf("%.2s from the other: %d, %d bytes\n", text, ntohs(from.sin_port) == port_of(other), (int)length);
  TRY(recv(one, text, sizeof text, 0));
  TRY(recv(one, text, sizeof text, 0));
  printf("%.6s\n", text);
  TRY(recv(one, text, sizeof text, MSG_DONTWAIT));
  TRY(connect(one, (struct sockaddr *)&from, sizeof from));
  TRY(send(one, "back", 4, 0));
  TRY(recv(other, text, sizeof text, 0));
  memset(big, 'b', sizeof big);
  TRY(sendto(other, big, sizeof big, 0, (struct sockaddr *)&address, sizeof address));
  struct iovec part = {text, 100};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  TRY(recvmsg(one, &message, 0));
  printf("truncated: %d\n", (message.msg_flags & MSG_TRUNC) != 0);
  memset(text, 0, sizeof text);
  TRY(sendto(other, text, 70000, 0, (struct sockaddr *)&address, sizeof address));
  struct timeval soon = {0, 20000};
  TRY(setsockopt(one, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
  TRY(recv(one, text, sizeof text, 0));
  TRY(bind(other, (struct sockaddr *)&address, sizeof address));
  close(one);
  close(other);
}

static void options(void) {
  int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), six = socket(AF_INET6, SOCK_DGRAM, 0);
  struct stat status;
  struct timeval time = {3, 500000}, back;
  socklen_t length = sizeof back;
  TRY(fcntl(fd, F_GETFD));
  TRY(option(fd, IPPROTO_TCP, TCP_NODELAY));
  TRY(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
  TRY(option(fd, IPPROTO_TCP, TCP_NODELAY));
  TRY(option(fd, SOL_SOCKET, SO_REUSEADDR));
  TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  TRY(option(fd, SOL_SOCKET, SO_REUSEADDR));
  TRY(setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
  TRY(option(fd, SOL_SOCKET, SO_KEEPALIVE));
  TRY(option(fd, SOL_SOCKET, SO_DOMAIN));
  TRY(option(fd, SOL_SOCKET, SO_PROTOCOL));
  TRY(option(six, SOL_SOCKET, SO_DOMAIN));
  TRY(option(six, SOL_SOCKET, SO_BROADCAST));
  TRY(setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
  TRY(option(six, IPPROTO_IPV6, IPV6_V6ONLY));
  TRY(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
  TRY(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &back, &length));
  printf("%ld.%06ld\n", (long)back.tv_sec, (long)back.tv_usec);
  TRY(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, 1));
  TRY(fstat(fd, &status));
  printf("a socket: %d, a terminal: %d\n", S_ISSOCK(status.st_mode), isatty(fd));
  TRY(close(fd));
  TRY(option(fd, SOL_SOCKET, SO_TYPE));
  close(six);
}

/* select over sockets and a pipe at once. */
static void selects(void) {
  struct sockaddr_in address;
  int server = listening(&address), client = socket(AF_INET, SOCK_STREAM, 0), ends[2], copy;
  struct timeval soon = {0, 10000};
  fd_set readable, writable;
  pipe(ends);
  connect(client, (struct sockaddr *)&address, sizeof address);
  int fd = accept(server, NULL, NULL);
#define SELECT(time)                                                                                      \
  do {                                                                                                    \
    FD_ZERO(&readable);                                                                                   \
    FD_ZERO(&writable);                                                                                   \
    FD_SET(server, &readable);                                                                            \
    FD_SET(fd, &readable);                                                                                \
    FD_SET(ends[0], &readable);                                                                           \
    FD_SET(fd, &writable);                                                                                \
    TRY(select(64, &readable, &writable, NULL, time));                                                    \
    printf("server %d, connection %d and %d, pipe %d\n", FD_ISSET(server, &readable) != 0,                \
           FD_ISSET(fd, &readable) != 0, FD_ISSET(fd, &writable) != 0, FD_ISSET(ends[0], &readable) != 0); \
  } while (0)
  SELECT(&soon);
  write(ends[1], "p", 1);
  SELECT(NULL);
  write(client, "c", 1);
  ready(fd, POLLIN, 1000);
  SELECT(NULL);
  TRY((copy = dup(fd)) > fd);
  close(fd);
  TRY(write(copy, "still", 5));
  char text[8] = "";
  TRY(read(client, text, sizeof text));
  close(copy);
  ready(client, POLLIN, 1000);
  close(client), close(server), close(ends[0]), close(ends[1]);
}

int main(int argc, char **argv) {
  (void)argc, (void)argv;
  streams();
  bulk();
  refusals();
  resets();
  datagrams();
  options();
  selects();
  return 0;
}

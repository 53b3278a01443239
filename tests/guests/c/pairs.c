/* Pairs of AF_UNIX sockets, and addresses and names as text. */
#include "errors.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int ready(int fd) {
  struct pollfd asked = {.fd = fd, .events = POLLIN | POLLOUT};
  poll(&asked, 1, 0);
  return asked.revents;
}

static void pair(int type) {
  int fds[2], waiting = 0;
  char text[64] = "", more[64] = "";
  struct sockaddr_un name;
  socklen_t length = sizeof name;
  SAY(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
  SAY(fcntl(fds[0], F_GETFD));
  SAY(ready(fds[0]));
  SAY(send(fds[0], "first", 5, 0));
  SAY(write(fds[0], "second", 6));
  SAY(ready(fds[1]));
  SAY(ioctl(fds[1], FIONREAD, &waiting));
  printf("%d wait\n", waiting);
  SAY(recv(fds[1], text, 3, MSG_PEEK));
  SAY(read(fds[1], text, 3));
  SAY(recv(fds[1], more, sizeof more, 0));
  printf("%s %s\n", text, more);
  SAY(recv(fds[1], more, sizeof more, MSG_DONTWAIT) > 0);
  SAY(recv(fds[1], more, sizeof more, MSG_DONTWAIT));
  struct iovec out[2] = {{"ab", 2}, {"cdef", 4}}, in[2] = {{text, 1}, {more, 3}};
  struct msghdr sending = {.msg_iov = out, .msg_iovlen = 2}, receiving = {.msg_iov = in, .msg_iovlen = 2};
  SAY(sendmsg(fds[1], &sending, 0));
  SAY(recvmsg(fds[0], &receiving, 0));
  printf("%c %.3s, truncated %d\n", text[0], more, (receiving.msg_flags & MSG_TRUNC) != 0);
  SAY(getsockname(fds[0], (struct sockaddr *)&name, &length));
  printf("%d bytes, family %d\n", (int)length, name.sun_family);
  SAY(shutdown(fds[0], SHUT_WR));
  SAY(ready(fds[1]) & ~POLLHUP);
  if (type != SOCK_DGRAM) {
    while (recv(fds[1], text, sizeof text, 0) > 0)
      ;
    SAY(read(fds[1], text, sizeof text));
  }
  SAY(send(fds[0], "x", 1, MSG_NOSIGNAL));
  SAY(send(fds[1], "y", 1, 0));
  while (recv(fds[0], text, sizeof text, MSG_DONTWAIT) > 1)
    ;
  printf("%c\n", text[0]);
  close(fds[0]);
  SAY(send(fds[1], "x", 1, MSG_NOSIGNAL));
  close(fds[1]);
}

static void full(void) {
  int fds[2];
  char block[4096] = "";
  size_t written = 0, got = 0;
  ssize_t count;
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
  while ((count = write(fds[0], block, sizeof block)) > 0)
    written += (size_t)count;
  printf("%s, %s\n", written > 65536 ? "much" : "little", error_name(errno));
  SAY(ready(fds[0]));
  while ((count = read(fds[1], block, sizeof block)) > 0)
    got += (size_t)count;
  printf("all came: %d\n", got == written);
  close(fds[0]), close(fds[1]);
  int bad[2];
  SAY(socketpair(AF_UNIX, SOCK_STREAM, 99, bad) == -1);
}

static void addresses(void) {
  const char *texts[] = {"127.0.0.1", "10.1", "0x7f.1", "1.2.3.4.5", "256.1.1.1", "1.2.3", "0377.0.0.1", "", "1.2.3.4 x",
                         "4294967295", "4294967296", "::", "::1", "1::", "fe80::1:2", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7",
                         "1::2::3", "::ffff:1.2.3.4", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "12345::", ":1", "1:", "::g",
                         "1:0:0:2:0:0:0:3", "2001:db8:0:1:1:1:1:1", "0:0:1::", "1:2:3:4:5:6:7::", "01.2.3.4", "::1.2.3"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    struct in_addr four = {0}, four_too = {0};
    struct in6_addr six;
    char text[64] = "-";
    int result = inet_aton(texts[i], &four), strict = inet_pton(AF_INET, texts[i], &four_too);
    printf("%s: %d %08x %d %08x", texts[i], result, result ? (unsigned)ntohl(four.s_addr) : 0, strict,
           (unsigned)ntohl(four_too.s_addr));
    result = inet_pton(AF_INET6, texts[i], &six);
    printf(" %d %s\n", result, result == 1 ? inet_ntop(AF_INET6, &six, text, sizeof text) : "-");
  }
  char small[8];
  struct in_addr address = {htonl(0x01020304)};
  printf("%s %d", inet_ntoa(address), inet_ntop(AF_INET, &address, small, 7) == NULL);
  printf(" %s\n", error_name(errno));
  printf("%d %d\n", inet_pton(99, "1", &address), htons(0x1234) == 0x3412);
}

static void show(const char *node, const char *service, int flags, int family, int type) {
  struct addrinfo hints = {.ai_flags = flags, .ai_family = family, .ai_socktype = type}, *list = NULL;
  int error = getaddrinfo(node, service, &hints, &list);
  printf("%s %s:", node == NULL ? "-" : node, service == NULL ? "-" : service);
  if (error != 0)
    printf(" %s", gai_strerror(error));
  for (struct addrinfo *one = list; one != NULL; one = one->ai_next) {
    char host[64], port[16];
    error = getnameinfo(one->ai_addr, one->ai_addrlen, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    printf(" %d/%d/%d %s %s %s", one->ai_family, one->ai_socktype, one->ai_protocol, host, port,
           one->ai_canonname == NULL ? "" : one->ai_canonname);
  }
  printf("\n");
  if (list != NULL)
    freeaddrinfo(list);
}

static void names(void) {
  show("127.0.0.1", "80", 0, AF_UNSPEC, SOCK_STREAM);
  show("::1", "80", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM);
  show("127.0.0.1", "80", 0, AF_INET, 0);
  show("1.2.3.4", NULL, AI_CANONNAME, AF_UNSPEC, SOCK_DGRAM);
  show(NULL, "7000", AI_PASSIVE, AF_INET, SOCK_STREAM);
  show(NULL, "7000", 0, AF_INET6, SOCK_STREAM);
  show("no name at all", "1", AI_NUMERICHOST, AF_UNSPEC, SOCK_STREAM);
  show("127.0.0.1", "http", AI_NUMERICSERV, AF_UNSPEC, SOCK_STREAM);
  show("127.0.0.1", "no-such-service", 0, AF_UNSPEC, SOCK_STREAM);
  show(NULL, NULL, 0, AF_UNSPEC, SOCK_STREAM);
  show("127.0.0.1", "1", 0, 77, SOCK_STREAM);
  show("127.0.0.1", "1", 0x80000, AF_UNSPEC, SOCK_STREAM);
  struct hostent *host = gethostbyname("10.1.2.3");
  printf("%s %d %d %s\n", host->h_name, host->h_addrtype, host->h_length, inet_ntoa(*(struct in_addr *)host->h_addr));
}

int main(void) {
  pair(SOCK_STREAM);
  pair(SOCK_DGRAM);
  pair(SOCK_SEQPACKET);
  full();
  addresses();
  names();
  return 0;
}

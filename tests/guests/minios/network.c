/* Sockets through netfront: names, datagrams longer than frames, many connections in one poll; in the scene that the argument names. */
#include <arpa/inet.h>
#include <errno.h>
#include <lwip/ip_addr.h>
#include <mini-os/netfront.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST 64
#define LONG 9000

static int names(void) {
  const char *asked[] = {"guest.example", "nobody.example", "10.0.2.2", "localhost"};
  for (int i = 0; i < 4; i++) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    int error = getaddrinfo(asked[i], "http", &hints, &list);
    if (error != 0) {
      printf("%s: %s\n", asked[i], gai_strerror(error));
      continue;
    }
    struct sockaddr_in *address = (struct sockaddr_in *)list->ai_addr;
    printf("%s: %s port %d\n", asked[i], inet_ntoa(address->sin_addr), ntohs(address->sin_port));
    freeaddrinfo(list);
  }
  return 0;
}

/* The network is stopped, and started with another address. */
static int addresses(void) {
  struct sockaddr_in own = {.sin_family = AF_INET};
  struct addrinfo hints = {.ai_family = AF_INET, .ai_flags = AI_NUMERICHOST}, *list;
  ip_addr_t address = IPADDR4_INIT_BYTES(10, 0, 2, 77), mask = IPADDR4_INIT_BYTES(255, 255, 255, 0);
  ip_addr_t gateway = IPADDR4_INIT_BYTES(10, 0, 2, 2);
  socklen_t length = sizeof own;
  char host[64], service[32];
  start_networking();
  networking_set_addr((struct ip_addr *)&address, (struct ip_addr *)&mask, (struct ip_addr *)&gateway);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  own.sin_port = htons(7);
  own.sin_addr.s_addr = inet_addr("10.0.2.2");
  connect(fd, (struct sockaddr *)&own, sizeof own);
  getsockname(fd, (struct sockaddr *)&own, &length);
  printf("from %s", inet_ntoa(own.sin_addr));
  int error = getnameinfo((struct sockaddr *)&own, length, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV);
  printf(", %d %s", error, host);
  error = getaddrinfo("10.0.2.300", NULL, &hints, &list);
  printf(", %s", gai_strerror(error));
  printf(", %d", getprotobyname("tcp")->p_proto);
  printf(" %d", ntohs((uint16_t)getservbyname("http", "tcp")->s_port));
  printf(" %d", getservbyname("no such service", "tcp") == NULL);
  printf(", %d", gethostbyname("10.0.2.300") == NULL);
  printf(" %s", hstrerror(h_errno));
  printf(", mark %d\n", sockatmark(fd));
  close(fd);
  stop_networking();
  return 0;
}

static int datagrams(int port) {
  static unsigned char sent[LONG], got[LONG + 1];
  struct sockaddr_in host = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}, own;
  socklen_t length = sizeof own;
  struct timeval patience = {10, 0};
  int right = 0, fd = socket(AF_INET, SOCK_DGRAM, 0);
  host.sin_addr.s_addr = inet_addr("10.0.2.2");
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  connect(fd, (struct sockaddr *)&host, sizeof host);
  for (int n = 0; n < 100; n++) {
    size_t size = (size_t)(n * 97 % LONG + 1);
    memset(sent, n, size);
    if (send(fd, sent, size, 0) != (ssize_t)size)
      perror("send");
    right += recv(fd, got, sizeof got, 0) == (ssize_t)size && memcmp(sent, got, size) == 0;
  }
  getsockname(fd, (struct sockaddr *)&own, &length);
  printf("%d of 100 came back, from %s\n", right, inet_ntoa(own.sin_addr));
  close(fd);
  return 0;
}

/* Says back what each connection says, until one says `stop`. */
static int many(void) {
  struct pollfd fds[MOST + 1];
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(7)};
  int count = 1, accepted = 0, ended = 0, is_over = 0;
  fds[0] = (struct pollfd){.fd = socket(AF_INET, SOCK_STREAM, 0), .events = POLLIN};
  if (bind(fds[0].fd, (struct sockaddr *)&any, sizeof any) != 0 || listen(fds[0].fd, MOST) != 0)
    return 1;
  printf("listening\n");
  fflush(stdout);
  while (!is_over && poll(fds, (nfds_t)count, -1) > 0) {
    if (fds[0].revents & POLLIN && count <= MOST) {
      fds[count++] = (struct pollfd){.fd = accept(fds[0].fd, NULL, NULL), .events = POLLIN};
      accepted++;
    }
    for (int i = 1; i < count; i++) {
      char text[4096];
      if (!(fds[i].revents & (POLLIN | POLLHUP)))
        continue;
      ssize_t length = read(fds[i].fd, text, sizeof text);
      is_over |= length == 4 && memcmp(text, "stop", 4) == 0;
      if (length > 0 && write(fds[i].fd, text, (size_t)length) == length)
        continue;
      close(fds[i].fd);
      fds[i--] = fds[--count];
      ended++;
    }
  }
  printf("%d accepted, %d ended\n", accepted, ended);
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "names") == 0)
    return names();
  if (argc > 1 && strcmp(argv[1], "addresses") == 0)
    return addresses();
  if (argc > 2 && strcmp(argv[1], "datagrams") == 0)
    return datagrams(atoi(argv[2]));
  return many();
}

/* AF_UNIX sockets with names: nodes of the file system and names beside it, streams, packets and datagrams. argv[1]: where. */
#define _GNU_SOURCE
#include "errors.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

static socklen_t address_of(struct sockaddr_un *address, const char *path) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  strcpy(address->sun_path, path);
  return (socklen_t)(PATH_AT + strlen(path) + 1);
}

static int bind_to(int fd, const char *path) {
  struct sockaddr_un address;
  socklen_t length = address_of(&address, path);
  return bind(fd, (struct sockaddr *)&address, length);
}

static int connect_to(int fd, const char *path) {
  struct sockaddr_un address;
  socklen_t length = address_of(&address, path);
  return connect(fd, (struct sockaddr *)&address, length);
}

static int ready(int fd) {
  struct pollfd asked = {.fd = fd, .events = POLLIN | POLLOUT};
  poll(&asked, 1, 0);
  return asked.revents;
}

static void show(const char *what, const struct sockaddr_un *address, socklen_t length) {
  printf("%s: %d bytes", what, (int)length);
  if (length >= PATH_AT)
    printf(", family %d", address->sun_family);
  if (length > PATH_AT && address->sun_path[0] != '\0')
    printf(", %s", address->sun_path);
  if (length > PATH_AT && address->sun_path[0] == '\0')
    printf(", @%.*s", (int)(length - PATH_AT - 1), address->sun_path + 1);
  printf("\n");
}

static void show_names(int fd) {
  struct sockaddr_un address;
  socklen_t length = sizeof address;
  if (getsockname(fd, (struct sockaddr *)&address, &length) == 0)
    show("name", &address, length);
  length = sizeof address;
  SAY(getpeername(fd, (struct sockaddr *)&address, &length));
  if (errno == 0)
    show("peer", &address, length);
}

static void errors(void) {
  struct sockaddr_un address;
  struct stat status;
  int one = socket(AF_UNIX, SOCK_STREAM, 0), two = socket(AF_UNIX, SOCK_STREAM, 0);
  int packets = socket(AF_UNIX, SOCK_SEQPACKET, 0), datagrams = socket(AF_UNIX, SOCK_DGRAM, PF_UNIX);
  SAY(socket(AF_UNIX, SOCK_STREAM, 99));
  SAY(ready(one));
  SAY(ready(datagrams));
  SAY(listen(one, 1));
  SAY(listen(datagrams, 1));
  SAY(accept(one, NULL, NULL));
  SAY(accept(datagrams, NULL, NULL));
  SAY(read(one, &address, 1));
  SAY(read(packets, &address, 1));
  SAY(send(one, "x", 1, MSG_NOSIGNAL));
  SAY(send(packets, "x", 1, MSG_NOSIGNAL));
  SAY(send(datagrams, "x", 1, MSG_NOSIGNAL));
  SAY(recv(datagrams, &address, 1, MSG_DONTWAIT));
  show_names(one);
  SAY(connect_to(one, "nobody"));
  SAY(connect_to(one, "nowhere/at/all"));
  SAY(connect_to(datagrams, "nobody"));
  close(open("file", O_CREAT | O_WRONLY, 0644));
  SAY(connect_to(one, "file"));
  SAY(connect_to(one, "file/below"));
  SAY(bind_to(one, "file"));
  SAY(bind_to(one, "nowhere/at/all"));
  SAY(bind_to(one, "."));
  address.sun_family = AF_INET;
  SAY(bind(one, (struct sockaddr *)&address, sizeof address));
  address.sun_family = AF_UNIX;
  SAY(bind(one, (struct sockaddr *)&address, sizeof address + 1));
  SAY(bind(one, (struct sockaddr *)&address, 1));
  SAY(connect(one, (struct sockaddr *)&address, PATH_AT));
  umask(022);
  SAY(bind_to(one, "socket"));
  SAY(stat("socket", &status));
  printf("mode %o, %ld links, %ld bytes\n", status.st_mode, (long)status.st_nlink, (long)status.st_size);
  SAY(open("socket", O_RDWR));
  SAY(bind_to(one, "other"));
  SAY(bind_to(two, "socket"));
  SAY(connect_to(two, "socket"));
  SAY(connect_to(packets, "socket"));
  SAY(connect_to(datagrams, "socket"));
  SAY(listen(one, 0));
  SAY(connect_to(one, "socket"));
  SAY(ready(one));
  SAY(read(one, &address, 1));
  int value = 7;
  socklen_t length = sizeof value;
  SAY(getsockopt(one, SOL_SOCKET, SO_ACCEPTCONN, &value, &length));
  SAY(value);
  SAY(getsockopt(one, 6, 1, &value, &length));
  SAY(fcntl(one, F_SETFL, O_NONBLOCK));
  SAY(accept(one, NULL, NULL));
  SAY(shutdown(one, SHUT_RD));
  SAY(accept(one, NULL, NULL));
  SAY(connect_to(two, "socket"));
  close(one), close(two), close(packets), close(datagrams);
  two = socket(AF_UNIX, SOCK_STREAM, 0);
  SAY(connect_to(two, "socket"));
  SAY(bind_to(two, "socket"));
  SAY(unlink("socket"));
  SAY(bind_to(two, "socket"));
  SAY(rename("socket", "renamed"));
  SAY(listen(two, 1));
  one = socket(AF_UNIX, SOCK_STREAM, 0);
  SAY(connect_to(one, "socket"));
  SAY(connect_to(one, "renamed"));
  show_names(one);
  SAY(symlink("renamed", "link"));
  packets = socket(AF_UNIX, SOCK_STREAM, 0);
  SAY(connect_to(packets, "link"));
  SAY(unlink("link"));
  SAY(unlink("renamed"));
  SAY(unlink("file"));
  close(one), close(two), close(packets);
  SAY(mknod("made", S_IFSOCK | 0600, 0));
  SAY(stat("made", &status));
  printf("mode %o\n", status.st_mode);
  two = socket(AF_UNIX, SOCK_STREAM, 0);
  SAY(connect_to(two, "made"));
  SAY(unlink("made"));
  close(two);
}

/* What was sent before anybody accepted, names of both ends, and what is left when one goes. */
static void connection(int type) {
  char text[64] = "";
  struct sockaddr_un address;
  socklen_t length = sizeof address;
  int listener = socket(AF_UNIX, type, 0), client = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
  int third = socket(AF_UNIX, type | SOCK_NONBLOCK, 0), fourth = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
  SAY(bind_to(listener, "server"));
  SAY(listen(listener, 1));
  SAY(bind_to(client, "client"));
  SAY(ready(listener));
  SAY(connect_to(client, "server"));
  SAY(connect_to(client, "server"));
  SAY(ready(listener));
  SAY(ready(client));
  SAY(send(client, "early", 5, 0));
  SAY(connect_to(third, "server"));
  SAY(connect_to(fourth, "server"));
  int server = accept(listener, (struct sockaddr *)&address, &length);
  show("accepted", &address, length);
  show_names(server);
  show_names(client);
  length = sizeof address;
  SAY(recvfrom(server, text, sizeof text, 0, (struct sockaddr *)&address, &length));
  show("from", &address, length);
  printf("%s\n", text);
  SAY(send(server, "unread", 6, 0));
  SAY(send(client, "left", 4, 0));
  SAY(sendto(client, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address));
  SAY(listen(server, 1));
  close(client);
  SAY(ready(server) & (POLLIN | POLLHUP));
  SAY(recv(server, text, 4, 0));
  SAY(recv(server, text, sizeof text, MSG_DONTWAIT) >= 0 ? 0 : -1);
  SAY(recv(server, text, sizeof text, MSG_DONTWAIT));
  SAY(send(server, "x", 1, MSG_NOSIGNAL));
  show_names(server);
  close(listener);
  SAY(recv(third, text, sizeof text, 0));
  SAY(recv(third, text, sizeof text, 0));
  SAY(send(third, "x", 1, MSG_NOSIGNAL));
  close(server), close(third), close(fourth);
  unlink("server"), unlink("client");
}

static void datagrams(void) {
  char text[64] = "";
  struct sockaddr_un address, server_address;
  socklen_t length = sizeof address, server_length = address_of(&server_address, "server");
  int server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM, 0);
  int other = socket(AF_UNIX, SOCK_DGRAM, 0);
  struct sockaddr *to = (struct sockaddr *)&server_address, *from = (struct sockaddr *)&address;
  SAY(bind_to(server, "server"));
  SAY(sendto(client, "nameless", 8, 0, to, server_length));
  SAY(recvfrom(server, text, sizeof text, 0, from, &length));
  SAY(length);
  SAY(bind_to(client, "client"));
  SAY(sendto(client, "named", 5, 0, to, server_length));
  SAY(sendto(client, "", 0, 0, to, server_length));
  length = sizeof address;
  SAY(ready(server));
  SAY(recvfrom(server, text, 3, MSG_TRUNC, from, &length));
  show("from", &address, length);
  SAY(sendto(server, "answer", 6, 0, from, length));
  SAY(recv(client, text, sizeof text, 0));
  SAY(recv(server, text, sizeof text, 0));
  SAY(connect_to(server, "client"));
  SAY(sendto(other, "x", 1, 0, to, server_length));
  SAY(connect_to(other, "server"));
  SAY(send(server, "again", 5, 0));
  show_names(server);
  SAY(sendto(server, "self", 4, 0, to, server_length));
  address.sun_family = AF_UNSPEC;
  SAY(connect(server, from, sizeof address));
  SAY(connect_to(other, "server"));
  SAY(send(other, "late", 4, 0));
  SAY(shutdown(server, SHUT_RD));
  SAY(send(other, "x", 1, MSG_NOSIGNAL));
  close(server);
  SAY(send(other, "x", 1, MSG_NOSIGNAL));
  SAY(send(other, "x", 1, MSG_NOSIGNAL));
  SAY(sendto(other, "x", 1, 0, to, server_length));
  unlink("server");
  SAY(sendto(other, "x", 1, 0, to, server_length));
  close(client), close(other);
  unlink("client");
}

/* Names that are no nodes. */
static void beside(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX}, found;
  socklen_t length = PATH_AT + 8, found_length = sizeof found;
  int one = socket(AF_UNIX, SOCK_STREAM, 0), two = socket(AF_UNIX, SOCK_STREAM, 0);
  snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "s%06x", (unsigned)getpid() & 0xffffff);
  SAY(connect(two, (struct sockaddr *)&address, length));
  SAY(bind(one, (struct sockaddr *)&address, length));
  SAY(bind(two, (struct sockaddr *)&address, length));
  SAY(listen(one, 5));
  SAY(connect(two, (struct sockaddr *)&address, length - 1));
  SAY(connect(two, (struct sockaddr *)&address, length));
  getsockname(one, (struct sockaddr *)&found, &found_length);
  printf("%d %d\n", (int)found_length, memcmp(&found, &address, length));
  close(one), close(two);
  one = socket(AF_UNIX, SOCK_DGRAM, 0);
  found_length = sizeof found;
  SAY(bind(one, (struct sockaddr *)&address, sizeof(sa_family_t)));
  getsockname(one, (struct sockaddr *)&found, &found_length);
  printf("%d %d\n", (int)found_length, found.sun_path[0]);
  close(one);
}

static void longest(void) {
  char name[sizeof((struct sockaddr_un *)0)->sun_path + 1];
  struct sockaddr_un address = {.sun_family = AF_UNIX}, found;
  socklen_t length = sizeof found;
  memset(name, 'n', sizeof name - 1);
  name[sizeof name - 1] = '\0';
  memcpy(address.sun_path, name, sizeof address.sun_path);
  int one = socket(AF_UNIX, SOCK_DGRAM, 0);
  SAY(bind(one, (struct sockaddr *)&address, sizeof address));
  SAY(access(name, F_OK));
  SAY(getsockname(one, (struct sockaddr *)&found, &length));
  printf("%d %d\n", (int)length, memcmp(&found, &address, sizeof found));
  unlink(name);
  close(one);
}

static void *serve(void *data) {
  char block[4096];
  int listener = *(int *)data;
  for (int n = 0; n < 3; n++) {
    int client = accept(listener, NULL, NULL);
    long sum = 0;
    for (ssize_t got; (got = read(client, block, sizeof block)) > 0; sum += got)
      ;
    printf("%ld came\n", sum);
    dprintf(client, "thanks");
    close(client);
  }
  return NULL;
}

/* A server that waits for its clients, who wait for it: for room, for the backlog, for an answer. */
static void threads(void) {
  char block[70000] = "", answer[16] = "";
  int listener = socket(AF_UNIX, SOCK_STREAM, 0), clients[3];
  pthread_t thread;
  SAY(bind_to(listener, "server"));
  SAY(listen(listener, 0));
  pthread_create(&thread, NULL, serve, &listener);
  for (int n = 0; n < 3; n++) {
    clients[n] = socket(AF_UNIX, SOCK_STREAM, 0);
    SAY(connect_to(clients[n], "server"));
    for (int part = 0; part < 10; part++)
      if (write(clients[n], block, sizeof block) != sizeof block)
        printf("short\n");
    shutdown(clients[n], SHUT_WR);
    SAY(read(clients[n], answer, sizeof answer));
    SAY(read(clients[n], answer, sizeof answer));
    printf("%s\n", answer);
    close(clients[n]);
  }
  pthread_join(thread, NULL);
  close(listener);
  unlink("server");
}

/* One byte, and descriptors with it. */
static long send_with(int socket, const int *fds, size_t count) {
  char control[CMSG_SPACE(300 * sizeof(int))] = "", byte = 'r';
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control};
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(head), fds, count * sizeof(int));
  return sendmsg(socket, &message, MSG_NOSIGNAL);
}

/* How many came; room is for so many, or -1 for none at all. */
static int receive_with(int socket, int *fds, int room, int flags) {
  char control[CMSG_SPACE(8 * sizeof(int))] = "", bytes[8] = "";
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (room >= 0) {
    message.msg_control = control;
    message.msg_controllen = CMSG_LEN((size_t)room * sizeof(int));
  }
  SAY(recvmsg(socket, &message, flags));
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  int count = head == NULL ? 0 : (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
  if (count > 0)
    memcpy(fds, CMSG_DATA(head), (size_t)count * sizeof(int));
  printf("%d descriptors, truncated %d, %s\n", count, (message.msg_flags & MSG_CTRUNC) != 0, bytes);
  return count;
}

static void rights(int type) {
  int sockets[2], pipes[2], got[8], many[300] = {0};
  char text[16] = "";
  socketpair(AF_UNIX, type, 0, sockets);
  SAY(pipe(pipes));
  SAY(send(sockets[0], "before", 6, 0));
  SAY(send_with(sockets[0], &pipes[1], 1));
  SAY(send(sockets[0], "x", 1, 0));
  close(pipes[1]);
  if (type != SOCK_STREAM)
    SAY(recv(sockets[1], text, sizeof text, 0));
  if (receive_with(sockets[1], got, 1, 0) == 1) {
    SAY(write(got[0], "by another", 10));
    SAY(fcntl(got[0], F_GETFD));
    close(got[0]);
  }
  SAY(read(pipes[0], text, sizeof text));
  SAY(read(pipes[0], text, sizeof text));
  close(pipes[0]);
  SAY(recv(sockets[1], text, sizeof text, 0));
  /* Those that there is no room for are closed, and those that nobody receives. */
  pipe(pipes);
  SAY(send_with(sockets[0], (int[]){pipes[1], pipes[1]}, 2));
  SAY(send_with(sockets[0], &pipes[1], 1));
  SAY(send_with(sockets[0], &pipes[1], 1));
  SAY(send_with(sockets[0], &pipes[1], 1));
  close(pipes[1]);
  receive_with(sockets[1], got, 1, MSG_CMSG_CLOEXEC);
  SAY(fcntl(got[0], F_GETFD));
  close(got[0]);
  receive_with(sockets[1], got, -1, 0);
  SAY(read(sockets[1], text, 1));
  fcntl(pipes[0], F_SETFL, O_NONBLOCK);
  SAY(read(pipes[0], text, 1));
  SAY(send_with(sockets[0], (int[]){999}, 1));
  SAY(send_with(sockets[0], many, 254));
  struct ucred peer;
  socklen_t length = sizeof peer;
  SAY(getsockopt(sockets[0], SOL_SOCKET, SO_PEERCRED, &peer, &length));
  printf("%d %d %d\n", (int)length, peer.pid == getpid(), peer.uid == getuid());
  close(sockets[1]);
  SAY(read(pipes[0], text, 1));
  SAY(send_with(sockets[0], &pipes[0], 1));
  close(sockets[0]), close(pipes[0]);
}

/* What nobody does in time. */
static void timeouts(void) {
  static char block[70000];
  struct timeval time = {0, 20000}, told;
  struct timespec begun, now;
  socklen_t length = sizeof told;
  int sockets[2], listener = socket(AF_UNIX, SOCK_STREAM, 0);
  socketpair(AF_UNIX, SOCK_STREAM, 0, sockets);
  SAY(setsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
  SAY(setsockopt(sockets[0], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
  SAY(getsockopt(sockets[0], SOL_SOCKET, SO_RCVTIMEO, &told, &length));
  printf("%d %d\n", (int)told.tv_sec, told.tv_usec >= 20000 && told.tv_usec <= 24000);
  clock_gettime(CLOCK_MONOTONIC, &begun);
  SAY(read(sockets[0], block, 1));
  while (write(sockets[0], block, sizeof block) > 0)
    ;
  printf("%s\n", error_name(errno));
  SAY(bind_to(listener, "server"));
  SAY(listen(listener, 0));
  setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  SAY(accept(listener, NULL, NULL));
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("waited %d\n", (now.tv_sec - begun.tv_sec) * 1000 + (now.tv_nsec - begun.tv_nsec) / 1000000 >= 59);
  unlink("server");
  close(listener), close(sockets[0]), close(sockets[1]);
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 1 && chdir(argv[1]) != 0)
    return 1;
  errors();
  connection(SOCK_STREAM);
  connection(SOCK_SEQPACKET);
  datagrams();
  beside();
  longest();
  rights(SOCK_STREAM);
  rights(SOCK_DGRAM);
  rights(SOCK_SEQPACKET);
  timeouts();
  threads();
  return 0;
}

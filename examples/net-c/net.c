/* An HTTP server, and a client: `serve PORT` until somebody asks for /stop, `get HOST PORT PATH`. */
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *what) {
  perror(what);
  return 1;
}

/* The path that the first line asks for; the rest of the request is read and of no interest. */
static int read_request(int fd, char *path) {
  char request[4096];
  size_t length = 0;
  while (length < sizeof request - 1) {
    ssize_t count = read(fd, request + length, sizeof request - 1 - length);
    if (count <= 0)
      return 0;
    length += (size_t)count;
    request[length] = '\0';
    if (strstr(request, "\r\n\r\n") != NULL)
      return sscanf(request, "GET %255s", path) == 1;
  }
  return 0;
}

static void answer(int fd, const char *path, int number) {
  char body[512], head[128];
  int length = snprintf(body, sizeof body, "You are visitor %d of %s.\n", number, path);
  int head_length = snprintf(head, sizeof head,
                             "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", length);
  write(fd, head, (size_t)head_length);
  write(fd, body, (size_t)length);
}

static int serve(int port) {
  int on = 1, listener = socket(AF_INET6, SOCK_STREAM, 0);
  struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_any};
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0)
    return fail("serve");
  printf("serving\n");
  fflush(stdout);
  for (int number = 1;; number++) {
    char path[256] = "";
    int fd = accept(listener, NULL, NULL);
    if (fd < 0)
      return fail("accept");
    if (read_request(fd, path)) {
      printf("asked for %s\n", path);
      answer(fd, path, number);
    }
    close(fd);
    if (strcmp(path, "/stop") == 0)
      return 0;
  }
}

static int get(const char *host, const char *port, const char *path) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
  int error = getaddrinfo(host, port, &hints, &list);
  if (error != 0) {
    fprintf(stderr, "%s: %s\n", host, gai_strerror(error));
    return 1;
  }
  int fd = socket(list->ai_family, list->ai_socktype, list->ai_protocol);
  if (fd < 0 || connect(fd, list->ai_addr, list->ai_addrlen) != 0)
    return fail(host);
  freeaddrinfo(list);
  char text[4096];
  int length = snprintf(text, sizeof text, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host);
  write(fd, text, (size_t)length);
  ssize_t count;
  while ((count = read(fd, text, sizeof text)) > 0)
    fwrite(text, 1, (size_t)count, stdout);
  close(fd);
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "serve") == 0)
    return serve(atoi(argv[2]));
  if (argc == 5 && strcmp(argv[1], "get") == 0)
    return get(argv[2], argv[3], argv[4]);
  fprintf(stderr, "usage: serve PORT | get HOST PORT PATH\n");
  return 2;
}

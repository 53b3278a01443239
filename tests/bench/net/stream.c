/* TCP both ways, each after a tenth of it to get warm: `stream PORT MEGABYTES`, where a line says what the other end is to do. */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[256 * 1024];

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int ask(int port, const char *what, long bytes) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  char line[64];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = inet_addr("10.0.2.2");
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    perror("connect");
    exit(1);
  }
  write(fd, line, (size_t)snprintf(line, sizeof line, "%s %ld\n", what, bytes));
  return fd;
}

/* Until the other end has all of it, and says so. */
static long send_all(int port, long bytes) {
  int fd = ask(port, "take", bytes);
  long left = bytes;
  char answer;
  while (left > 0) {
    ssize_t count = write(fd, buffer, left < (long)sizeof buffer ? (size_t)left : sizeof buffer);
    if (count <= 0)
      break;
    left -= count;
  }
  long done = read(fd, &answer, 1) == 1 ? bytes - left : 0;
  close(fd);
  return done;
}

static long receive_all(int port, long bytes) {
  int fd = ask(port, "give", bytes);
  long done = 0;
  ssize_t count;
  while ((count = read(fd, buffer, sizeof buffer)) > 0)
    done += count;
  close(fd);
  return done;
}

static void measure(const char *name, long (*move)(int, long), int port, long bytes) {
  move(port, bytes / 10);
  int64_t start = now();
  long done = move(port, bytes);
  printf("%s %ld %lld\n", name, done, (long long)(now() - start));
}

int main(int argc, char **argv) {
  if (argc != 3)
    return 2;
  int port = atoi(argv[1]);
  long bytes = atol(argv[2]) * 1000000;
  measure("sent", send_all, port, bytes);
  measure("received", receive_all, port, bytes);
  return 0;
}

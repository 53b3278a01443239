/* Writes and reads a file of so many megabytes, 64 KiB a call, and tells the nanoseconds of each. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char block[65536];

static long long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void move(const char *path, int flags, long blocks) {
  long long start = now();
  int fd = open(path, flags, 0600);
  if (fd < 0)
    exit(1);
  for (long i = 0; i < blocks; i++) {
    ssize_t done = flags == O_RDONLY ? read(fd, block, sizeof block) : write(fd, block, sizeof block);
    if (done != sizeof block)
      exit(2);
  }
  close(fd);
  printf("%s %lld\n", flags == O_RDONLY ? "read" : "written", now() - start);
}

int main(int count, char **words) {
  if (count < 3)
    return 3;
  long blocks = atol(words[2]) * 16;
  memset(block, 0x5a, sizeof block);
  /* The first makes the file, and the calls' translations. */
  for (int round = 0; round < 2; round++) {
    move(words[1], O_WRONLY | O_CREAT, blocks);
    move(words[1], O_RDONLY, blocks);
  }
  return 0;
}

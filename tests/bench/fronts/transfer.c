/*
 * 64 KiB read() and write() calls on a file of so many MiB, from its begin to its end, after an eighth of it to get warm: `transfer HOW
 * MEGABYTES`, where HOW is fsfront, 9p, blkfront, or the folder that the kernel has mounted.
 */
#include <fcntl.h>
#include <malloc.h>
#include <mini-os/9pfront.h>
#include <mini-os/blkfront.h>
#include <mini-os/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 65536

static char *buffer;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int open_file(const char *how) {
  struct blkfront_info info;
  if (strcmp(how, "fsfront") == 0) {
    init_fs_frontend();
    return fs_import == NULL ? -1 : fsfront_open(fs_import, "file", O_RDWR, 0);
  }
  if (strcmp(how, "9p") == 0)
    return init_9pfront(0, "/host") == NULL ? -1 : open("/host/file", O_RDWR);
  if (strcmp(how, "blkfront") == 0) {
    struct blkfront_dev *dev = init_blkfront("device/vbd/51712", &info);
    return dev == NULL ? -1 : blkfront_open(dev);
  }
  return open("/export/file", O_RDWR);
}

static void move(int fd, int64_t bytes, int is_write) {
  lseek(fd, 0, SEEK_SET);
  for (int64_t done = 0; done < bytes; done += BLOCK) {
    ssize_t moved = is_write ? write(fd, buffer, BLOCK) : read(fd, buffer, BLOCK);
    if (moved != BLOCK) {
      printf("%s: %d at %lld\n", is_write ? "write" : "read", (int)moved, (long long)done);
      exit(1);
    }
  }
}

static void measure(int fd, int64_t bytes, int is_write) {
  move(fd, bytes / 8, is_write);
  int64_t start = now();
  move(fd, bytes, is_write);
  printf("%s %lld\n", is_write ? "written" : "read", (long long)(now() - start));
}

int main(int argc, char **argv) {
  int64_t bytes = (argc > 2 ? atoi(argv[2]) : 1) * (int64_t)1048576;
  int fd = open_file(argc > 1 ? argv[1] : "folder");
  buffer = memalign(4096, BLOCK);
  if (fd < 0)
    return 1;
  memset(buffer, 0x5a, BLOCK);
  measure(fd, bytes, 0);
  measure(fd, bytes, 1);
  return 0;
}

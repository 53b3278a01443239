/* The block front-end on disks that the test has made: xvda of 64 KiB, xvdb of 64 KiB and read-only; a scene each. */
#include <mini-os/blkfront.h>
#include <mini-os/mm.h>
#include <mini-os/sched.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST "device/vbd/51712"
#define SECOND "device/vbd/51728"

static struct blkfront_info info;

static struct blkfront_aiocb request(struct blkfront_dev *dev, void *buffer, size_t bytes, long at) {
  return (struct blkfront_aiocb){
      .aio_dev = dev, .aio_buf = buffer, .aio_nbytes = bytes, .aio_offset = at};
}

static int transfer(struct blkfront_dev *dev, void *buffer, size_t bytes, long at, int write) {
  struct blkfront_aiocb aiocb = request(dev, buffer, bytes, at);
  blkfront_io(&aiocb, write);
  return aiocb.data == NULL ? 0 : -1;
}

static void devices(void) {
  struct blkfront_info other;
  struct blkfront_dev *first = init_blkfront(FIRST, &info);
  struct blkfront_dev *second = init_blkfront(SECOND, &other);
  char *page = (char *)alloc_page();
  printf("%d %d, %u %d", info.mode == O_RDWR, other.mode == O_RDONLY, (unsigned)info.sectors,
         (other.info & VDISK_READONLY) != 0);
  printf(", read %d %s", transfer(second, page, 512, 1024, 0), page);
  printf(", write %d\n", transfer(second, page, 512, 0, 1));
  printf("none %d\n", init_blkfront("device/vbd/9", &info) == NULL);
  shutdown_blkfront(first);
  shutdown_blkfront(second);
}

/* Buffers that begin and end within pages, at every sector. */
static void sectors(void) {
  struct blkfront_dev *dev = init_blkfront(FIRST, &info);
  char *buffer = (char *)alloc_pages(2), *copy = (char *)alloc_pages(2);
  int wrong = 0;
  for (long offset = 0; offset < 4096; offset += 512)
    for (size_t bytes = 512; bytes <= 8192; bytes += 1536) {
      for (size_t i = 0; i < bytes; i++)
        buffer[(size_t)offset + i] = (char)(i * 7 + (size_t)offset / 512 + bytes);
      wrong += transfer(dev, buffer + offset, bytes, 3 * 512, 1);
      memset(copy, 0, 16384);
      wrong += transfer(dev, copy + 4096 - offset, bytes, 3 * 512, 0);
      wrong += memcmp(copy + 4096 - offset, buffer + offset, bytes) != 0;
      for (int i = 0; i < 4096 - offset; i++)
        wrong += copy[i] != 0;
    }
  printf("%d wrong\n", wrong);
  shutdown_blkfront(dev);
}

static int done, failed;

static void count(struct blkfront_aiocb *aiocbp, int ret) {
  done++;
  failed += ret != 0;
  free(aiocbp->data);
}

/* More requests than the ring has places, and one that the disk refuses. */
static void many(void) {
  struct blkfront_dev *dev = init_blkfront(FIRST, &info);
  static struct blkfront_aiocb aiocbs[100];
  char *page = (char *)alloc_page();
  memset(page, 0x5a, PAGE_SIZE);
  for (int i = 0; i < 100; i++) {
    aiocbs[i] = request(dev, page, 4096, (i % 16) * 4096);
    aiocbs[i].aio_cb = count;
    aiocbs[i].data = malloc(10);
    blkfront_aio(&aiocbs[i], i < 50);
  }
  while (done < 100) {
    blkfront_aio_poll(dev);
    schedule();
  }
  printf("%d done, %d failed, page %x\n", done, failed, page[4095]);
  aiocbs[0] = request(dev, page, 512, 1 << 20);
  aiocbs[0].aio_cb = count;
  aiocbs[0].data = NULL;
  blkfront_aio_read(&aiocbs[0]);
  blkfront_sync(dev);
  printf("beyond the end: %d failed\n", failed);
  aiocbs[1] = request(dev, page, 4096, 0);
  blkfront_aio_write(&aiocbs[1]);
  blkfront_sync(dev);
  aiocbs[2] = request(dev, page, 4096, 4096);
  blkfront_write(&aiocbs[2]);
  memset(page, 0, PAGE_SIZE);
  blkfront_read(&aiocbs[2]);
  aiocbs[3] = request(dev, page, 4096, 4096);
  aiocbs[3].aio_cb = count;
  aiocbs[3].data = NULL;
  blkfront_aio_push_operation(&aiocbs[3], BLKIF_OP_FLUSH_DISKCACHE);
  while (done < 102)
    blkfront_aio_poll(dev);
  printf("flushed: %d failed, page %x\n", failed, page[4095]);
  shutdown_blkfront(dev);
}

static struct blkfront_dev *shared;
static int threads;

static void reader(void *number) {
  long n = (long)number;
  char *page = (char *)alloc_page();
  for (int i = 0; i < 20; i++)
    if (transfer(shared, page, 4096, (n * 4 + i % 4) * 4096, 0) != 0 ||
        page[100] != (char)(n * 4 + i % 4))
      failed++;
  threads--;
}

/* Each waits for its own request, whoever finds it complete. */
static void waiters(void) {
  shared = init_blkfront(FIRST, &info);
  char *page = (char *)alloc_page();
  for (int i = 0; i < 16; i++) {
    memset(page, i, PAGE_SIZE);
    transfer(shared, page, 4096, i * 4096, 1);
  }
  for (threads = 0; threads < 4; threads++)
    create_thread("reader", reader, (void *)(long)threads);
  while (threads > 0)
    schedule();
  printf("%d failed\n", failed);
  shutdown_blkfront(shared);
}

/* Closed and opened again, as one front-end after the other does. */
static void again(void) {
  char *page = (char *)alloc_page();
  int wrong = 0;
  for (int i = 0; i < 5; i++) {
    struct blkfront_dev *dev = init_blkfront(FIRST, &info);
    memset(page, i, 512);
    wrong += transfer(dev, page, 512, i * 512, 1);
    for (int j = 0; j <= i; j++) {
      wrong += transfer(dev, page, 512, j * 512, 0);
      wrong += page[0] != j;
    }
    shutdown_blkfront(dev);
  }
  printf("%d wrong\n", wrong);
}

/* A result, and errno where it is -1. */
static void show(const char *what, long result) {
  if (result == -1)
    printf("%s: %s. ", what, strerror(errno));
  else
    printf("%s: %ld. ", what, result);
}

#define DISK 65536

/* Pieces of any length, anywhere, held to a copy in memory. */
static int pieces(int fd, char *copy) {
  static char buffer[20000];
  unsigned seed = 12345;
  int wrong = 0;
  for (int i = 0; i < 200; i++) {
    seed = seed * 1103515245 + 12345;
    size_t at = (seed >> 8) % DISK, length = (seed >> 4) % (i % 3 == 0 ? 20000 : 700);
    size_t rest = at + length > DISK ? DISK - at : length;
    char *from = buffer + i % 64;
    if (length > sizeof buffer - 64)
      length = rest = 0;
    if (i % 2 == 0) {
      memset(from, i, length);
      wrong += pwrite(fd, from, length, (off_t)at) != (ssize_t)rest;
      memcpy(copy + at, from, rest);
    } else {
      wrong += pread(fd, from, length, (off_t)at) != (ssize_t)rest;
      wrong += memcmp(from, copy + at, rest) != 0;
    }
  }
  return wrong;
}

static void file(void) {
  struct blkfront_dev *dev = init_blkfront(FIRST, &info);
  int fd = blkfront_open(dev);
  static char copy[DISK], again[DISK];
  struct stat status;
  fstat(fd, &status);
  printf("%d %ld %ld\n", S_ISBLK(status.st_mode), (long)status.st_size, (long)status.st_blocks);
  show("write", write(fd, "hello", 5));
  show("write", write(fd, " disk", 5));
  show("tell", lseek(fd, 0, SEEK_CUR));
  show("end", lseek(fd, -3, SEEK_END));
  show("write", write(fd, "abcdef", 6));
  show("full", write(fd, "abcdef", 6));
  show("read", read(fd, copy, 10));
  show("before", lseek(fd, -1, SEEK_SET));
  show("start", lseek(fd, 0, SEEK_SET));
  show("read", read(fd, copy, DISK + 100));
  printf("%s %.3s\n", copy, copy + DISK - 3);
  show("wrong", pieces(fd, copy));
  show("all", pread(fd, again, DISK, 0));
  show("differs", memcmp(copy, again, DISK));
  show("fsync", fsync(fd));
  show("ftruncate", ftruncate(fd, 0));
  struct pollfd fds = {fd, POLLIN | POLLOUT, 0};
  show("poll", poll(&fds, 1, 0));
  show("ready", fds.revents);
  shutdown_blkfront(dev);
  show("shut down", read(fd, copy, 1));
  show("close", close(fd));
  printf("\n");
  fd = blkfront_open(init_blkfront(SECOND, &info));
  lseek(fd, 1024, SEEK_SET);
  show("second", read(fd, copy, 11));
  show("write", write(fd, "x", 1));
  show("duplicate", dup(fd) - fd);
  show("close", close(fd));
  show("read", read(fd + 1, copy + 20, 1));
  show("close", close(fd + 1));
  printf("%s, again %d\n", copy, init_blkfront(SECOND, &info) != NULL);
}

static const struct {
  const char *name;
  void (*play)(void);
} scenes[] = {
    {"devices", devices}, {"sectors", sectors}, {"many", many}, {"waiters", waiters}, {"again", again}, {"file", file},
};

int main(int argc, char **argv) {
  for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
    if (argc > 1 && strcmp(scenes[i].name, argv[1]) == 0) {
      scenes[i].play();
      return 0;
    }
  return 1;
}

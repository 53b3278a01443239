/* A disk through Mini-OS's block front-end: its size, one request that is waited for, and many under way at once. */
#include <mini-os/blkfront.h>

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096
#define REQUESTS 64

static int completed, failed;

static void written(struct blkfront_aiocb *aiocbp, int ret) {
  (void)aiocbp;
  completed++;
  failed += ret != 0;
}

int main(int argc, char **argv) {
  struct blkfront_info info;
  struct blkfront_dev *dev = init_blkfront(argc > 1 ? argv[1] : "device/vbd/51712", &info);
  if (dev == NULL)
    return 1;
  printf("%llu sectors of %u bytes, %s\n", (unsigned long long)info.sectors, info.sector_size,
         info.mode == O_RDWR ? "writable" : "read-only");

  /* Page n is filled with n, all pages at once. */
  static struct blkfront_aiocb requests[REQUESTS];
  uint8_t *pages = memalign(PAGE, REQUESTS * PAGE);
  for (int n = 0; n < REQUESTS; n++) {
    memset(pages + n * PAGE, n, PAGE);
    requests[n] = (struct blkfront_aiocb){
        .aio_dev = dev,
        .aio_buf = pages + n * PAGE,
        .aio_nbytes = PAGE,
        .aio_offset = n * PAGE,
        .aio_cb = written,
    };
    blkfront_aio_write(&requests[n]);
  }
  blkfront_sync(dev);
  printf("%d pages written, %d failed\n", completed, failed);

  /* Eleven pages are the most that a request has. */
  memset(pages, 0xff, 11 * PAGE);
  struct blkfront_aiocb read = {
      .aio_dev = dev, .aio_buf = pages, .aio_nbytes = 11 * PAGE, .aio_offset = 5 * PAGE};
  blkfront_read(&read);
  int wrong = 0;
  for (int i = 0; i < 11 * PAGE; i++)
    wrong += pages[i] != 5 + i / PAGE;
  printf("eleven pages read, %d bytes wrong\n", wrong);

  shutdown_blkfront(dev);
  return failed != 0 || wrong != 0;
}

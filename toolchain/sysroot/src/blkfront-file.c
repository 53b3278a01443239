/*
 * blkfront_open of mini-os/blkfront.h: a block device as a file, whose bytes are read and written from anywhere. Whole sectors move
 * between the device and the caller's own pages; all else goes by pages of ours.
 */
#include "blkfront-device.h"

#include <errno.h>
#include <fcntl.h>
#include <mini-os/mm.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_REQUESTS 16 /* under way at once for one call */
#define WINDOW_ORDER 4
#define WINDOW (PAGE_SIZE << WINDOW_ORDER)

struct transfer {
  volatile int left;
  int failed;
};

static void completed(struct blkfront_aiocb *aiocbp, int ret) {
  struct transfer *transfer = aiocbp->data;
  transfer->failed |= ret != 0;
  transfer->left--;
}

/* What one request can have of a buffer. */
static size_t part_of(const uint8_t *buffer, size_t bytes) {
  size_t most = BLKIF_MAX_SEGMENTS_PER_REQUEST * PAGE_SIZE - ((uintptr_t)buffer & ~PAGE_MASK);
  return bytes < most ? bytes : most;
}

/* Buffer, length and place are multiples of sectors. */
static int move(struct blkfront_dev *dev, uint8_t *buffer, size_t bytes, uint64_t place, int write) {
  struct blkfront_aiocb requests[MOST_REQUESTS];
  while (bytes > 0) {
    struct transfer transfer = {0, 0};
    for (int i = 0; i < MOST_REQUESTS && bytes > 0; i++) {
      size_t part = part_of(buffer, bytes) & ~(size_t)(dev->info.sector_size - 1);
      requests[i] = (struct blkfront_aiocb){.aio_dev = dev, .aio_buf = buffer, .aio_nbytes = part};
      requests[i].data = &transfer;
      requests[i].aio_cb = completed;
      transfer.left++;
      minios_blk_submit(&requests[i], place / MINIOS_BLK_SECTOR, write);
      buffer += part;
      place += part;
      bytes -= part;
    }
    minios_blk_wait(dev, &transfer.left);
    if (transfer.failed)
      return -EIO;
  }
  return 0;
}

/* A part of a call that goes by our pages: whole sectors around it. */
struct window {
  uint64_t start;
  size_t length;
  size_t offset; /* of the caller's bytes */
  size_t count;
};

static struct window window_at(const struct blkfront_dev *dev, uint64_t place, size_t count) {
  uint64_t mask = dev->info.sector_size - 1;
  struct window window = {.start = place & ~mask, .offset = (size_t)(place & mask)};
  window.count = count < WINDOW - window.offset ? count : WINDOW - window.offset;
  window.length = (size_t)((window.offset + window.count + mask) & ~mask);
  return window;
}

static int read_window(struct blkfront_dev *dev, struct window window, uint8_t *pages, uint8_t *buffer) {
  int error = move(dev, pages, window.length, window.start, 0);
  if (error == 0)
    memcpy(buffer, pages + window.offset, window.count);
  return error;
}

/* Sectors of which only a part is written are read first. */
static int write_window(struct blkfront_dev *dev, struct window window, uint8_t *pages, const uint8_t *buffer) {
  unsigned sector = dev->info.sector_size;
  size_t last = window.length - sector, end = window.offset + window.count;
  int error = 0;
  if (window.offset != 0 || end < sector)
    error = move(dev, pages, sector, window.start, 0);
  if (error == 0 && end % sector != 0 && last != 0)
    error = move(dev, pages + last, sector, window.start + last, 0);
  memcpy(pages + window.offset, buffer, window.count);
  return error == 0 ? move(dev, pages, window.length, window.start, 1) : error;
}

static int by_pages(struct blkfront_dev *dev, uint8_t *buffer, size_t bytes, uint64_t place, int write) {
  uint8_t *pages = (uint8_t *)alloc_pages(WINDOW_ORDER);
  int error = pages == NULL ? -ENOMEM : 0;
  while (error == 0 && bytes > 0) {
    struct window window = window_at(dev, place, bytes);
    error = write ? write_window(dev, window, pages, buffer) : read_window(dev, window, pages, buffer);
    buffer += window.count;
    place += window.count;
    bytes -= window.count;
  }
  if (pages != NULL)
    free_pages(pages, WINDOW_ORDER);
  return error;
}

static int64_t size_of(const struct blkfront_dev *dev) {
  return (int64_t)(dev->info.sectors * MINIOS_BLK_SECTOR);
}

/* How many bytes; none behind the end. */
static ssize_t transfer(struct minios_file *file, uint8_t *buffer, size_t count, int64_t offset, int write) {
  struct blkfront_dev *dev = (struct blkfront_dev *)file;
  if (dev->is_shut)
    return -EIO;
  int64_t rest = size_of(dev) - offset;
  if (rest <= 0)
    return write && count > 0 ? -ENOSPC : 0;
  if ((uint64_t)rest < count)
    count = (size_t)rest;
  uint64_t mask = dev->info.sector_size - 1;
  bool is_whole = (((uintptr_t)buffer | count | (uint64_t)offset) & mask) == 0;
  int error = (is_whole ? move : by_pages)(dev, buffer, count, (uint64_t)offset, write);
  return error < 0 ? error : (ssize_t)count;
}

static ssize_t read_bytes(struct minios_file *file, void *buffer, size_t count, int64_t offset) {
  return transfer(file, buffer, count, offset, 0);
}

static ssize_t write_bytes(struct minios_file *file, const void *buffer, size_t count, int64_t offset) {
  return transfer(file, (uint8_t *)(uintptr_t)buffer, count, offset, 1);
}

static int status(struct minios_file *file, struct minios_stat *result) {
  struct blkfront_dev *dev = (struct blkfront_dev *)file;
  *result = (struct minios_stat){
      .size = size_of(dev),
      .blocks = (int64_t)dev->info.sectors,
      .ino = dev->handle,
      .rdev = dev->handle,
      .mode = S_IFBLK | (dev->info.mode == O_RDWR ? 0600 : 0400),
      .nlink = 1,
  };
  return 0;
}

static int flush(struct minios_file *file) {
  struct blkfront_dev *dev = (struct blkfront_dev *)file;
  if (dev->is_shut)
    return -EIO;
  blkfront_sync(dev);
  return 0;
}

static void close_descriptor(struct minios_object *object) {
  struct blkfront_dev *dev = (struct blkfront_dev *)object;
  dev->is_open = false;
  if (dev->is_shut)
    free(dev);
  else
    shutdown_blkfront(dev);
}

int blkfront_open(struct blkfront_dev *dev) {
  static const struct minios_file_calls file_calls = {
      .read = read_bytes, .write = write_bytes, .status = status, .flush = flush};
  static const struct minios_object_calls calls = {.close = close_descriptor, .file = &file_calls};
  dev->file.object = (struct minios_object){POLLIN | POLLOUT, (uint32_t)dev->info.mode, &calls};
  int fd = minios_open_object(MINIOS_FD_BLOCK, dev, 0);
  if (fd < 0) {
    errno = -fd;
    return -1;
  }
  dev->is_open = true;
  return fd;
}

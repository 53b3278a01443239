/*
 * Mini-OS's block front-end: a ring on a granted page, requests of up to eleven pages, whose buffers are granted while they
 * are under way. Completions are found by blkfront_aio_poll, which calls aio_cb; events wake blkfront_queue.
 */
#ifndef _BLKFRONT_H_
#define _BLKFRONT_H_

#include <mini-os/api.h>
#include <mini-os/types.h>
#include <mini-os/wait.h>
#include <sys/stat.h>
#include <xen/io/blkif.h>

struct blkfront_dev;

struct blkfront_aiocb {
  struct blkfront_dev *aio_dev;
  uint8_t *aio_buf;  /* a multiple of the sector size, like the two below */
  size_t aio_nbytes; /* what fits into eleven pages */
  off_t aio_offset;
  void *data; /* the caller's own */

  grant_ref_t gref[BLKIF_MAX_SEGMENTS_PER_REQUEST];
  int n;

  void (*aio_cb)(struct blkfront_aiocb *aiocb, int ret);
};

struct blkfront_info {
  uint64_t sectors; /* of 512 bytes */
  unsigned sector_size;
  int mode; /* O_RDONLY or O_RDWR */
  int info; /* VDISK_ of xen/io/blkif.h */
  int barrier;
  int flush;
};

/* Any event of any device. */
extern struct wait_queue_head blkfront_queue;

/* Waits for the back-end; nodename NULL is device/vbd/768. NULL where there is no such device. */
struct blkfront_dev *init_blkfront(char *nodename, struct blkfront_info *info);
void shutdown_blkfront(struct blkfront_dev *dev);

/* Waits for a free slot, but not for the request. */
void blkfront_aio(struct blkfront_aiocb *aiocbp, int write);
#define blkfront_aio_read(aiocbp) blkfront_aio(aiocbp, 0)
#define blkfront_aio_write(aiocbp) blkfront_aio(aiocbp, 1)
/* BLKIF_OP_WRITE_BARRIER or BLKIF_OP_FLUSH_DISKCACHE without data. */
void blkfront_aio_push_operation(struct blkfront_aiocb *aiocbp, uint8_t op);
/* How many requests have completed. */
int blkfront_aio_poll(struct blkfront_dev *dev);
/* Waits for the request, whose aio_cb and data are used. */
void blkfront_io(struct blkfront_aiocb *aiocbp, int write);
#define blkfront_read(aiocbp) blkfront_io(aiocbp, 0)
#define blkfront_write(aiocbp) blkfront_io(aiocbp, 1)
/*
 * The device as a file, read and written at any byte; its last close shuts the device down. A call that fails in the middle may
 * have moved bytes; -1 with errno.
 */
int blkfront_open(struct blkfront_dev *dev);
/* Flushes, and waits for all requests. */
void blkfront_sync(struct blkfront_dev *dev);

#endif

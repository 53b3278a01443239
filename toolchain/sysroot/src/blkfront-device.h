/* What blkfront.c and the descriptors of block devices (blkfront-file.c) share. */
#ifndef MINIOS_BLKFRONT_DEVICE_H
#define MINIOS_BLKFRONT_DEVICE_H

#include "front.h"

#include <mini-os/blkfront.h>
#include <mini-os/posix.h>

#define MINIOS_BLK_SECTOR 512 /* of requests, whatever the device's own are */

struct blkfront_dev {
  struct minios_file file; /* once it has a descriptor */
  bool is_open;            /* has one */
  bool is_shut;            /* has nothing else any more */
  struct minios_front front;
  blkif_vdev_t handle;
  struct blkif_sring *ring;
  RING_IDX req_prod; /* requests that have been written */
  RING_IDX rsp_cons; /* responses that have been taken */
  grant_ref_t ring_ref;
  evtchn_port_t evtchn;
  struct blkfront_info info;
};

/* blkfront_aio from any sector on. */
void minios_blk_submit(struct blkfront_aiocb *aiocbp, uint64_t sector, int write);
/* Until *left is 0, which completions bring about. */
void minios_blk_wait(struct blkfront_dev *dev, const volatile int *left);

#endif

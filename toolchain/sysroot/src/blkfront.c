/* mini-os/blkfront.h: how a block device is found in the store, connected, asked and let go. */
#include "blkfront-device.h"

#include <errno.h>
#include <fcntl.h>
#include <mini-os/events.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE 32 /* what fits into a page, rounded down to a power of 2 */
#define SECTOR MINIOS_BLK_SECTOR

DECLARE_WAIT_QUEUE_HEAD(blkfront_queue);

static void woken(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs, (void)data;
  wake_up(&blkfront_queue);
}

/* What the back-end is told. */
static void nodes_of(const struct blkfront_dev *dev, struct minios_front_node nodes[4]) {
  nodes[0] = (struct minios_front_node){"ring-ref", NULL, (unsigned)dev->ring_ref};
  nodes[1] = (struct minios_front_node){"event-channel", NULL, (unsigned)dev->evtchn};
  nodes[2] = (struct minios_front_node){"protocol", MINIOS_PROTOCOL, 0};
  nodes[3] = (struct minios_front_node){NULL, NULL, 0};
}

static void free_blkfront(struct blkfront_dev *dev) {
  if (dev->evtchn != 0)
    unbind_evtchn(dev->evtchn);
  if (dev->ring != NULL) {
    gnttab_end_access(dev->ring_ref);
    free_page(dev->ring);
  }
  minios_front_free(&dev->front);
  dev->is_shut = true;
  if (!dev->is_open)
    free(dev);
}

static bool offer_ring(struct blkfront_dev *dev) {
  dev->ring = (struct blkif_sring *)alloc_page();
  if (dev->ring == NULL)
    return false;
  memset(dev->ring, 0, PAGE_SIZE);
  dev->ring->req_event = dev->ring->rsp_event = 1;
  dev->ring_ref = gnttab_grant_access(dev->front.dom, virt_to_mfn(dev->ring), 0);
  return evtchn_alloc_unbound(dev->front.dom, woken, dev, &dev->evtchn) == 0;
}

static void read_info(struct blkfront_dev *dev) {
  char *mode = minios_read_node(dev->front.backend, "mode");
  dev->info = (struct blkfront_info){
      .sectors = (uint64_t)minios_read_number(dev->front.backend, "sectors", 0),
      .sector_size = (unsigned)minios_read_number(dev->front.backend, "sector-size", SECTOR),
      .mode = mode != NULL && mode[0] == 'w' ? O_RDWR : O_RDONLY,
      .info = (int)minios_read_number(dev->front.backend, "info", 0),
      .barrier = (int)minios_read_number(dev->front.backend, "feature-barrier", 0),
      .flush = (int)minios_read_number(dev->front.backend, "feature-flush-cache", 0),
  };
  free(mode);
}

struct blkfront_dev *init_blkfront(char *nodename, struct blkfront_info *info) {
  struct blkfront_dev *dev = calloc(1, sizeof *dev);
  BUG_ON(dev == NULL);
  if (nodename == NULL)
    nodename = "device/vbd/768";
  const char *number = strrchr(nodename, '/');
  dev->handle = (blkif_vdev_t)strtoul(number == NULL ? "0" : number + 1, NULL, 10);
  if (!minios_front_find(&dev->front, nodename) || !offer_ring(dev)) {
    printk("%s: no such device\n", nodename);
    free_blkfront(dev);
    return NULL;
  }
  struct minios_front_node nodes[4];
  nodes_of(dev, nodes);
  if (!minios_front_connect(&dev->front, nodes)) {
    free_blkfront(dev);
    return NULL;
  }
  read_info(dev);
  *info = dev->info;
  unmask_evtchn(dev->evtchn);
  return dev;
}

void shutdown_blkfront(struct blkfront_dev *dev) {
  struct minios_front_node nodes[4];
  nodes_of(dev, nodes);
  blkfront_sync(dev);
  minios_front_disconnect(&dev->front, nodes);
  free_blkfront(dev);
}

static unsigned under_way(const struct blkfront_dev *dev) {
  return dev->req_prod - dev->rsp_cons;
}

static bool has_response(const struct blkfront_dev *dev) {
  return *(volatile RING_IDX *)&dev->ring->rsp_prod != dev->rsp_cons;
}

/* Looks for completions and sleeps until there are some; another thread may find those that are waited for. */
#define wait_until(dev, condition)                                  \
  do {                                                              \
    blkfront_aio_poll(dev);                                         \
    wait_event(blkfront_queue, (condition) || has_response(dev));   \
  } while (!(condition))

static void wait_for_slot(struct blkfront_dev *dev) {
  wait_until(dev, under_way(dev) < RING_SIZE);
}

static struct blkif_request *next_request(struct blkfront_dev *dev, struct blkfront_aiocb *aiocbp,
                                          uint8_t operation) {
  struct blkif_request *req = &dev->ring->ring[dev->req_prod % RING_SIZE].req;
  req->operation = operation;
  req->nr_segments = 0;
  req->handle = dev->handle;
  req->id = (uintptr_t)aiocbp;
  req->sector_number = 0;
  return req;
}

/* The back-end is told only where it has asked to be. */
static void push_request(struct blkfront_dev *dev) {
  RING_IDX before = dev->ring->req_prod;
  wmb();
  dev->req_prod++;
  *(volatile RING_IDX *)&dev->ring->req_prod = dev->req_prod;
  mb();
  RING_IDX asked = *(volatile RING_IDX *)&dev->ring->req_event;
  if (dev->req_prod - asked < dev->req_prod - before)
    notify_remote_via_evtchn(dev->evtchn);
}

void minios_blk_submit(struct blkfront_aiocb *aiocbp, uint64_t sector, int write) {
  struct blkfront_dev *dev = aiocbp->aio_dev;
  uintptr_t start = (uintptr_t)aiocbp->aio_buf, end = start + aiocbp->aio_nbytes;
  uintptr_t page = start & PAGE_MASK;
  uintptr_t mask = dev->info.sector_size - 1;
  ASSERT(((start | end | (uintptr_t)(sector * SECTOR)) & mask) == 0);
  aiocbp->n = (int)((end - page + PAGE_SIZE - 1) / PAGE_SIZE);
  ASSERT(aiocbp->n <= BLKIF_MAX_SEGMENTS_PER_REQUEST);

  wait_for_slot(dev);
  struct blkif_request *req =
      next_request(dev, aiocbp, write ? BLKIF_OP_WRITE : BLKIF_OP_READ);
  req->nr_segments = (uint8_t)aiocbp->n;
  req->sector_number = sector;
  minios_grant_pages(dev->front.dom, (void *)page, aiocbp->n, write, aiocbp->gref);
  for (int i = 0; i < aiocbp->n; i++, page += PAGE_SIZE) {
    uintptr_t first = page < start ? start - page : 0;
    uintptr_t last = end - page < PAGE_SIZE ? end - page : PAGE_SIZE;
    req->seg[i] = (struct blkif_request_segment){
        .gref = aiocbp->gref[i],
        .first_sect = (uint8_t)(first / SECTOR),
        .last_sect = (uint8_t)(last / SECTOR - 1),
    };
  }
  push_request(dev);
}

void blkfront_aio(struct blkfront_aiocb *aiocbp, int write) {
  ASSERT((aiocbp->aio_offset & (SECTOR - 1)) == 0);
  minios_blk_submit(aiocbp, (uint64_t)aiocbp->aio_offset / SECTOR, write);
}

void minios_blk_wait(struct blkfront_dev *dev, const volatile int *left) {
  wait_until(dev, *left == 0);
}

void blkfront_aio_push_operation(struct blkfront_aiocb *aiocbp, uint8_t op) {
  struct blkfront_dev *dev = aiocbp->aio_dev;
  aiocbp->n = 0;
  wait_for_slot(dev);
  next_request(dev, aiocbp, op);
  push_request(dev);
}

static void complete(struct blkfront_aiocb *aiocbp, struct blkif_response response) {
  if (response.status != BLKIF_RSP_OKAY)
    printk("block error %d for op %d\n", response.status, response.operation);
  minios_end_grants(aiocbp->gref, aiocbp->n);
  if (aiocbp->aio_cb != NULL)
    aiocbp->aio_cb(aiocbp, response.status == BLKIF_RSP_OKAY ? 0 : -EIO);
}

int blkfront_aio_poll(struct blkfront_dev *dev) {
  int consumed = 0;
  for (;;) {
    RING_IDX rsp_prod = *(volatile RING_IDX *)&dev->ring->rsp_prod;
    rmb();
    if (rsp_prod == dev->rsp_cons) {
      /* Ask to be told of the next, and look again, since it may have come meanwhile. */
      *(volatile RING_IDX *)&dev->ring->rsp_event = dev->rsp_cons + 1;
      mb();
      if (has_response(dev))
        continue;
      if (consumed > 0)
        wake_up(&blkfront_queue);
      return consumed;
    }
    struct blkif_response response = dev->ring->ring[dev->rsp_cons % RING_SIZE].rsp;
    dev->rsp_cons++;
    consumed++;
    complete((struct blkfront_aiocb *)(uintptr_t)response.id, response);
  }
}

struct waiting {
  volatile int is_done;
  int ret;
};

static void note(struct blkfront_aiocb *aiocbp, int ret) {
  struct waiting *waiting = aiocbp->data;
  waiting->ret = ret;
  waiting->is_done = 1;
}

/* The result is left in data: NULL, or (void *)1 where the device has failed. */
void blkfront_io(struct blkfront_aiocb *aiocbp, int write) {
  struct waiting waiting = {0, 0};
  aiocbp->aio_cb = note;
  aiocbp->data = &waiting;
  blkfront_aio(aiocbp, write);
  wait_until(aiocbp->aio_dev, waiting.is_done);
  aiocbp->data = waiting.ret == 0 ? NULL : (void *)1;
  aiocbp->aio_cb = NULL;
}

void blkfront_sync(struct blkfront_dev *dev) {
  struct blkfront_aiocb barrier = {.aio_dev = dev}, flush = {.aio_dev = dev};
  if (dev->info.mode == O_RDWR && dev->info.barrier == 1)
    blkfront_aio_push_operation(&barrier, BLKIF_OP_WRITE_BARRIER);
  if (dev->info.mode == O_RDWR && dev->info.flush == 1)
    blkfront_aio_push_operation(&flush, BLKIF_OP_FLUSH_DISKCACHE);
  wait_until(dev, under_way(dev) == 0);
}

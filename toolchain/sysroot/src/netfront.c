/*
 * mini-os/netfront.h: how a network interface is found in the store, connected, and frames go both ways (xen/io/netif.h). Pages
 * are granted once: copying into them costs a guest one block operation, a grant a call of the kernel at both ends.
 */
#include "netfront.h"
#include "front.h"
#include "result.h"

#include <errno.h>
#include <fcntl.h>
#include <mini-os/events.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <mini-os/posix.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/netif.h>

#define RING_SIZE 256 /* what fits into a page, rounded down to a power of 2, and no more than 256 */
#define ALL_ORDER 8
#define FEW_ORDER 6 /* of frames that fill no page */

DECLARE_WAIT_QUEUE_HEAD(netfront_queue);

typedef void receiver(unsigned char *data, int len, void *arg);

/* Pages that stay granted, numbered as they lie. */
struct pages {
  char *memory;
  int order, count;
  grant_ref_t gref[RING_SIZE];
};

struct netfront_dev {
  struct minios_front front;
  evtchn_port_t evtchn;
  struct netif_tx_sring *tx;
  struct netif_rx_sring *rx;
  grant_ref_t tx_ref, rx_ref;
  RING_IDX tx_prod, tx_pushed, tx_cons;
  RING_IDX rx_prod, rx_cons;
  struct pages tx_pages, rx_pages;
  uint16_t tx_free[RING_SIZE]; /* pages that hold nothing that is on its way */
  int tx_free_count;
  uint16_t rx_posted[RING_SIZE]; /* the page of each slot: answers come in the order of requests */
  bool takes_long; /* frames of many pages, and without checksums */
  bool is_receiving;
  receiver *handler;
  void (*told)(void *arg);
  void *arg;
  struct tap *tap;
};

struct tap {
  struct minios_object object;
  struct netfront_dev *dev;
};

static RING_IDX find_frame(struct netfront_dev *dev);

/* Where nothing has arrived, an event will tell when it has. */
static void show_ready(struct netfront_dev *dev) {
  bool has_arrived = dev->handler == NETIF_SELECT_RX && find_frame(dev) != 0;
  if (dev->tap != NULL)
    dev->tap->object.ready = POLLOUT | (has_arrived ? POLLIN : 0);
}

static void woken(evtchn_port_t port, struct pt_regs *regs, void *data) {
  struct netfront_dev *dev = data;
  (void)port, (void)regs;
  if (dev->told != NULL)
    dev->told(dev->arg);
  else if (dev->handler != NULL && dev->handler != NETIF_SELECT_RX)
    network_rx(dev);
  show_ready(dev);
  wake_up(&netfront_queue);
}

static bool grant_pages(struct netfront_dev *dev, struct pages *pages, int order) {
  for (; order >= FEW_ORDER && pages->memory == NULL; order--) {
    pages->memory = (char *)alloc_pages(order);
    pages->order = order;
  }
  if (pages->memory == NULL)
    return false;
  pages->count = 1 << pages->order;
  memset(pages->memory, 0, (size_t)pages->count * PAGE_SIZE);
  return minios_grant_pages(dev->front.dom, pages->memory, pages->count, 0, pages->gref) == 0;
}

static void free_granted(struct pages *pages) {
  if (pages->memory == NULL)
    return;
  minios_end_grants(pages->gref, pages->count);
  free_pages(pages->memory, pages->order);
}

static void *new_ring(struct netfront_dev *dev, grant_ref_t *ref) {
  void *ring = (void *)alloc_page();
  if (ring == NULL)
    return NULL;
  memset(ring, 0, PAGE_SIZE);
  *ref = gnttab_grant_access(dev->front.dom, virt_to_mfn(ring), 0);
  return ring;
}

static void free_ring(void *ring, grant_ref_t ref) {
  if (ring == NULL)
    return;
  gnttab_end_access(ref);
  free_page(ring);
}

static void post(struct netfront_dev *dev, uint16_t page) {
  RING_IDX slot = dev->rx_prod++ % RING_SIZE;
  dev->rx_posted[slot] = page;
  dev->rx->ring[slot].req = (struct netif_rx_request){.id = (uint16_t)slot, .gref = dev->rx_pages.gref[page]};
}

static void push_posted(struct netfront_dev *dev) {
  RING_IDX before = dev->rx->req_prod;
  wmb();
  *(volatile RING_IDX *)&dev->rx->req_prod = dev->rx_prod;
  mb();
  RING_IDX asked = *(volatile RING_IDX *)&dev->rx->req_event;
  if (dev->rx_prod - asked < dev->rx_prod - before)
    notify_remote_via_evtchn(dev->evtchn);
}

static bool make_rings(struct netfront_dev *dev) {
  int order = dev->takes_long ? ALL_ORDER : FEW_ORDER;
  dev->tx = new_ring(dev, &dev->tx_ref);
  dev->rx = new_ring(dev, &dev->rx_ref);
  if (dev->tx == NULL || dev->rx == NULL || !grant_pages(dev, &dev->tx_pages, order) ||
      !grant_pages(dev, &dev->rx_pages, order))
    return false;
  dev->tx->req_event = dev->tx->rsp_event = 1;
  dev->rx->req_event = dev->rx->rsp_event = 1;
  dev->tx_free_count = dev->tx_pages.count;
  for (int id = 0; id < dev->tx_free_count; id++)
    dev->tx_free[id] = (uint16_t)id;
  for (int id = 0; id < dev->rx_pages.count; id++)
    post(dev, (uint16_t)id);
  dev->rx->req_prod = dev->rx_prod;
  return evtchn_alloc_unbound(dev->front.dom, woken, dev, &dev->evtchn) == 0;
}

static void free_netfront(struct netfront_dev *dev) {
  if (dev->evtchn != 0)
    unbind_evtchn(dev->evtchn);
  free_granted(&dev->tx_pages);
  free_granted(&dev->rx_pages);
  free_ring(dev->tx, dev->tx_ref);
  free_ring(dev->rx, dev->rx_ref);
  minios_front_free(&dev->front);
  free(dev);
}

#define MOST_NODES 12

/* What the back-end is told. Who takes frames as they are on a wire has their checksums filled in. */
static void nodes_of(const struct netfront_dev *dev, struct minios_front_node nodes[MOST_NODES]) {
  unsigned takes_long = dev->takes_long;
  const struct minios_front_node all[MOST_NODES] = {
      {"tx-ring-ref", NULL, (unsigned)dev->tx_ref},
      {"rx-ring-ref", NULL, (unsigned)dev->rx_ref},
      {"event-channel", NULL, (unsigned)dev->evtchn},
      {"request-rx-copy", NULL, 1},
      {"feature-rx-notify", NULL, 1},
      {"feature-persistent", NULL, 1},
      {"feature-sg", NULL, takes_long},
      {"feature-gso-tcpv4", NULL, takes_long},
      {"feature-gso-tcpv6", NULL, takes_long},
      {"feature-no-csum-offload", NULL, !takes_long},
      {"feature-ipv6-csum-offload", NULL, takes_long},
      {NULL, NULL, 0},
  };
  memcpy(nodes, all, sizeof all);
}

static bool read_mac(struct netfront_dev *dev, unsigned char mac[6]) {
  char *text = minios_read_node(dev->front.nodename, "mac");
  bool is_whole = text != NULL && sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
                                         &mac[3], &mac[4], &mac[5]) == 6;
  free(text);
  return is_whole;
}

static struct netfront_dev *open_device(struct netfront_dev model, const char *nodename, unsigned char mac[6],
                                        char **ip) {
  unsigned char ignored[6];
  struct netfront_dev *dev = malloc(sizeof *dev);
  BUG_ON(dev == NULL);
  *dev = model;
  if (nodename == NULL)
    nodename = "device/vif/0";
  if (!minios_front_find(&dev->front, nodename) || !read_mac(dev, mac == NULL ? ignored : mac) ||
      !make_rings(dev)) {
    printk("%s: no such device\n", nodename);
    free_netfront(dev);
    return NULL;
  }
  struct minios_front_node nodes[MOST_NODES];
  nodes_of(dev, nodes);
  if (!minios_front_connect(&dev->front, nodes)) {
    free_netfront(dev);
    return NULL;
  }
  if (ip != NULL)
    *ip = minios_read_node(dev->front.backend, "ip");
  unmask_evtchn(dev->evtchn);
  return dev;
}

struct netfront_dev *init_netfront(char *nodename, receiver *thenetif_rx, unsigned char rawmac[6], char **ip) {
  return open_device((struct netfront_dev){.handler = thenetif_rx}, nodename, rawmac, ip);
}

struct netfront_dev *minios_netfront_open(const char *nodename, void (*handler)(void *arg), void *arg,
                                          unsigned char mac[6], char **ip) {
  struct netfront_dev model = {.takes_long = true, .told = handler, .arg = arg};
  return open_device(model, nodename, mac, ip);
}

void netfront_set_rx_handler(struct netfront_dev *dev, receiver *thenetif_rx, void *arg) {
  dev->handler = thenetif_rx;
  dev->arg = arg;
}

char *netfront_get_gateway(struct netfront_dev *dev) {
  return minios_read_node(dev->front.backend, "gateway");
}

void shutdown_netfront(struct netfront_dev *dev) {
  struct minios_front_node nodes[MOST_NODES];
  nodes_of(dev, nodes);
  mask_evtchn(dev->evtchn);
  minios_front_disconnect(&dev->front, nodes);
  free_netfront(dev);
}

/* Pages of what was sent are free again; what the other end says of them is checked, since it is another domain. */
static void reap(struct netfront_dev *dev) {
  RING_IDX produced = *(volatile RING_IDX *)&dev->tx->rsp_prod;
  rmb();
  for (; dev->tx_cons != produced && dev->tx_cons != dev->tx_prod; dev->tx_cons++) {
    struct netif_tx_response response = dev->tx->ring[dev->tx_cons % RING_SIZE].rsp;
    if (response.status == NETIF_RSP_NULL || response.id >= dev->tx_pages.count)
      continue;
    if (dev->tx_free_count < dev->tx_pages.count)
      dev->tx_free[dev->tx_free_count++] = response.id;
  }
}

static bool has_room(struct netfront_dev *dev, int pages) {
  return dev->tx_free_count >= pages && RING_SIZE - (dev->tx_prod - dev->tx_cons) > (RING_IDX)pages;
}

/* Asks for an event as soon as anything was sent, where there is no room now. */
static bool find_room(struct netfront_dev *dev, int pages) {
  if (has_room(dev, pages))
    return true;
  reap(dev);
  if (has_room(dev, pages))
    return true;
  *(volatile RING_IDX *)&dev->tx->rsp_event = dev->tx_cons + 1;
  mb();
  reap(dev);
  return has_room(dev, pages);
}

/* Where the next byte of a frame in parts comes from. */
struct reader {
  const struct iovec *part;
  size_t done;
};

static void read_parts(struct reader *from, char *to, size_t count) {
  while (count > 0) {
    size_t rest = from->part->iov_len - from->done;
    size_t length = rest < count ? rest : count;
    memcpy(to, (const char *)from->part->iov_base + from->done, length);
    to += length;
    count -= length;
    from->done += length;
    if (from->done == from->part->iov_len) {
      from->part++;
      from->done = 0;
    }
  }
}

static void put_extra(struct netfront_dev *dev, struct minios_offload offload) {
  struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO};
  extra.u.gso.size = offload.segment_size;
  extra.u.gso.type = offload.is_ipv6 ? XEN_NETIF_GSO_TYPE_TCPV6 : XEN_NETIF_GSO_TYPE_TCPV4;
  memcpy(&dev->tx->ring[dev->tx_prod++ % RING_SIZE], &extra, sizeof extra);
}

bool minios_netfront_send(struct netfront_dev *dev, const struct iovec *parts, int count,
                          struct minios_offload offload) {
  size_t length = 0;
  for (int i = 0; i < count; i++)
    length += parts[i].iov_len;
  if (length == 0 || length > MINIOS_LONGEST_FRAME)
    return true;
  int pages = (int)((length + PAGE_SIZE - 1) / PAGE_SIZE);
  if (!find_room(dev, pages))
    return false;
  struct reader from = {parts, 0};
  for (size_t at = 0; at < length; at += PAGE_SIZE) {
    uint16_t id = dev->tx_free[--dev->tx_free_count];
    size_t part = length - at < PAGE_SIZE ? length - at : PAGE_SIZE;
    unsigned flags = at + part < length ? NETTXF_more_data : 0;
    if (at == 0)
      flags |= (offload.is_blank ? NETTXF_csum_blank | NETTXF_data_validated : 0) |
               (offload.segment_size != 0 ? NETTXF_extra_info : 0);
    read_parts(&from, dev->tx_pages.memory + (size_t)id * PAGE_SIZE, part);
    dev->tx->ring[dev->tx_prod++ % RING_SIZE].req =
        (struct netif_tx_request){.gref = dev->tx_pages.gref[id],
                                  .flags = (uint16_t)flags,
                                  .id = id,
                                  .size = (uint16_t)(at == 0 ? length : part)};
    if (at == 0 && offload.segment_size != 0)
      put_extra(dev, offload);
  }
  return true;
}

void minios_netfront_push(struct netfront_dev *dev) {
  RING_IDX before = dev->tx_pushed;
  if (before == dev->tx_prod)
    return;
  wmb();
  dev->tx_pushed = dev->tx_prod;
  *(volatile RING_IDX *)&dev->tx->req_prod = dev->tx_prod;
  mb();
  RING_IDX asked = *(volatile RING_IDX *)&dev->tx->req_event;
  if (dev->tx_prod - asked < dev->tx_prod - before)
    notify_remote_via_evtchn(dev->evtchn);
}

void netfront_xmit(struct netfront_dev *dev, unsigned char *data, int len) {
  struct iovec part = {data, (size_t)len};
  BUG_ON(len < 0 || len > MINIOS_LONGEST_FRAME);
  wait_event(netfront_queue, minios_netfront_send(dev, &part, 1, (struct minios_offload){0}));
  minios_netfront_push(dev);
}

/* Slots of the frame that begins at rx_cons, or 0 while some of them are missing. */
static RING_IDX whole_frame(struct netfront_dev *dev, RING_IDX produced) {
  for (RING_IDX at = dev->rx_cons; at != produced;) {
    unsigned flags = dev->rx->ring[at % RING_SIZE].rsp.flags;
    at++;
    while (flags & NETRXF_extra_info) {
      if (at == produced)
        return 0;
      const struct netif_extra_info *extra = (void *)&dev->rx->ring[at % RING_SIZE];
      at++;
      if (!(extra->flags & XEN_NETIF_EXTRA_FLAG_MORE))
        break;
    }
    if (!(flags & NETRXF_more_data))
      return at - dev->rx_cons;
  }
  return 0;
}

static RING_IDX produced_now(struct netfront_dev *dev) {
  RING_IDX produced = *(volatile RING_IDX *)&dev->rx->rsp_prod;
  rmb();
  return produced - dev->rx_cons > dev->rx_prod - dev->rx_cons ? dev->rx_cons : produced;
}

/* Asks for an event of the next slot, and looks again, since it may have come meanwhile. */
static RING_IDX find_frame(struct netfront_dev *dev) {
  for (;;) {
    RING_IDX produced = produced_now(dev);
    RING_IDX slots = whole_frame(dev, produced);
    if (slots != 0)
      return slots;
    *(volatile RING_IDX *)&dev->rx->rsp_event = produced + 1;
    mb();
    if (produced_now(dev) == produced)
      return 0;
  }
}

/* The bytes of a slot; it is of the page that was posted in its place, whatever it says. */
struct slot {
  const char *bytes;
  size_t length;
  unsigned flags;
};

static struct slot read_slot(struct netfront_dev *dev, RING_IDX at) {
  struct netif_rx_response response = dev->rx->ring[at % RING_SIZE].rsp;
  const char *page = dev->rx_pages.memory + (size_t)dev->rx_posted[at % RING_SIZE] * PAGE_SIZE;
  bool is_sound = response.status >= 0 && (size_t)response.offset + (size_t)response.status <= PAGE_SIZE;
  return (struct slot){page + (is_sound ? response.offset : 0), is_sound ? (size_t)response.status : 0,
                       response.flags};
}

/* Behind the slot, and the extra information that belongs to it. */
static RING_IDX behind(struct netfront_dev *dev, RING_IDX at, unsigned flags) {
  bool has_extra = flags & NETRXF_extra_info;
  for (at++; has_extra; at++) {
    const struct netif_extra_info *extra = (void *)&dev->rx->ring[at % RING_SIZE];
    has_extra = extra->flags & XEN_NETIF_EXTRA_FLAG_MORE;
  }
  return at;
}

size_t minios_netfront_next(struct netfront_dev *dev, struct minios_offload *offload) {
  for (;;) {
    RING_IDX slots = find_frame(dev);
    if (slots == 0)
      return 0;
    size_t length = 0;
    unsigned first = read_slot(dev, dev->rx_cons).flags;
    for (RING_IDX at = dev->rx_cons; at - dev->rx_cons < slots;) {
      struct slot slot = read_slot(dev, at);
      length += slot.length;
      at = behind(dev, at, slot.flags);
    }
    *offload = (struct minios_offload){.is_blank = first & (NETRXF_csum_blank | NETRXF_data_validated)};
    if (length > 0 && length <= MINIOS_LONGEST_FRAME)
      return length;
    minios_netfront_take(dev, NULL, 0);
  }
}

void minios_netfront_take(struct netfront_dev *dev, void *to, size_t count) {
  RING_IDX slots = find_frame(dev);
  char *next = to;
  for (RING_IDX at = dev->rx_cons; at - dev->rx_cons < slots && count > 0;) {
    struct slot slot = read_slot(dev, at);
    size_t part = slot.length < count ? slot.length : count;
    memcpy(next, slot.bytes, part);
    next += part;
    count -= part;
    at = behind(dev, at, slot.flags);
  }
  for (; slots > 0; slots--)
    post(dev, dev->rx_posted[dev->rx_cons++ % RING_SIZE]);
  push_posted(dev);
}

ssize_t netfront_receive(struct netfront_dev *dev, unsigned char *data, size_t len) {
  struct minios_offload offload;
  size_t length = minios_netfront_next(dev, &offload);
  size_t taken = length < len ? length : len;
  if (length > 0)
    minios_netfront_take(dev, data, taken);
  show_ready(dev);
  return (ssize_t)taken;
}

void network_rx(struct netfront_dev *dev) {
  struct minios_offload offload;
  size_t length;
  if (dev->handler == NETIF_SELECT_RX || dev->is_receiving)
    return;
  dev->is_receiving = true;
  while ((length = minios_netfront_next(dev, &offload)) > 0) {
    unsigned char *data = dev->handler == NULL ? NULL : malloc(length);
    minios_netfront_take(dev, data, data == NULL ? 0 : length);
    if (data != NULL)
      dev->handler(data, (int)length, dev->arg);
    free(data);
  }
  dev->is_receiving = false;
}

static ssize_t read_tap(struct minios_object *object, void *buffer, size_t count) {
  ssize_t length = netfront_receive(((struct tap *)object)->dev, buffer, count);
  return length > 0 ? length : -EAGAIN;
}

static ssize_t write_tap(struct minios_object *object, const void *buffer, size_t count) {
  if (count > MINIOS_LONGEST_FRAME)
    return -EMSGSIZE;
  netfront_xmit(((struct tap *)object)->dev, (unsigned char *)buffer, (int)count);
  return (ssize_t)count;
}

static void close_tap(struct minios_object *object) {
  struct tap *tap = (struct tap *)object;
  tap->dev->tap = NULL;
  shutdown_netfront(tap->dev);
  free(tap);
}

static const struct minios_object_calls tap_calls = {
    .read = read_tap, .write = write_tap, .close = close_tap};

int netfront_tap_open(char *nodename) {
  struct tap *tap = malloc(sizeof *tap);
  if (tap == NULL)
    return -1;
  struct netfront_dev *dev = init_netfront(nodename, NETIF_SELECT_RX, NULL, NULL);
  if (dev == NULL) {
    free(tap);
    errno = EIO;
    return -1;
  }
  *tap = (struct tap){{.ready = POLLOUT, .flags = O_RDWR, .calls = &tap_calls}, dev};
  int fd = MINIOS_INT(minios_open_object(MINIOS_FD_TAP, tap, 0));
  if (fd < 0) {
    shutdown_netfront(dev);
    free(tap);
    return -1;
  }
  dev->tap = tap;
  show_ready(dev);
  return fd;
}

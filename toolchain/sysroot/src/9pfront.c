/* mini-os/9pfront.h: the device, its ring, and the mount that its files are found by. */
#include "9p-wire.h"

#include <mini-os/9pfront.h>
#include <mini-os/events.h>
#include <mini-os/gnttab.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ORDER 6 /* halves of 128 KiB */

static void woken(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs;
  wake_up(&((struct minios_9p *)data)->queue);
}

static const struct minios_front_node own[] = {
    {"version", NULL, 1},        {"num-rings", NULL, 1}, {"ring-ref0", NULL, 0},
    {"event-channel-0", NULL, 0}, {NULL, NULL, 0},
};

static bool connect_device(struct minios_9p *dev) {
  struct minios_front_node nodes[sizeof own / sizeof *own];
  memcpy(nodes, own, sizeof own);
  nodes[2].number = dev->intf_ref;
  nodes[3].number = dev->evtchn;
  return minios_front_connect(&dev->front, nodes);
}

static bool offer_ring(struct minios_9p *dev) {
  long most = minios_read_number(dev->front.backend, "max-ring-page-order", 1);
  dev->order = most < ORDER ? (int)most : ORDER;
  dev->size = (uint32_t)(PAGE_SIZE << dev->order) / 2;
  dev->intf = (struct xen_9pfs_data_intf *)alloc_page();
  dev->ring = (char *)alloc_pages(dev->order);
  if (dev->intf == NULL || dev->ring == NULL || dev->order < 1)
    return false;
  memset(dev->intf, 0, PAGE_SIZE);
  dev->intf->ring_order = (uint32_t)dev->order;
  minios_grant_pages(dev->front.dom, dev->ring, 1 << dev->order, 0, dev->intf->ref);
  dev->intf_ref = gnttab_grant_access(dev->front.dom, virt_to_mfn(dev->intf), 0);
  return evtchn_alloc_unbound(dev->front.dom, woken, dev, &dev->evtchn) == 0;
}

static void free_device(struct minios_9p *dev) {
  if (dev->evtchn != 0)
    unbind_evtchn(dev->evtchn);
  if (dev->intf_ref != 0) {
    gnttab_end_access(dev->intf_ref);
    minios_end_grants(dev->intf->ref, 1 << dev->order);
  }
  if (dev->ring != NULL)
    free_pages(dev->ring, dev->order);
  if (dev->intf != NULL)
    free_page(dev->intf);
  minios_front_free(&dev->front);
  free((char *)(uintptr_t)dev->mount.place);
  free(dev);
}

/* The dialect, and fid 0 for the root. */
static int begin_session(struct minios_9p *dev) {
  static const char dialect[] = "9P2000.L";
  char agreed[sizeof dialect - 1];
  minios_9p_begin(dev);
  minios_9p_put_number(dev, dev->size, 4);
  minios_9p_put_text(dev, dialect, sizeof dialect - 1);
  int error = minios_9p_call(dev, P9_TVERSION);
  dev->longest = error == 0 ? (uint32_t)minios_9p_take_number(dev, 4) : 0;
  bool is_ours = minios_9p_take_number(dev, 2) == sizeof agreed && minios_9p_take(dev, agreed, sizeof agreed) &&
                 memcmp(agreed, dialect, sizeof agreed) == 0;
  minios_9p_end(dev);
  if (error != 0 || !is_ours || dev->longest > dev->size)
    return -1;
  minios_9p_begin(dev);
  minios_9p_put_number(dev, 0, 4);
  minios_9p_put_number(dev, P9_NO_FID, 4);
  minios_9p_put_text(dev, "root", 4);
  minios_9p_put_text(dev, "", 0);
  minios_9p_put_number(dev, 0, 4);
  error = minios_9p_call(dev, P9_TATTACH);
  minios_9p_end(dev);
  return error;
}

void *init_9pfront(unsigned int id, const char *mnt) {
  char nodename[32];
  struct minios_9p *dev = calloc(1, sizeof *dev);
  BUG_ON(dev == NULL);
  init_MUTEX(&dev->turn);
  init_waitqueue_head(&dev->queue);
  dev->mount = (struct minios_mount){.place = strdup(mnt), .calls = &minios_9p_calls};
  snprintf(nodename, sizeof nodename, "device/9pfs/%u", id);
  bool is_found = minios_front_find(&dev->front, nodename);
  if (!is_found)
    printk("%s: no such device\n", nodename);
  if (is_found && dev->mount.place != NULL && offer_ring(dev)) {
    unmask_evtchn(dev->evtchn);
    if (connect_device(dev) && begin_session(dev) == 0) {
      dev->mount.next = minios_mounts;
      minios_mounts = &dev->mount;
      return dev;
    }
  }
  free_device(dev);
  return NULL;
}

void shutdown_9pfront(void *device) {
  struct minios_9p *dev = device;
  for (struct minios_mount **link = &minios_mounts; *link != NULL; link = &(*link)->next)
    if (*link == &dev->mount) {
      *link = dev->mount.next;
      break;
    }
  minios_front_disconnect(&dev->front, own);
  free_device(dev);
}

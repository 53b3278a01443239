/* Events from the back-ends of frame buffer and keyboard, by calls of their own and by descriptors (event-device.h). */
#include "event-device.h"

#include <errno.h>
#include <fcntl.h>
#include <mini-os/events.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { IN_CONS, IN_PROD };

static bool has_event(const struct minios_event_device *dev) {
  return dev->page != NULL && *(volatile uint32_t *)&dev->page[IN_PROD] != dev->page[IN_CONS];
}

static void tell(struct minios_event_device *dev) {
  dev->object.ready = dev->page == NULL ? POLLIN | POLLHUP : has_event(dev) ? POLLIN : 0;
  wake_up(dev->queue);
}

static void handler(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs;
  tell(data);
}

void *minios_new_page(void) {
  void *page = (void *)alloc_page();
  BUG_ON(page == NULL);
  return memset(page, 0, PAGE_SIZE);
}

bool minios_event_device_find(struct minios_event_device *dev, const char *nodename) {
  dev->fd = -1;
  dev->page = minios_new_page();
  if (!minios_front_find(&dev->front, nodename)) {
    printk("%s: no such device\n", nodename);
    return false;
  }
  if (evtchn_alloc_unbound(dev->front.dom, handler, dev, &dev->evtchn) != 0)
    return false;
  unmask_evtchn(dev->evtchn);
  return true;
}

static void nodes_of(const struct minios_event_device *dev, const char *feature, unsigned value,
                     struct minios_front_node nodes[5]) {
  nodes[0] = (struct minios_front_node){"page-ref", NULL, (unsigned)virt_to_mfn(dev->page)};
  nodes[1] = (struct minios_front_node){"event-channel", NULL, dev->evtchn};
  nodes[2] = (struct minios_front_node){"protocol", MINIOS_PROTOCOL, 0};
  nodes[3] = (struct minios_front_node){feature, NULL, value};
  nodes[4] = (struct minios_front_node){NULL, NULL, 0};
}

bool minios_event_device_connect(struct minios_event_device *dev, const char *feature, unsigned value) {
  struct minios_front_node nodes[5];
  nodes_of(dev, feature, value, nodes);
  return minios_front_connect(&dev->front, nodes);
}

void minios_event_device_disconnect(struct minios_event_device *dev, const char *feature) {
  struct minios_front_node nodes[5];
  nodes_of(dev, feature, 0, nodes);
  minios_front_disconnect(&dev->front, nodes);
}

int minios_event_device_receive(struct minios_event_device *dev, void *events, int n) {
  int taken = 0;
  for (; taken < n && has_event(dev); taken++) {
    rmb();
    char *ring = (char *)dev->page + MINIOS_EVENTS_AT;
    memcpy((char *)events + taken * MINIOS_EVENT_SIZE,
           ring + dev->page[IN_CONS] % dev->length * MINIOS_EVENT_SIZE, MINIOS_EVENT_SIZE);
    mb();
    dev->page[IN_CONS]++;
  }
  if (taken > 0)
    notify_remote_via_evtchn(dev->evtchn);
  tell(dev);
  return taken;
}

void minios_event_device_free(struct minios_event_device *dev) {
  if (dev->evtchn != 0)
    unbind_evtchn(dev->evtchn);
  free_page(dev->page);
  dev->page = NULL;
  minios_front_free(&dev->front);
  tell(dev);
  if (dev->fd < 0)
    free(dev);
}

static ssize_t read_events(struct minios_object *object, void *buffer, size_t count) {
  struct minios_event_device *dev = (struct minios_event_device *)object;
  size_t room = count / MINIOS_EVENT_SIZE;
  if (room == 0)
    return -EINVAL;
  if (!(object->flags & O_NONBLOCK))
    wait_event(*dev->queue, has_event(dev) || dev->page == NULL);
  if (dev->page == NULL)
    return 0;
  int n = room > dev->length ? (int)dev->length : (int)room;
  int taken = minios_event_device_receive(dev, buffer, n);
  return taken == 0 ? -EAGAIN : taken * MINIOS_EVENT_SIZE;
}

static ssize_t refuse_write(struct minios_object *object, const void *buffer, size_t count) {
  (void)object, (void)buffer, (void)count;
  return -EBADF;
}

static void close_descriptor(struct minios_object *object) {
  struct minios_event_device *dev = (struct minios_event_device *)object;
  dev->fd = -1;
  if (dev->page == NULL)
    free(dev);
  else
    dev->shutdown(dev);
}

/* Reads never wait, as in the original, unless O_NONBLOCK is taken away. */
int minios_event_device_open(struct minios_event_device *dev, int kind) {
  static const struct minios_object_calls calls = {
      .read = read_events, .write = refuse_write, .close = close_descriptor};
  dev->object = (struct minios_object){.flags = O_RDONLY | O_NONBLOCK, .calls = &calls};
  tell(dev);
  int fd = minios_open_object(kind, dev, 0);
  if (fd < 0) {
    errno = -fd;
    return -1;
  }
  return dev->fd = fd;
}

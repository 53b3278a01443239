/* mini-os/fbfront.h: the keyboard and pointer. */
#include "event-device.h"

#include <mini-os/fbfront.h>
#include <mini-os/os.h>
#include <stdlib.h>

DECLARE_WAIT_QUEUE_HEAD(kbdfront_queue);

struct kbdfront_dev {
  struct minios_event_device events;
};

#define FEATURE "request-abs-pointer"

static void shut_down(struct minios_event_device *dev) {
  minios_event_device_disconnect(dev, FEATURE);
  minios_event_device_free(dev);
}

struct kbdfront_dev *init_kbdfront(char *nodename, int abs_pointer) {
  struct kbdfront_dev *dev = calloc(1, sizeof *dev);
  BUG_ON(dev == NULL);
  dev->events = (struct minios_event_device){
      .length = XENKBD_IN_RING_LEN, .queue = &kbdfront_queue, .shutdown = shut_down};
  if (minios_event_device_find(&dev->events, nodename != NULL ? nodename : "device/vkbd/0") &&
      minios_event_device_connect(&dev->events, FEATURE, abs_pointer != 0))
    return dev;
  minios_event_device_free(&dev->events);
  return NULL;
}

int kbdfront_receive(struct kbdfront_dev *dev, union xenkbd_in_event *buf, int n) {
  return minios_event_device_receive(&dev->events, buf, n);
}

int kbdfront_open(struct kbdfront_dev *dev) {
  return minios_event_device_open(&dev->events, MINIOS_FD_KEYBOARD);
}

void shutdown_kbdfront(struct kbdfront_dev *dev) {
  shut_down(&dev->events);
}

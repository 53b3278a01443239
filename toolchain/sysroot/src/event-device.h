/*
 * What the front-ends of frame buffer and keyboard have in common: a shared page that begins with the indices of a ring of events
 * of 40 bytes to the front-end (xen/io/fbif.h, xen/io/kbdif.h), and a descriptor that reads them.
 */
#ifndef MINIOS_EVENT_DEVICE_H
#define MINIOS_EVENT_DEVICE_H

#include "front.h"

#include <mini-os/posix.h>
#include <mini-os/wait.h>

#define MINIOS_EVENT_SIZE 40
#define MINIOS_EVENTS_AT 1024

struct minios_event_device {
  struct minios_object object; /* once it has a descriptor */
  int fd;                      /* or -1 */
  struct minios_front front;
  uint32_t *page; /* in_cons, in_prod …; NULL when it is shut down */
  evtchn_port_t evtchn;
  unsigned length; /* events in the ring */
  struct wait_queue_head *queue;
  void (*shutdown)(struct minios_event_device *dev);
};

/* The rest of the struct is filled in; page and port are new. False where there is no such device. */
bool minios_event_device_find(struct minios_event_device *dev, const char *nodename);
/* Tells the back-end of page, port and one feature; false, with a message, where that does not come about. */
bool minios_event_device_connect(struct minios_event_device *dev, const char *feature, unsigned value);
/* Parts from the back-end. */
void minios_event_device_disconnect(struct minios_event_device *dev, const char *feature);
/* A page full of zeros, for others to look into. */
void *minios_new_page(void);
int minios_event_device_receive(struct minios_event_device *dev, void *events, int n);
/* A descriptor, or -1 with errno. */
int minios_event_device_open(struct minios_event_device *dev, int kind);
/* Frees the device, or what an open descriptor has no use for. */
void minios_event_device_free(struct minios_event_device *dev);

#endif

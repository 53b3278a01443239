/* mini-os/fbfront.h: the frame buffer, whose back-end reads the program's own pages and hears what has changed in them. */
#include "event-device.h"

#include <mini-os/events.h>
#include <mini-os/fbfront.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <stdlib.h>
#include <string.h>

#define FEATURE "feature-update"
#define IN_DIRECTORY (PAGE_SIZE / sizeof(unsigned long))
#define MOST_DIRECTORIES (sizeof((struct xenfb_page *)0)->pd / sizeof(unsigned long))

DECLARE_WAIT_QUEUE_HEAD(fbfront_queue);

struct fbfront_dev {
  struct minios_event_device events;
  unsigned long **directories; /* pages full of frames */
  size_t count;
  int request_update;
  int width, height;
};

static struct xenfb_page *page_of(const struct fbfront_dev *dev) {
  return (struct xenfb_page *)dev->events.page;
}

static void free_fbfront(struct fbfront_dev *dev) {
  for (size_t i = 0; i < dev->count; i++)
    free_page(dev->directories[i]);
  free(dev->directories);
  dev->count = 0;
  dev->directories = NULL;
  minios_event_device_free(&dev->events);
}

static void shut_down(struct minios_event_device *events) {
  minios_event_device_disconnect(events, FEATURE);
  free_fbfront((struct fbfront_dev *)events);
}

/* The frames, in pages that the shared page names. */
static void list_frames(struct fbfront_dev *dev, const unsigned long *mfns, size_t n) {
  dev->count = (n + IN_DIRECTORY - 1) / IN_DIRECTORY;
  BUG_ON(dev->count > MOST_DIRECTORIES);
  dev->directories = calloc(dev->count + 1, sizeof *dev->directories);
  BUG_ON(dev->directories == NULL);
  for (size_t i = 0; i < dev->count; i++) {
    size_t first = i * IN_DIRECTORY, rest = n - first < IN_DIRECTORY ? n - first : IN_DIRECTORY;
    dev->directories[i] = memcpy(minios_new_page(), mfns + first, rest * sizeof *mfns);
    page_of(dev)->pd[i] = virt_to_mfn(dev->directories[i]);
  }
}

static bool connect_device(struct fbfront_dev *dev) {
  if (!minios_event_device_connect(&dev->events, FEATURE, 1))
    return false;
  dev->request_update = (int)minios_read_number(dev->events.front.backend, "request-update", 0);
  return true;
}

struct fbfront_dev *init_fbfront(char *nodename, unsigned long *mfns, int width, int height, int depth,
                                 int stride, int n) {
  struct fbfront_dev *dev = calloc(1, sizeof *dev);
  BUG_ON(dev == NULL);
  dev->events = (struct minios_event_device){
      .length = XENFB_IN_RING_LEN, .queue = &fbfront_queue, .shutdown = shut_down};
  bool is_found = minios_event_device_find(&dev->events, nodename != NULL ? nodename : "device/vfb/0");
  struct xenfb_page *page = page_of(dev);
  dev->width = page->width = width;
  dev->height = page->height = height;
  page->depth = (uint8_t)depth;
  page->line_length = (uint32_t)stride;
  page->mem_length = (uint32_t)n * PAGE_SIZE;
  list_frames(dev, mfns, (size_t)n);
  if (is_found && connect_device(dev))
    return dev;
  free_fbfront(dev);
  return NULL;
}

int fbfront_receive(struct fbfront_dev *dev, union xenfb_in_event *buf, int n) {
  return minios_event_device_receive(&dev->events, buf, n);
}

static bool has_room(const struct fbfront_dev *dev) {
  const struct xenfb_page *page = page_of(dev);
  return page == NULL || page->out_prod - *(volatile uint32_t *)&page->out_cons < XENFB_OUT_RING_LEN;
}

static void send(struct fbfront_dev *dev, const union xenfb_out_event *event) {
  wait_event(fbfront_queue, has_room(dev));
  struct xenfb_page *page = page_of(dev);
  if (page == NULL)
    return;
  XENFB_OUT_RING_REF(page, page->out_prod) = *event;
  wmb();
  page->out_prod++;
  notify_remote_via_evtchn(dev->events.evtchn);
}

void fbfront_update(struct fbfront_dev *dev, int x, int y, int width, int height) {
  int right = x + width < dev->width ? x + width : dev->width;
  int bottom = y + height < dev->height ? y + height : dev->height;
  x = x < 0 ? 0 : x;
  y = y < 0 ? 0 : y;
  if (dev->request_update <= 0 || right <= x || bottom <= y)
    return;
  union xenfb_out_event event = {.update = {XENFB_TYPE_UPDATE, x, y, right - x, bottom - y}};
  send(dev, &event);
}

void fbfront_resize(struct fbfront_dev *dev, int width, int height, int stride, int depth, int offset) {
  union xenfb_out_event event = {
      .resize = {XENFB_TYPE_RESIZE, width, height, stride, depth, offset}};
  dev->width = width;
  dev->height = height;
  send(dev, &event);
}

int fbfront_open(struct fbfront_dev *dev) {
  return minios_event_device_open(&dev->events, MINIOS_FD_FRAMEBUFFER);
}

void shutdown_fbfront(struct fbfront_dev *dev) {
  shut_down(&dev->events);
}

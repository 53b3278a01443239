/* mini-os/console.h: consoles beside the first, each a page shared with its back-end (xen/io/console.h). */
#include "consfront.h"

#include "front.h"

#include <mini-os/events.h>
#include <mini-os/mm.h>
#include <mini-os/os.h>
#include <mini-os/wait.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Those before it were for what a device model logs, saves and restores. */
#define FIRST_NUMBER 3
#define STDIN 0
#define STDOUT 1

DECLARE_WAIT_QUEUE_HEAD(console_queue);
/* Woken when nothing is left of the first console's input. */
static DECLARE_WAIT_QUEUE_HEAD(taken_queue);

/* What has come to the first console, and was looked at: only a terminal can say how much waits there. */
static struct {
  char bytes[1024];
  unsigned first, end;
  bool is_over;
} input;

static bool is_kernels(const struct consfront_dev *dev) {
  return dev == NULL || dev->ring == NULL;
}

int minios_console_room(struct consfront_dev *dev) {
  uint32_t used = dev->ring->out_prod - *(volatile uint32_t *)&dev->ring->out_cons;
  return used > sizeof dev->ring->out ? 0 : (int)(sizeof dev->ring->out - used);
}

static void set_ready(struct consfront_dev *dev) {
  if (dev != NULL && dev->file != NULL)
    dev->file->object.ready = (xencons_ring_avail(dev) > 0 ? POLLIN : 0) | (minios_console_room(dev) > 0 ? POLLOUT : 0);
}

void minios_console_changed(struct consfront_dev *dev) {
  set_ready(dev);
  wake_up(&console_queue);
}

static void handler(evtchn_port_t port, struct pt_regs *regs, void *data) {
  (void)port, (void)regs;
  minios_console_changed(data);
}

int xencons_ring_send_no_notify(struct consfront_dev *dev, const char *data, unsigned len) {
  if (is_kernels(dev)) {
    ssize_t written = minios_write(STDOUT, data, len);
    return written < 0 ? 0 : (int)written;
  }
  struct xencons_interface *ring = dev->ring;
  unsigned sent = 0, room = (unsigned)minios_console_room(dev);
  mb();
  for (; sent < len && sent < room; sent++)
    ring->out[MASK_XENCONS_IDX(ring->out_prod + sent, ring->out)] = data[sent];
  wmb();
  ring->out_prod += sent;
  set_ready(dev);
  return (int)sent;
}

int xencons_ring_send(struct consfront_dev *dev, const char *data, unsigned len) {
  int sent = xencons_ring_send_no_notify(dev, data, len);
  if (!is_kernels(dev))
    notify_remote_via_evtchn(dev->evtchn);
  return sent;
}

/* Never waits. */
static void fill_input(void) {
  struct pollfd asked = {.fd = STDIN, .events = POLLIN};
  if (input.first < input.end || minios_poll(&asked, 1, 0) <= 0)
    return;
  ssize_t count = minios_read(STDIN, input.bytes, sizeof input.bytes);
  input.first = 0;
  input.end = count < 0 ? 0 : (unsigned)count;
  input.is_over = count == 0;
}

int xencons_ring_avail(struct consfront_dev *dev) {
  if (is_kernels(dev)) {
    fill_input();
    return (int)(input.end - input.first);
  }
  uint32_t used = *(volatile uint32_t *)&dev->ring->in_prod - dev->ring->in_cons;
  return used > sizeof dev->ring->in ? 0 : (int)used;
}

static int receive_first(char *data, unsigned len) {
  unsigned there = (unsigned)xencons_ring_avail(NULL);
  unsigned count = len < there ? len : there;
  memcpy(data, input.bytes + input.first, count);
  input.first += count;
  wake_up(&taken_queue);
  return (int)count;
}

int xencons_ring_recv(struct consfront_dev *dev, char *data, unsigned len) {
  if (is_kernels(dev))
    return receive_first(data, len);
  struct xencons_interface *ring = dev->ring;
  unsigned count = 0, there = (unsigned)xencons_ring_avail(dev);
  rmb();
  for (; count < len && count < there; count++)
    data[count] = ring->in[MASK_XENCONS_IDX(ring->in_cons + count, ring->in)];
  mb();
  ring->in_cons += count;
  set_ready(dev);
  notify_remote_via_evtchn(dev->evtchn);
  return (int)count;
}

void minios_console_send_all(struct consfront_dev *dev, const char *data, size_t length) {
  while (length > 0) {
    int sent = xencons_ring_send(dev, data, (unsigned)length);
    data += sent;
    length -= (size_t)sent;
    if (length > 0 && !is_kernels(dev))
      wait_event(console_queue, minios_console_room(dev) > 0);
  }
}

void console_print(struct consfront_dev *dev, const char *data, int length) {
  bool is_as_it_is = is_kernels(dev) || dev->is_raw;
  while (length > 0) {
    const char *end = is_as_it_is ? NULL : memchr(data, '\n', (size_t)length);
    int line = end == NULL ? length : (int)(end - data);
    minios_console_send_all(dev, data, (size_t)line);
    if (end != NULL)
      minios_console_send_all(dev, "\r\n", 2);
    data += end == NULL ? line : line + 1;
    length -= end == NULL ? line : line + 1;
  }
}

/* Input of the kernel's console makes no event, so a thread waits for it: until there is some, and then until it is taken. */
static void watch_first(void *data) {
  (void)data;
  for (;;) {
    struct pollfd asked = {.fd = STDIN, .events = POLLIN};
    minios_poll(&asked, 1, -1);
    if (xencons_ring_avail(NULL) == 0 && input.is_over)
      return;
    wake_up(&console_queue);
    wait_event(taken_queue, input.first == input.end);
  }
}

void init_console(void) {
  static bool is_watched;
  if (!is_watched)
    is_watched = create_thread("console", watch_first, NULL) != NULL;
}

struct consfront_dev *xencons_ring_init(void) {
  struct consfront_dev *dev = calloc(1, sizeof *dev);
  if (dev == NULL)
    return NULL;
  dev->fd = -1;
  dev->nodename = strdup("device/console");
  init_console();
  return dev;
}

static void nodes_of(const struct consfront_dev *dev, struct minios_front_node nodes[4]) {
  nodes[0] = (struct minios_front_node){"ring-ref", NULL, (unsigned)dev->ring_ref};
  nodes[1] = (struct minios_front_node){"port", NULL, dev->evtchn};
  nodes[2] = (struct minios_front_node){"protocol", MINIOS_PROTOCOL, 0};
  nodes[3] = (struct minios_front_node){NULL, NULL, 0};
}

/* What was taken up, as far as that came. */
static void release(struct consfront_dev *dev) {
  if (dev->evtchn != 0)
    unbind_evtchn(dev->evtchn);
  if (dev->ring != NULL) {
    gnttab_end_access(dev->ring_ref);
    free_page(dev->ring);
  }
  free(dev->backend);
  free(dev->nodename);
  free(dev);
}

static bool connect_console(struct consfront_dev *dev, struct minios_front *front) {
  struct minios_front_node nodes[4];
  if (evtchn_alloc_unbound(dev->dom, handler, dev, &dev->evtchn) != 0)
    return false;
  dev->ring = (struct xencons_interface *)alloc_page();
  BUG_ON(dev->ring == NULL);
  memset(dev->ring, 0, PAGE_SIZE);
  dev->ring_ref = gnttab_grant_access(dev->dom, virt_to_mfn(dev->ring), 0);
  unmask_evtchn(dev->evtchn);
  nodes_of(dev, nodes);
  return minios_front_connect(front, nodes);
}

struct consfront_dev *init_consfront(char *nodename) {
  static int number = FIRST_NUMBER;
  char next[64];
  struct minios_front front;
  struct consfront_dev *dev = calloc(1, sizeof *dev);
  BUG_ON(dev == NULL);
  if (nodename == NULL)
    snprintf(next, sizeof next, "device/console/%d", number++);
  bool is_found = minios_front_find(&front, nodename == NULL ? next : nodename);
  dev->fd = -1;
  dev->dom = front.dom;
  dev->nodename = front.nodename;
  dev->backend = front.backend;
  if (!is_found)
    printk("%s: no such device\n", nodename == NULL ? next : nodename);
  if (is_found && connect_console(dev, &front))
    return dev;
  release(dev);
  return NULL;
}

void free_consfront(struct consfront_dev *dev) {
  struct minios_front front = {.nodename = dev->nodename, .backend = dev->backend, .dom = dev->dom};
  struct minios_front_node nodes[4];
  nodes_of(dev, nodes);
  if (!is_kernels(dev))
    minios_front_disconnect(&front, nodes);
  release(dev);
}

void fini_consfront(struct consfront_dev *dev) {
  if (dev != NULL)
    free_consfront(dev);
}

void fini_console(struct consfront_dev *dev) {
  fini_consfront(dev);
}

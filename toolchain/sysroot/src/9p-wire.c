/* Requests and answers of 9P2000.L on the ring (9p-wire.h; xen/io/9pfs.h, Linux: include/net/9p/9p.h). */
#include "9p-wire.h"

#include "linux-errno.h"

#include <mini-os/events.h>
#include <mini-os/os.h>
#include <string.h>

#define HEADER 7 /* size[4] type[1] tag[2] */
#define MOST_NAMES 16
#define TAG 1
#define NO_TAG 0xffff

/* Between a half of the ring, which may end in the middle, and our bytes. */
static void copy(struct minios_9p *dev, char *half, uint32_t index, void *bytes, size_t count, bool is_out) {
  uint32_t at = index & (dev->size - 1);
  size_t first = count < dev->size - at ? count : dev->size - at;
  char *rest = (char *)bytes + first;
  if (is_out) {
    memcpy(half + at, bytes, first);
    memcpy(half, rest, count - first);
  } else {
    memcpy(bytes, half + at, first);
    memcpy(rest, half, count - first);
  }
}

static char *out_half(struct minios_9p *dev) {
  return dev->ring + dev->size;
}

void minios_9p_begin(struct minios_9p *dev) {
  down(&dev->turn);
  dev->put = dev->intf->out_prod + HEADER;
}

void minios_9p_put(struct minios_9p *dev, const void *bytes, size_t count) {
  copy(dev, out_half(dev), dev->put, (void *)(uintptr_t)bytes, count, true);
  dev->put += (uint32_t)count;
}

void minios_9p_put_number(struct minios_9p *dev, uint64_t number, int bytes) {
  minios_9p_put(dev, &number, (size_t)bytes);
}

void minios_9p_put_text(struct minios_9p *dev, const char *text, size_t length) {
  minios_9p_put_number(dev, length, 2);
  minios_9p_put(dev, text, length);
}

static uint32_t waiting(const struct minios_9p *dev) {
  return *(volatile uint32_t *)&dev->intf->in_prod - dev->got;
}

/* A whole message, of which `end` says the end; false where it cannot be one. */
static bool receive(struct minios_9p *dev) {
  uint32_t size;
  dev->got = dev->intf->in_cons;
  wait_event(dev->queue, waiting(dev) >= HEADER);
  rmb();
  copy(dev, dev->ring, dev->got, &size, sizeof size, false);
  dev->end = dev->got + size;
  if (size < HEADER || size > dev->size)
    return false;
  wait_event(dev->queue, waiting(dev) >= size);
  rmb();
  dev->got += sizeof size;
  return true;
}

int minios_9p_call(struct minios_9p *dev, uint8_t type) {
  uint32_t start = dev->intf->out_prod, size = dev->put - start;
  uint16_t tag = type == P9_TVERSION ? NO_TAG : TAG;
  dev->put = start;
  minios_9p_put_number(dev, size, 4);
  minios_9p_put_number(dev, type, 1);
  minios_9p_put_number(dev, tag, 2);
  wmb();
  *(volatile uint32_t *)&dev->intf->out_prod = start + size;
  mb();
  notify_remote_via_evtchn(dev->evtchn);
  if (!receive(dev))
    return -EIO;
  uint64_t answer = minios_9p_take_number(dev, 1);
  bool is_ours = minios_9p_take_number(dev, 2) == tag;
  if (is_ours && answer == type + 1u)
    return 0;
  int64_t error = answer == P9_RLERROR ? (int64_t)minios_9p_take_number(dev, 4) : 0;
  return is_ours && error > 0 && error < 4096 ? minios_linux_error(-error) : -EIO;
}

bool minios_9p_take(struct minios_9p *dev, void *bytes, size_t count) {
  if (count > dev->end - dev->got) {
    memset(bytes, 0, count);
    return false;
  }
  copy(dev, dev->ring, dev->got, bytes, count, false);
  dev->got += (uint32_t)count;
  return true;
}

uint64_t minios_9p_take_number(struct minios_9p *dev, int bytes) {
  uint64_t number = 0;
  minios_9p_take(dev, &number, (size_t)bytes);
  return number;
}

void minios_9p_end(struct minios_9p *dev) {
  mb();
  *(volatile uint32_t *)&dev->intf->in_cons = dev->end;
  up(&dev->turn);
}

/* At most as many names as one request may have; the rest is `*path`. False where there are none. */
static int put_names(struct minios_9p *dev, const char **path, const char *end) {
  uint32_t count_at = dev->put;
  int count = 0;
  dev->put += 2;
  for (; count < MOST_NAMES; count++) {
    while (*path < end && **path == '/')
      ++*path;
    if (*path == end)
      break;
    const char *name = *path;
    while (*path < end && **path != '/')
      ++*path;
    minios_9p_put_text(dev, name, (size_t)(*path - name));
  }
  uint32_t done = dev->put;
  dev->put = count_at;
  minios_9p_put_number(dev, (uint64_t)count, 2);
  dev->put = done;
  return count;
}

/* One request; the number of its names, or a negative errno. */
static int walk_some(struct minios_9p *dev, uint32_t from, uint32_t to, const char **path, const char *end) {
  minios_9p_begin(dev);
  minios_9p_put_number(dev, from, 4);
  minios_9p_put_number(dev, to, 4);
  int count = put_names(dev, path, end);
  int result = minios_9p_call(dev, P9_TWALK);
  if (result == 0)
    result = minios_9p_take_number(dev, 2) == (uint64_t)count ? count : -ENOENT;
  minios_9p_end(dev);
  return result;
}

int minios_9p_walk(struct minios_9p *dev, const char *path, size_t length, uint32_t *fid) {
  const char *end = path + length;
  uint32_t from = 0, to = ++dev->last_fid;
  for (;;) {
    int count = walk_some(dev, from, to, &path, end);
    if (count < 0 && from == to)
      minios_9p_clunk(dev, to);
    if (count < 0)
      return count;
    *fid = from = to;
    if (count < MOST_NAMES)
      return 0;
  }
}

void minios_9p_clunk(struct minios_9p *dev, uint32_t fid) {
  minios_9p_begin(dev);
  minios_9p_put_number(dev, fid, 4);
  minios_9p_call(dev, P9_TCLUNK);
  minios_9p_end(dev);
}

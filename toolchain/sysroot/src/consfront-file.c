/* Descriptors of consoles beside the first (mini-os/console.h). */
#include "consfront.h"
#include "result.h"

#include <fcntl.h>
#include <mini-os/wait.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

enum { SAVE_CONSOLE = 1, RESTORE_CONSOLE = 2 };

static struct consfront_dev *dev_of(struct minios_object *object) {
  return ((struct minios_console_file *)object)->dev;
}

static ssize_t read_console(struct minios_object *object, void *buffer, size_t count) {
  struct consfront_dev *dev = dev_of(object);
  if (count == 0)
    return 0;
  if (!(object->flags & O_NONBLOCK))
    wait_event(console_queue, xencons_ring_avail(dev) > 0);
  int got = xencons_ring_recv(dev, buffer, count > sizeof dev->ring->in ? sizeof dev->ring->in : (unsigned)count);
  return got == 0 ? -EAGAIN : got;
}

static ssize_t write_console(struct minios_object *object, const void *buffer, size_t count) {
  struct minios_console_file *file = (struct minios_console_file *)object;
  /* A line's end may become two bytes. */
  size_t room = (size_t)minios_console_room(file->dev) / (file->is_savefile ? 1 : 2);
  if (object->flags & O_NONBLOCK) {
    if (count > 0 && room == 0)
      return -EAGAIN;
    count = count < room ? count : room;
  }
  if (file->is_savefile)
    minios_console_send_all(file->dev, buffer, count);
  else
    console_print(file->dev, buffer, (int)count);
  return (ssize_t)count;
}

static int control(struct minios_object *object, unsigned long request, void *argument) {
  if (request != FIONREAD)
    return -ENOTTY;
  *(int *)argument = xencons_ring_avail(dev_of(object));
  return 0;
}

static void close_console(struct minios_object *object) {
  fini_consfront(dev_of(object));
  free(object);
}

static const struct minios_object_calls calls = {
    .read = read_console, .write = write_console, .control = control, .close = close_console};

int open_consfront(char *nodename) {
  struct consfront_dev *dev = init_consfront(nodename);
  if (dev == NULL)
    return minios_failed(_REENT, ENODEV);
  struct minios_console_file *file = calloc(1, sizeof *file);
  if (file == NULL) {
    fini_consfront(dev);
    return minios_failed(_REENT, ENOMEM);
  }
  *file = (struct minios_console_file){{POLLOUT, O_RDWR, &calls}, dev, nodename != NULL};
  dev->file = file;
  minios_console_changed(dev);
  dev->fd = minios_open_object(nodename != NULL ? MINIOS_FD_SAVEFILE : MINIOS_FD_RING, file, 0);
  if (dev->fd >= 0)
    return dev->fd;
  int error = -dev->fd;
  close_console(&file->object);
  return minios_failed(_REENT, error);
}

int posix_openpt(int flags) {
  (void)flags;
  return open_consfront(NULL);
}

int open_savefile(const char *path, int save) {
  char nodename[64];
  (void)path;
  snprintf(nodename, sizeof nodename, "device/console/%d", save ? SAVE_CONSOLE : RESTORE_CONSOLE);
  return open_consfront(nodename);
}

/* What consoles with rings and their descriptors have in common. */
#ifndef MINIOS_CONSFRONT_H
#define MINIOS_CONSFRONT_H

#include <mini-os/console.h>
#include <mini-os/posix.h>

struct minios_console_file {
  struct minios_object object;
  struct consfront_dev *dev;
  bool is_savefile; /* bytes as they are */
};

/* Bytes that can be sent now. */
int minios_console_room(struct consfront_dev *dev);
/* What poll finds may be another, and whoever waits is to look again. */
void minios_console_changed(struct consfront_dev *dev);
/* Waits for room. */
void minios_console_send_all(struct consfront_dev *dev, const char *data, size_t length);

#endif

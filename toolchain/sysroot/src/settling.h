/* What files that are mapped shared ask of those who read, write or flush them by descriptor. */
#ifndef MINIOS_SETTLING_H
#define MINIOS_SETTLING_H

#include <stddef.h>

struct minios_settling {
  /* What was written to memory goes into the file, of every file where fd is -1. */
  void (*settle)(int fd);
  /* What was written to the file comes into memory. */
  void (*refresh)(int fd);
};

/* NULL while nothing is mapped so. */
extern const struct minios_settling *minios_settling;

static inline void minios_settle(int fd) {
  if (minios_settling != NULL)
    minios_settling->settle(fd);
}

static inline void minios_refresh(int fd) {
  if (minios_settling != NULL)
    minios_settling->refresh(fd);
}

#endif

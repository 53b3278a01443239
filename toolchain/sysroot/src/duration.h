/* Between struct timespec and the kernel's nanoseconds, of which a sum of two still fits. */
#ifndef MINIOS_DURATION_H
#define MINIOS_DURATION_H

#include <stdint.h>
#include <time.h>

#define MINIOS_LONGEST (INT64_MAX / 4)

static inline int64_t minios_duration(const struct timespec *time) {
  const int64_t second = 1000000000;
  if (time->tv_sec >= MINIOS_LONGEST / second)
    return MINIOS_LONGEST;
  return time->tv_sec < 0 ? 0 : (int64_t)time->tv_sec * second + time->tv_nsec;
}

static inline struct timespec minios_timespec(int64_t nanoseconds) {
  const int64_t second = 1000000000;
  return (struct timespec){.tv_sec = (time_t)(nanoseconds / second), .tv_nsec = (long)(nanoseconds % second)};
}

static inline int minios_is_duration(const struct timespec *time) {
  return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < 1000000000;
}

#endif

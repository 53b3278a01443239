/* Clocks and sleeping, over the kernel's three clocks and its msleep. */
#include "result.h"

#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

#define NANOSECONDS 1000000000
#define LONGEST_SLEEP_MS 0x7fffffff

int clock_gettime(clockid_t clock, struct timespec *result) {
  int which;
  switch (clock) {
    case CLOCK_REALTIME:
      which = MINIOS_CLOCK_REALTIME;
      break;
    case CLOCK_MONOTONIC:
      which = MINIOS_CLOCK_MONOTONIC;
      break;
    case CLOCK_PROCESS_CPUTIME_ID:
      which = MINIOS_CLOCK_RUNNING;
      break;
    default:
      return minios_failed(_REENT, EINVAL);
  }
  int64_t nanoseconds;
  if (minios_result(_REENT, minios_clock_ns(which, &nanoseconds)) < 0)
    return -1;
  result->tv_sec = (time_t)(nanoseconds / NANOSECONDS);
  result->tv_nsec = (long)(nanoseconds % NANOSECONDS);
  return 0;
}

int clock_getres(clockid_t clock, struct timespec *result) {
  struct timespec now;
  if (clock_gettime(clock, &now) < 0)
    return -1;
  if (result != NULL)
    *result = (struct timespec){.tv_nsec = 1};
  return 0;
}

int clock_settime(clockid_t clock, const struct timespec *time) {
  (void)clock;
  (void)time;
  return minios_failed(_REENT, EPERM);
}

int _gettimeofday_r(struct _reent *reent, struct timeval *result, void *zone) {
  int64_t nanoseconds;
  (void)zone;
  if (minios_result(reent, minios_clock_ns(MINIOS_CLOCK_REALTIME, &nanoseconds)) < 0)
    return -1;
  result->tv_sec = (time_t)(nanoseconds / NANOSECONDS);
  result->tv_usec = (suseconds_t)(nanoseconds % NANOSECONDS / 1000);
  return 0;
}

clock_t _times_r(struct _reent *reent, struct tms *result) {
  int64_t running, monotonic;
  if (minios_result(reent, minios_clock_ns(MINIOS_CLOCK_RUNNING, &running)) < 0 ||
      minios_result(reent, minios_clock_ns(MINIOS_CLOCK_MONOTONIC, &monotonic)) < 0)
    return (clock_t)-1;
  *result = (struct tms){.tms_utime = (clock_t)(running / (NANOSECONDS / CLOCKS_PER_SEC))};
  return (clock_t)(monotonic / (NANOSECONDS / CLOCKS_PER_SEC));
}

int nanosleep(const struct timespec *wanted, struct timespec *left) {
  if (wanted->tv_sec < 0 || wanted->tv_nsec < 0 || wanted->tv_nsec >= NANOSECONDS)
    return minios_failed(_REENT, EINVAL);
  int64_t rest = wanted->tv_sec * 1000 + (wanted->tv_nsec + 999999) / 1000000;
  while (rest > 0) {
    uint32_t part = rest > LONGEST_SLEEP_MS ? LONGEST_SLEEP_MS : (uint32_t)rest;
    msleep(part);
    rest -= part;
  }
  if (left != NULL)
    *left = (struct timespec){0};
  return 0;
}

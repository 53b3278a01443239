/* The three interval timers, and alarm (POSIX XSH setitimer, alarm, ualarm). */
#include "result.h"

#include <mini-os/api.h>
#include <sys/time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define LONGEST (INT64_MAX / 4)

/* -1 where it is none. */
static int64_t duration(const struct timeval *time) {
  if (time->tv_sec < 0 || time->tv_usec < 0 || time->tv_usec >= 1000000)
    return -1;
  return time->tv_sec >= LONGEST / SECOND ? LONGEST : time->tv_sec * SECOND + time->tv_usec * 1000LL;
}

/* What is left is never 0. */
static struct timeval rest(int64_t nanoseconds) {
  int64_t microseconds = (nanoseconds + 999) / 1000;
  return (struct timeval){
      .tv_sec = (time_t)(microseconds / 1000000),
      .tv_usec = (suseconds_t)(microseconds % 1000000),
  };
}

int setitimer(int which, const struct itimerval *restrict value, struct itimerval *restrict old) {
  int64_t before[2], first = 0, interval = 0;
  if (value != NULL) {
    first = duration(&value->it_value);
    interval = duration(&value->it_interval);
  }
  if (first < 0 || interval < 0)
    return minios_failed(_REENT, EINVAL);
  if (MINIOS_INT(minios_setitimer(which, first, interval, before)) < 0)
    return -1;
  if (old != NULL)
    *old = (struct itimerval){.it_value = rest(before[0]), .it_interval = rest(before[1])};
  return 0;
}

int getitimer(int which, struct itimerval *value) {
  int64_t now[2];
  if (MINIOS_INT(minios_setitimer(which, -1, 0, now)) < 0)
    return -1;
  *value = (struct itimerval){.it_value = rest(now[0]), .it_interval = rest(now[1])};
  return 0;
}

/* Seconds that were left, to the nearest, but 0 where there was none. */
unsigned alarm(unsigned seconds) {
  int64_t before[2];
  minios_setitimer(ITIMER_REAL, seconds * SECOND, 0, before);
  if (before[0] > 0 && before[0] < SECOND)
    return 1;
  return (unsigned)((before[0] + SECOND / 2) / SECOND);
}

useconds_t ualarm(useconds_t first, useconds_t interval) {
  int64_t before[2];
  minios_setitimer(ITIMER_REAL, first * 1000LL, interval * 1000LL, before);
  return (useconds_t)((before[0] + 999) / 1000);
}

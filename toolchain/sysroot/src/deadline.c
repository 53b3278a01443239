/* Times of POSIX clocks as the kernel's deadlines. */
#include "deadline.h"

#include <errno.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>

#define NANOSECONDS 1000000000
#define FARTHEST_SECOND 4000000000 /* no machine runs beyond it, and its nanoseconds fit 63 bits */

int minios_deadline(clockid_t clock, const struct timespec *time, s_time_t *deadline) {
  if (time->tv_nsec < 0 || time->tv_nsec >= NANOSECONDS || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC))
    return EINVAL;
  if (time->tv_sec >= FARTHEST_SECOND) {
    *deadline = STIME_MAX;
    return 0;
  }
  int64_t at = time->tv_sec < 0 ? 0 : (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec;
  if (clock == CLOCK_REALTIME) {
    int64_t now;
    minios_clock_ns(MINIOS_CLOCK_REALTIME, &now);
    at = NOW() + (at - now);
  }
  *deadline = at > 0 ? at : 1;
  return 0;
}

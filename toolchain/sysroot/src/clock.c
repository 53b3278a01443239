/* Clocks and sleeping, over the kernel's clocks and its threads' wakeup_time. */
#define _GNU_SOURCE
#include "cancel-point.h"
#include "deadline.h"
#include "result.h"

#include <mini-os/api.h>
#include <mini-os/os.h>
#include <mini-os/posix.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

#define NANOSECONDS 1000000000
#define FARTHEST_SECOND 4000000000 /* nobody sleeps longer, and its nanoseconds fit 63 bits */

/* Which of the kernel's clocks it is; -1 for that of a thread, whose address the clock is then. */
static int kernel_clock(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
      return MINIOS_CLOCK_REALTIME;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
      return MINIOS_CLOCK_MONOTONIC;
    case CLOCK_PROCESS_CPUTIME_ID:
      return MINIOS_CLOCK_RUNNING;
    default:
      return -1;
  }
}

static int read_clock(clockid_t clock, int64_t *nanoseconds) {
  int which = kernel_clock(clock);
  if (which >= 0)
    return minios_clock_ns(which, nanoseconds);
  struct thread *thread = clock == CLOCK_THREAD_CPUTIME_ID ? get_current() : (struct thread *)(size_t)clock;
  return minios_thread_clock_ns(thread, nanoseconds) < 0 ? -EINVAL : 0;
}

int clock_gettime(clockid_t clock, struct timespec *result) {
  int64_t nanoseconds;
  if (minios_result(_REENT, read_clock(clock, &nanoseconds)) < 0)
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

/* The domain's own time, not the host's. */
int clock_settime(clockid_t clock, const struct timespec *time) {
  if (clock != CLOCK_REALTIME || time->tv_nsec < 0 || time->tv_nsec >= NANOSECONDS || time->tv_sec < 0 ||
      time->tv_sec > FARTHEST_SECOND)
    return minios_failed(_REENT, EINVAL);
  return MINIOS_INT(minios_set_realtime((int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec));
}

int settimeofday(const struct timeval *time, const struct timezone *zone) {
  (void)zone;
  if (time == NULL)
    return 0;
  if (time->tv_usec < 0 || time->tv_usec >= 1000000)
    return minios_failed(_REENT, EINVAL);
  struct timespec fine = {.tv_sec = time->tv_sec, .tv_nsec = (long)time->tv_usec * 1000};
  return clock_settime(CLOCK_REALTIME, &fine);
}

int clock_getcpuclockid(pid_t pid, clockid_t *clock) {
  if (pid != 0 && pid != getpid())
    return ESRCH;
  *clock = CLOCK_PROCESS_CPUTIME_ID;
  return 0;
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

clock_t clock(void) {
  int64_t running;
  if (minios_result(_REENT, minios_clock_ns(MINIOS_CLOCK_RUNNING, &running)) < 0)
    return (clock_t)-1;
  return (clock_t)(running / (NANOSECONDS / CLOCKS_PER_SEC));
}

clock_t _times_r(struct _reent *reent, struct tms *result) {
  int64_t running, monotonic;
  if (minios_result(reent, minios_clock_ns(MINIOS_CLOCK_RUNNING, &running)) < 0 ||
      minios_result(reent, minios_clock_ns(MINIOS_CLOCK_MONOTONIC, &monotonic)) < 0)
    return (clock_t)-1;
  *result = (struct tms){.tms_utime = (clock_t)(running / (NANOSECONDS / CLOCKS_PER_SEC))};
  return (clock_t)(monotonic / (NANOSECONDS / CLOCKS_PER_SEC));
}

/* 0, or EINTR where a handler of a signal came before. */
static int sleep_until(s_time_t deadline) {
  struct thread *thread = get_current();
  unsigned interruptions = thread->interruptions;
  struct minios_cancel_point *point = minios_cancel_begin();
  int result = 0;
  while (result == 0 && NOW() < deadline) {
    clear_runnable(thread);
    thread->wakeup_time = deadline;
    barrier();
    if (thread->interruptions == interruptions)
      schedule();
    wake(thread);
    if (point != NULL)
      point->test();
    if (thread->interruptions != interruptions)
      result = EINTR;
  }
  minios_cancel_end(point, 0);
  return result;
}

static bool is_time(const struct timespec *time) {
  return time->tv_nsec >= 0 && time->tv_nsec < NANOSECONDS;
}

/* Error numbers are its result. CPU clocks pass only while somebody runs, so nobody can sleep by one. */
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left) {
  s_time_t deadline;
  int64_t now_there;
  if (clock == CLOCK_THREAD_CPUTIME_ID || !is_time(wanted) || read_clock(clock, &now_there) < 0)
    return EINVAL;
  int which = kernel_clock(clock);
  if (which != MINIOS_CLOCK_REALTIME && which != MINIOS_CLOCK_MONOTONIC)
    return ENOTSUP;
  if (flags & TIMER_ABSTIME) {
    minios_deadline(which == MINIOS_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, wanted, &deadline);
    return sleep_until(deadline);
  }
  if (wanted->tv_sec < 0)
    return EINVAL;
  s_time_t now = NOW();
  deadline = wanted->tv_sec > FARTHEST_SECOND ? STIME_MAX : now + wanted->tv_sec * NANOSECONDS + wanted->tv_nsec;
  int result = sleep_until(deadline);
  if (result == EINTR && left != NULL) {
    s_time_t rest = deadline - NOW();
    rest = rest > 0 ? rest : 0;
    *left = (struct timespec){.tv_sec = (time_t)(rest / NANOSECONDS), .tv_nsec = (long)(rest % NANOSECONDS)};
  }
  return result;
}

int nanosleep(const struct timespec *wanted, struct timespec *left) {
  int error = clock_nanosleep(CLOCK_MONOTONIC, 0, wanted, left);
  return error == 0 ? 0 : minios_failed(_REENT, error);
}

/* Timers of a process (POSIX XSH timer_create); the kernel has them. */
#include "duration.h"
#include "result.h"
#include "timer-threads.h"

#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <signal.h>
#include <time.h>

static int kernel_clock(clockid_t clock) {
  switch (clock) {
    case CLOCK_REALTIME:
      return MINIOS_CLOCK_REALTIME;
    case CLOCK_MONOTONIC:
      return MINIOS_CLOCK_MONOTONIC;
    case CLOCK_PROCESS_CPUTIME_ID:
      return MINIOS_CLOCK_RUNNING;
    default:
      return -1;
  }
}

int timer_create(clockid_t clock, struct sigevent *restrict event, timer_t *restrict timer) {
  struct sigevent otherwise = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
  const struct sigevent *chosen = event == NULL ? &otherwise : event;
  int which = kernel_clock(clock);
  if (which < 0)
    return minios_failed(_REENT, EINVAL);
  int made = MINIOS_INT(chosen->sigev_notify == SIGEV_THREAD
                            ? minios_timer_thread(which, chosen)
                            : minios_timer_create(which, chosen->sigev_notify, chosen->sigev_signo,
                                                  chosen->sigev_value.sival_ptr, event == NULL));
  if (made < 0)
    return -1;
  *timer = (timer_t)made;
  return 0;
}

static struct itimerspec shown(const int64_t *times) {
  return (struct itimerspec){.it_value = minios_timespec(times[0]), .it_interval = minios_timespec(times[1])};
}

int timer_settime(timer_t timer, int flags, const struct itimerspec *restrict value, struct itimerspec *restrict old) {
  int64_t before[2];
  if (!minios_is_duration(&value->it_value) || !minios_is_duration(&value->it_interval))
    return minios_failed(_REENT, EINVAL);
  int64_t first = minios_duration(&value->it_value), interval = minios_duration(&value->it_interval);
  if (MINIOS_INT(minios_timer_settime((int)timer, flags, first, interval, before)) < 0)
    return -1;
  minios_timer_changed((int)timer, first == 0 ? MINIOS_TIMER_STOPPED : MINIOS_TIMER_SET);
  if (old != NULL)
    *old = shown(before);
  return 0;
}

int timer_gettime(timer_t timer, struct itimerspec *value) {
  int64_t now[2];
  if (MINIOS_INT(minios_timer_gettime((int)timer, now)) < 0)
    return -1;
  *value = shown(now);
  return 0;
}

int timer_getoverrun(timer_t timer) {
  return MINIOS_INT(minios_timer_getoverrun((int)timer));
}

int timer_delete(timer_t timer) {
  if (MINIOS_INT(minios_timer_delete((int)timer)) < 0)
    return -1;
  minios_timer_changed((int)timer, MINIOS_TIMER_DELETED);
  return 0;
}

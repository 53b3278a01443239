/* What a process uses and may use. Limits are kept and told; memory and descriptors are the kernel's to refuse. */
#include "result.h"

#include <limits.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <mini-os/sched.h>
#include <sys/resource.h>
#include <unistd.h>

#define NANOSECONDS 1000000000

extern struct thread *minios_main_thread;

int getrusage(int who, struct rusage *result) {
  int64_t nanoseconds = 0;
  *result = (struct rusage){0};
  if (who == RUSAGE_SELF)
    minios_clock_ns(MINIOS_CLOCK_RUNNING, &nanoseconds);
  else if (who == RUSAGE_THREAD)
    minios_thread_clock_ns(get_current(), &nanoseconds);
  else if (who != RUSAGE_CHILDREN)
    return minios_failed(_REENT, EINVAL);
  result->ru_utime.tv_sec = (time_t)(nanoseconds / NANOSECONDS);
  result->ru_utime.tv_usec = (suseconds_t)(nanoseconds % NANOSECONDS / 1000);
  return 0;
}

static struct rlimit limits[RLIM_NLIMITS];
static unsigned changed;

static struct rlimit limit_of(int resource) {
  if (changed & (1u << resource))
    return limits[resource];
  if (resource == RLIMIT_NOFILE)
    return (struct rlimit){OPEN_MAX, OPEN_MAX};
  if (resource == RLIMIT_STACK)
    return (struct rlimit){(rlim_t)minios_stack_size(minios_main_thread), RLIM_INFINITY};
  if (resource == RLIMIT_CORE)
    return (struct rlimit){0, RLIM_INFINITY};
  return (struct rlimit){RLIM_INFINITY, RLIM_INFINITY};
}

int getrlimit(int resource, struct rlimit *result) {
  if (resource < 0 || resource >= RLIM_NLIMITS)
    return minios_failed(_REENT, EINVAL);
  *result = limit_of(resource);
  return 0;
}

int setrlimit(int resource, const struct rlimit *wanted) {
  if (resource < 0 || resource >= RLIM_NLIMITS || wanted->rlim_cur > wanted->rlim_max)
    return minios_failed(_REENT, EINVAL);
  if (resource == RLIMIT_NOFILE && wanted->rlim_max > OPEN_MAX)
    return minios_failed(_REENT, EPERM);
  limits[resource] = *wanted;
  changed |= 1u << resource;
  return 0;
}

static int niceness;

static int check(int which, id_t who) {
  if (which < PRIO_PROCESS || which > PRIO_USER)
    return minios_failed(_REENT, EINVAL);
  if (who != 0 && (which == PRIO_USER || who != (id_t)getpid()))
    return minios_failed(_REENT, ESRCH);
  return 0;
}

int getpriority(int which, id_t who) {
  return check(which, who) < 0 ? -1 : niceness;
}

int setpriority(int which, id_t who, int priority) {
  if (check(which, who) < 0)
    return -1;
  niceness = priority < -20 ? -20 : priority > 19 ? 19 : priority;
  return 0;
}

int nice(int increment) {
  setpriority(PRIO_PROCESS, 0, niceness + increment);
  return niceness;
}

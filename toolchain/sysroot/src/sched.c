/* sched.h. There is one process, whose policy is kept and told; its threads take turns as Mini-OS has it. */
#include "result.h"

#include <mini-os/sched.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

static int policy = SCHED_OTHER;
static struct sched_param parameters;

int sched_get_priority_min(int asked) {
  if (asked == SCHED_FIFO || asked == SCHED_RR)
    return 1;
  return asked == SCHED_OTHER ? 0 : minios_failed(_REENT, EINVAL);
}

int sched_get_priority_max(int asked) {
  if (asked == SCHED_FIFO || asked == SCHED_RR)
    return 99;
  return asked == SCHED_OTHER ? 0 : minios_failed(_REENT, EINVAL);
}

static int check_process(pid_t pid) {
  if (pid < 0)
    return minios_failed(_REENT, EINVAL);
  return pid == 0 || pid == getpid() ? 0 : minios_failed(_REENT, ESRCH);
}

int sched_getscheduler(pid_t pid) {
  return check_process(pid) < 0 ? -1 : policy;
}

int sched_getparam(pid_t pid, struct sched_param *result) {
  if (check_process(pid) < 0)
    return -1;
  *result = parameters;
  return 0;
}

int sched_setscheduler(pid_t pid, int wanted, const struct sched_param *given) {
  if (check_process(pid) < 0)
    return -1;
  int lowest = sched_get_priority_min(wanted);
  if (lowest < 0)
    return -1;
  if (given->sched_priority < lowest || given->sched_priority > sched_get_priority_max(wanted))
    return minios_failed(_REENT, EINVAL);
  int old = policy;
  policy = wanted;
  parameters = *given;
  return old;
}

int sched_setparam(pid_t pid, const struct sched_param *given) {
  return sched_setscheduler(pid, policy, given) < 0 ? -1 : 0;
}

/* A turn lasts until its thread gives way. */
int sched_rr_get_interval(pid_t pid, struct timespec *result) {
  if (check_process(pid) < 0)
    return -1;
  *result = (struct timespec){0};
  return 0;
}

int sched_yield(void) {
  schedule();
  return 0;
}

int sched_getcpu(void) {
  return 0;
}

/* Policies and priorities: kept, told, and without effect on whose turn it is. Names. Processor time. */
#define _GNU_SOURCE
#include "pthread-internal.h"

#include <string.h>

bool minios_valid_scheduling(int policy, const struct sched_param *scheduling) {
  int lowest = sched_get_priority_min(policy);
  return lowest >= 0 && scheduling->sched_priority >= lowest &&
         scheduling->sched_priority <= sched_get_priority_max(policy);
}

int pthread_getschedparam(pthread_t thread, int *policy, struct sched_param *scheduling) {
  minios_take_turns();
  if (!minios_pthread_known(thread) || thread->ended)
    return ESRCH;
  *policy = thread->policy;
  *scheduling = thread->scheduling;
  return 0;
}

int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *scheduling) {
  minios_take_turns();
  if (!minios_pthread_known(thread) || thread->ended)
    return ESRCH;
  if (!minios_valid_scheduling(policy, scheduling))
    return EINVAL;
  thread->policy = policy;
  thread->scheduling = *scheduling;
  return 0;
}

int pthread_setschedprio(pthread_t thread, int priority) {
  struct sched_param scheduling = {.sched_priority = priority};
  if (!minios_pthread_known(thread) || thread->ended)
    return ESRCH;
  return pthread_setschedparam(thread, thread->policy, &scheduling);
}

static int concurrency;

int pthread_getconcurrency(void) {
  return concurrency;
}

int pthread_setconcurrency(int level) {
  if (level < 0)
    return EINVAL;
  concurrency = level;
  return 0;
}

void pthread_yield(void) {
  sched_yield();
}

int pthread_getname_np(pthread_t thread, char *name, size_t size) {
  if (!minios_pthread_known(thread) || thread->ended)
    return ESRCH;
  if (strlen(thread->name) >= size)
    return ERANGE;
  strcpy(name, thread->name);
  return 0;
}

int pthread_setname_np(pthread_t thread, const char *name) {
  if (!minios_pthread_known(thread) || thread->ended)
    return ESRCH;
  if (strlen(name) >= NAME_SIZE)
    return ERANGE;
  strcpy(thread->name, name);
  thread->thread->name = thread->name;
  return 0;
}

/* clock_gettime takes the address of a thread for a clock. */
int pthread_getcpuclockid(pthread_t thread, clockid_t *clock) {
  if (!minios_pthread_known(thread) || thread->ended)
    return ESRCH;
  *clock = (clockid_t)(size_t)thread->thread;
  return 0;
}

/* There is no fork, so nothing ever runs. */
int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
  (void)prepare;
  (void)parent;
  (void)child;
  minios_take_turns();
  return 0;
}

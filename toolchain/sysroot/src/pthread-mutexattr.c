/* Attributes of mutexes. */
#include "pthread-internal.h"

/* Of SCHED_FIFO, as sched_get_priority_min and _max say. */
#define LOWEST_PRIORITY 1
#define HIGHEST_PRIORITY 99

int pthread_mutexattr_init(pthread_mutexattr_t *attr) {
  *attr = (pthread_mutexattr_t){.type = PTHREAD_MUTEX_DEFAULT, .prioceiling = LOWEST_PRIORITY};
  return 0;
}

int pthread_mutexattr_destroy(pthread_mutexattr_t *attr) {
  if (attr == NULL)
    return EINVAL;
  attr->type = -1;
  return 0;
}

int pthread_mutexattr_gettype(const pthread_mutexattr_t *attr, int *type) {
  *type = attr->type;
  return 0;
}

int pthread_mutexattr_settype(pthread_mutexattr_t *attr, int type) {
  if (type < PTHREAD_MUTEX_NORMAL || type > PTHREAD_MUTEX_ERRORCHECK)
    return EINVAL;
  attr->type = type;
  return 0;
}

int pthread_mutexattr_getpshared(const pthread_mutexattr_t *attr, int *shared) {
  *shared = attr->pshared;
  return 0;
}

int pthread_mutexattr_setpshared(pthread_mutexattr_t *attr, int shared) {
  if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
    return EINVAL;
  attr->pshared = shared;
  return 0;
}

int pthread_mutexattr_getrobust(const pthread_mutexattr_t *attr, int *robust) {
  *robust = attr->robust;
  return 0;
}

int pthread_mutexattr_setrobust(pthread_mutexattr_t *attr, int robust) {
  if (robust != PTHREAD_MUTEX_STALLED && robust != PTHREAD_MUTEX_ROBUST)
    return EINVAL;
  attr->robust = robust;
  return 0;
}

int pthread_mutexattr_getprotocol(const pthread_mutexattr_t *attr, int *protocol) {
  *protocol = attr->protocol;
  return 0;
}

int pthread_mutexattr_setprotocol(pthread_mutexattr_t *attr, int protocol) {
  if (protocol < PTHREAD_PRIO_NONE || protocol > PTHREAD_PRIO_PROTECT)
    return EINVAL;
  attr->protocol = protocol;
  return 0;
}

int pthread_mutexattr_getprioceiling(const pthread_mutexattr_t *attr, int *ceiling) {
  *ceiling = attr->prioceiling;
  return 0;
}

int pthread_mutexattr_setprioceiling(pthread_mutexattr_t *attr, int ceiling) {
  if (ceiling < LOWEST_PRIORITY || ceiling > HIGHEST_PRIORITY)
    return EINVAL;
  attr->prioceiling = ceiling;
  return 0;
}

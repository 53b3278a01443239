/* Condition variables. Who waits is in the queue before the mutex is free, so no signal is lost. */
#include "pthread-internal.h"

int pthread_condattr_init(pthread_condattr_t *attr) {
  *attr = (pthread_condattr_t){.clock = CLOCK_REALTIME};
  return 0;
}

int pthread_condattr_destroy(pthread_condattr_t *attr) {
  (void)attr;
  return 0;
}

int pthread_condattr_getclock(const pthread_condattr_t *attr, clockid_t *clock) {
  *clock = attr->clock;
  return 0;
}

int pthread_condattr_setclock(pthread_condattr_t *attr, clockid_t clock) {
  if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC)
    return EINVAL;
  attr->clock = clock;
  return 0;
}

int pthread_condattr_getpshared(const pthread_condattr_t *attr, int *shared) {
  *shared = attr->pshared;
  return 0;
}

int pthread_condattr_setpshared(pthread_condattr_t *attr, int shared) {
  if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
    return EINVAL;
  attr->pshared = shared;
  return 0;
}

int pthread_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr) {
  *cond = (pthread_cond_t){.clock = attr == NULL ? CLOCK_REALTIME : attr->clock};
  return 0;
}

int pthread_cond_destroy(pthread_cond_t *cond) {
  if (cond->destroyed)
    return EINVAL;
  if (cond->waiters.first != NULL)
    return EBUSY;
  cond->destroyed = 1;
  return 0;
}

int pthread_cond_signal(pthread_cond_t *cond) {
  minios_take_turns();
  if (cond->destroyed)
    return EINVAL;
  minios_wake_first(&cond->waiters);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t *cond) {
  minios_take_turns();
  if (cond->destroyed)
    return EINVAL;
  minios_wake_all(&cond->waiters);
  return 0;
}

/* An unlock in the middle of a wait, after which the mutex is as deeply locked as before. */
static int wait_until(pthread_cond_t *cond, pthread_mutex_t *mutex, s_time_t deadline) {
  struct minios_waiter waiter;
  if (cond->destroyed)
    return EINVAL;
  if (mutex->owner != get_current())
    return EPERM;
  pthread_testcancel();
  unsigned depth = minios_mutex_leave(mutex);
  int result = minios_wait_in(&cond->waiters, &waiter, deadline, WAIT_CANCELLABLE);
  int locked = minios_mutex_lock_until(mutex, 0);
  mutex->depth = depth;
  if (result == ECANCELED)
    pthread_exit(PTHREAD_CANCELED);
  return locked != 0 ? locked : result;
}

int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex) {
  return wait_until(cond, mutex, 0);
}

int pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock, const struct timespec *time) {
  s_time_t deadline;
  int error = minios_deadline(clock, time, &deadline);
  return error != 0 ? error : wait_until(cond, mutex, deadline);
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *time) {
  return pthread_cond_clockwait(cond, mutex, cond->clock == 0 ? CLOCK_REALTIME : cond->clock, time);
}

/*
 * Locks of readers and writers. A reader waits for a writer that has the lock and never for one that waits, so that a thread may lock for
 * reading again; an unlock gives the lock to those that have waited longest.
 */
#include "pthread-internal.h"

int pthread_rwlockattr_init(pthread_rwlockattr_t *attr) {
  *attr = (pthread_rwlockattr_t){0};
  return 0;
}

int pthread_rwlockattr_destroy(pthread_rwlockattr_t *attr) {
  (void)attr;
  return 0;
}

int pthread_rwlockattr_getpshared(const pthread_rwlockattr_t *attr, int *shared) {
  *shared = attr->pshared;
  return 0;
}

int pthread_rwlockattr_setpshared(pthread_rwlockattr_t *attr, int shared) {
  if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
    return EINVAL;
  attr->pshared = shared;
  return 0;
}

int pthread_rwlock_init(pthread_rwlock_t *lock, const pthread_rwlockattr_t *attr) {
  (void)attr;
  *lock = (pthread_rwlock_t){0};
  return 0;
}

int pthread_rwlock_destroy(pthread_rwlock_t *lock) {
  if (lock->destroyed)
    return EINVAL;
  if (lock->waiters.first != NULL)
    return EBUSY; /* who has locked it may be gone */
  lock->destroyed = 1;
  return 0;
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock) {
  minios_take_turns();
  if (lock->destroyed)
    return EINVAL;
  if (lock->writer != NULL)
    return EBUSY;
  if (lock->readers == (unsigned)-1)
    return EAGAIN;
  lock->readers++;
  return 0;
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock) {
  minios_take_turns();
  if (lock->destroyed)
    return EINVAL;
  if (lock->writer != NULL || lock->readers > 0)
    return EBUSY;
  lock->writer = get_current();
  return 0;
}

static int attempt(pthread_rwlock_t *lock, bool writes) {
  return writes ? pthread_rwlock_trywrlock(lock) : pthread_rwlock_tryrdlock(lock);
}

/* Whoever unlocks has given it the lock. */
static int wait_for(pthread_rwlock_t *lock, bool writes, s_time_t deadline) {
  struct minios_waiter waiter = {.writes = writes};
  if (lock->writer == get_current())
    return EDEADLK;
  int error = minios_wait_in(&lock->waiters, &waiter, deadline, WAIT_FIRMLY);
  if (error == ECANCELED)
    pthread_exit(PTHREAD_CANCELED);
  return error;
}

static int lock_until(pthread_rwlock_t *lock, bool writes, clockid_t clock, const struct timespec *time) {
  s_time_t deadline;
  int error = attempt(lock, writes);
  if (error != EBUSY)
    return error;
  error = minios_deadline(clock, time, &deadline);
  return error != 0 ? error : wait_for(lock, writes, deadline);
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock) {
  int error = attempt(lock, false);
  return error == EBUSY ? wait_for(lock, false, 0) : error;
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock) {
  int error = attempt(lock, true);
  return error == EBUSY ? wait_for(lock, true, 0) : error;
}

int pthread_rwlock_clockrdlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *time) {
  return lock_until(lock, false, clock, time);
}

int pthread_rwlock_clockwrlock(pthread_rwlock_t *lock, clockid_t clock, const struct timespec *time) {
  return lock_until(lock, true, clock, time);
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *lock, const struct timespec *time) {
  return lock_until(lock, false, CLOCK_REALTIME, time);
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *lock, const struct timespec *time) {
  return lock_until(lock, true, CLOCK_REALTIME, time);
}

/* To the writer that is first, or to all readers in front of the next writer. */
static void give(pthread_rwlock_t *lock) {
  while (lock->waiters.first != NULL) {
    if (lock->waiters.first->writes) {
      if (lock->readers == 0)
        lock->writer = minios_wake_first(&lock->waiters);
      return;
    }
    lock->readers++;
    minios_wake_first(&lock->waiters);
  }
}

int pthread_rwlock_unlock(pthread_rwlock_t *lock) {
  if (lock->destroyed)
    return EINVAL;
  if (lock->writer != NULL) {
    if (lock->writer != get_current())
      return EPERM;
    lock->writer = NULL;
  } else if (lock->readers > 0)
    lock->readers--;
  else
    return EINVAL;
  if (lock->readers == 0)
    give(lock);
  return 0;
}

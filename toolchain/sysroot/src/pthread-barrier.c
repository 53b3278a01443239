/* Barriers, and spin locks: on one virtual CPU who spins lets the others run. */
#include "pthread-internal.h"

int pthread_barrierattr_init(pthread_barrierattr_t *attr) {
  *attr = (pthread_barrierattr_t){0};
  return 0;
}

int pthread_barrierattr_destroy(pthread_barrierattr_t *attr) {
  (void)attr;
  return 0;
}

int pthread_barrierattr_getpshared(const pthread_barrierattr_t *attr, int *shared) {
  *shared = attr->pshared;
  return 0;
}

int pthread_barrierattr_setpshared(pthread_barrierattr_t *attr, int shared) {
  if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
    return EINVAL;
  attr->pshared = shared;
  return 0;
}

int pthread_barrier_init(pthread_barrier_t *barrier, const pthread_barrierattr_t *attr, unsigned count) {
  (void)attr;
  if (count == 0)
    return EINVAL;
  *barrier = (pthread_barrier_t){.needed = count};
  return 0;
}

/* Who has been woken touches it no more. */
int pthread_barrier_destroy(pthread_barrier_t *barrier) {
  if (barrier->needed == 0)
    return EINVAL;
  if (barrier->arrived > 0)
    return EBUSY;
  barrier->needed = 0;
  return 0;
}

int pthread_barrier_wait(pthread_barrier_t *barrier) {
  struct minios_waiter waiter;
  if (barrier->needed == 0)
    return EINVAL;
  if (++barrier->arrived == barrier->needed) {
    barrier->arrived = 0;
    minios_wake_all(&barrier->waiters);
    return PTHREAD_BARRIER_SERIAL_THREAD;
  }
  if (minios_wait_in(&barrier->waiters, &waiter, 0, WAIT_FIRMLY) == ECANCELED) {
    barrier->arrived--;
    pthread_exit(PTHREAD_CANCELED);
  }
  return 0;
}

int pthread_spin_init(pthread_spinlock_t *lock, int shared) {
  if (shared != PTHREAD_PROCESS_PRIVATE && shared != PTHREAD_PROCESS_SHARED)
    return EINVAL;
  lock->owner = NULL;
  return 0;
}

int pthread_spin_destroy(pthread_spinlock_t *lock) {
  return lock->owner != NULL ? EBUSY : 0;
}

int pthread_spin_trylock(pthread_spinlock_t *lock) {
  if (lock->owner != NULL)
    return EBUSY;
  lock->owner = get_current();
  return 0;
}

int pthread_spin_lock(pthread_spinlock_t *lock) {
  if (lock->owner == get_current())
    return EDEADLK;
  while (*(void *volatile *)&lock->owner != NULL)
    sched_yield();
  lock->owner = get_current();
  return 0;
}

int pthread_spin_unlock(pthread_spinlock_t *lock) {
  lock->owner = NULL; /* whoever has it, as with glibc */
  return 0;
}

/*
 * Mutexes. An unlocked one is taken by a store; an unlock gives a mutex that others wait for to the first of them, since a thread
 * that gives way with it locked would else get it again and again.
 */
#include "pthread-internal.h"

#define DESTROYED (-1)
#define NOBODY ((void *)-1) /* never unlocks it */

/* The state of a robust one (pthread_mutex_consistent). */
enum { CONSISTENT, OWNER_DIED, NOT_RECOVERABLE };

int pthread_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr) {
  *mutex = (pthread_mutex_t){0};
  if (attr != NULL) {
    mutex->type = attr->type;
    mutex->robust = attr->robust;
    mutex->protocol = attr->protocol;
    mutex->prioceiling = attr->prioceiling;
  }
  return 0;
}

int pthread_mutex_destroy(pthread_mutex_t *mutex) {
  if (mutex->type == DESTROYED)
    return EINVAL;
  if (mutex->owner != NULL && mutex->state != NOT_RECOVERABLE)
    return EBUSY;
  *mutex = (pthread_mutex_t){.type = DESTROYED, .owner = NOBODY};
  return 0;
}

/* What the lock of its new owner answers. */
static int take(pthread_mutex_t *mutex) {
  if (!mutex->robust)
    return 0;
  struct minios_pthread *self = pthread_self();
  mutex->next_held = self->held;
  self->held = mutex;
  return mutex->state == OWNER_DIED ? EOWNERDEAD : 0;
}

/* What a lock of the owner's own answers; 0: it waits for itself. */
static int take_again(pthread_mutex_t *mutex, int *result) {
  if (mutex->type == PTHREAD_MUTEX_NORMAL)
    return 0;
  if (mutex->type == PTHREAD_MUTEX_ERRORCHECK)
    *result = EDEADLK;
  else if (mutex->depth == (unsigned)-1)
    *result = EAGAIN;
  else {
    mutex->depth++;
    *result = 0;
  }
  return 1;
}

int minios_mutex_lock_until(pthread_mutex_t *mutex, s_time_t deadline) {
  struct thread *self = get_current();
  struct minios_waiter waiter;
  int result;
  if (mutex->type == DESTROYED)
    return EINVAL;
  if (mutex->state == NOT_RECOVERABLE)
    return ENOTRECOVERABLE;
  if (mutex->owner == NULL) {
    mutex->owner = self;
    mutex->depth = 1;
    return take(mutex);
  }
  if (mutex->owner == self && take_again(mutex, &result))
    return result;
  result = minios_wait_in(&mutex->waiters, &waiter, deadline, WAIT_FIRMLY);
  if (result == ECANCELED)
    pthread_exit(PTHREAD_CANCELED);
  if (result != 0)
    return result;
  return mutex->owner == self ? take(mutex) : ENOTRECOVERABLE;
}

int pthread_mutex_lock(pthread_mutex_t *mutex) {
  minios_take_turns();
  if (__builtin_expect(mutex->owner == NULL && !mutex->robust, 1)) {
    mutex->owner = get_current();
    mutex->depth = 1;
    return 0;
  }
  return minios_mutex_lock_until(mutex, 0);
}

int pthread_mutex_trylock(pthread_mutex_t *mutex) {
  int result;
  minios_take_turns(); /* before it looks: nobody takes the mutex between that and what it does */
  if (mutex->owner == NULL || mutex->type == DESTROYED || mutex->state == NOT_RECOVERABLE)
    return minios_mutex_lock_until(mutex, 0);
  if (mutex->type == PTHREAD_MUTEX_RECURSIVE && mutex->owner == get_current() && take_again(mutex, &result))
    return result;
  return EBUSY;
}

int pthread_mutex_clocklock(pthread_mutex_t *mutex, clockid_t clock, const struct timespec *time) {
  s_time_t deadline;
  int error = pthread_mutex_trylock(mutex);
  if (error != EBUSY)
    return error;
  error = minios_deadline(clock, time, &deadline);
  return error != 0 ? error : minios_mutex_lock_until(mutex, deadline);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *time) {
  return pthread_mutex_clocklock(mutex, CLOCK_REALTIME, time);
}

/* To the first that waits; where none can ever have it, all are told. */
static void give(pthread_mutex_t *mutex) {
  if (mutex->state == NOT_RECOVERABLE) {
    mutex->owner = NOBODY;
    minios_wake_all(&mutex->waiters);
    return;
  }
  mutex->owner = mutex->waiters.first == NULL ? NULL : minios_wake_first(&mutex->waiters);
  mutex->depth = 1;
}

static void unlink_held(pthread_mutex_t *mutex) {
  struct minios_mutex **link = &pthread_self()->held;
  while (*link != NULL && *link != mutex)
    link = &(*link)->next_held;
  if (*link != NULL)
    *link = mutex->next_held;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex) {
  if (mutex->type == DESTROYED)
    return EINVAL;
  if (mutex->owner != get_current() && (mutex->type != PTHREAD_MUTEX_NORMAL || mutex->robust))
    return EPERM;
  if (mutex->owner == NULL)
    return 0;
  if (--mutex->depth > 0)
    return 0;
  if (mutex->robust) {
    unlink_held(mutex);
    if (mutex->state == OWNER_DIED)
      mutex->state = NOT_RECOVERABLE;
  }
  give(mutex);
  return 0;
}

unsigned minios_mutex_leave(pthread_mutex_t *mutex) {
  unsigned depth = mutex->depth;
  mutex->depth = 1;
  pthread_mutex_unlock(mutex);
  return depth;
}

int pthread_mutex_consistent(pthread_mutex_t *mutex) {
  if (!mutex->robust || mutex->state != OWNER_DIED)
    return EINVAL;
  mutex->state = CONSISTENT;
  return 0;
}

/* The thread ends with robust mutexes locked. */
void minios_mutexes_abandon(struct minios_pthread *self) {
  while (self->held != NULL) {
    pthread_mutex_t *mutex = self->held;
    self->held = mutex->next_held;
    mutex->state = mutex->state == OWNER_DIED ? NOT_RECOVERABLE : OWNER_DIED;
    give(mutex);
  }
}

int pthread_mutex_getprioceiling(const pthread_mutex_t *mutex, int *ceiling) {
  if (mutex->type == DESTROYED || mutex->protocol != PTHREAD_PRIO_PROTECT)
    return EINVAL;
  *ceiling = mutex->prioceiling;
  return 0;
}

int pthread_mutex_setprioceiling(pthread_mutex_t *mutex, int ceiling, int *old) {
  pthread_mutexattr_t attr;
  int error = pthread_mutex_getprioceiling(mutex, &attr.prioceiling);
  if (error == 0)
    error = pthread_mutexattr_setprioceiling(&attr, ceiling);
  if (error != 0)
    return error;
  if (old != NULL)
    *old = mutex->prioceiling;
  mutex->prioceiling = ceiling;
  return 0;
}

/*
 * newlib's locks (sys/lock.h, retargetable). Threads are cooperative, so a lock matters only where its holder parks in
 * the middle: a stream whose write or read waits for the console.
 */
#include <mini-os/wait.h>
#include <stdlib.h>
#include <sys/lock.h>

struct __lock {
  struct thread *owner;
  unsigned depth;
  struct wait_queue_head waiters;
};

#define LOCK(name) \
  struct __lock __lock___##name = {.waiters = __WAIT_QUEUE_HEAD_INITIALIZER(__lock___##name.waiters)}

LOCK(sinit_recursive_mutex);
LOCK(sfp_recursive_mutex);
LOCK(atexit_recursive_mutex);
LOCK(at_quick_exit_mutex);
LOCK(env_recursive_mutex);
LOCK(tz_mutex);
LOCK(dd_hash_mutex);
LOCK(arc4random_mutex);

/* A lock for which there was no memory is NULL and locks nothing. */
void __retarget_lock_init_recursive(_LOCK_T *lock) {
  *lock = malloc(sizeof **lock);
  if (*lock == NULL)
    return;
  (*lock)->owner = NULL;
  (*lock)->depth = 0;
  init_waitqueue_head(&(*lock)->waiters);
}

void __retarget_lock_close_recursive(_LOCK_T lock) {
  free(lock);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock) {
  struct thread *self = get_current();
  if (lock == NULL)
    return;
  if (lock->owner != self) {
    wait_event(lock->waiters, lock->owner == NULL);
    lock->owner = self;
  }
  lock->depth++;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock) {
  if (lock != NULL && lock->owner != NULL && lock->owner != get_current())
    return 0;
  __retarget_lock_acquire_recursive(lock);
  return 1;
}

void __retarget_lock_release_recursive(_LOCK_T lock) {
  if (lock == NULL || --lock->depth > 0)
    return;
  lock->owner = NULL;
  wake_up(&lock->waiters);
}

void __retarget_lock_init(_LOCK_T *lock) {
  __retarget_lock_init_recursive(lock);
}

void __retarget_lock_close(_LOCK_T lock) {
  __retarget_lock_close_recursive(lock);
}

void __retarget_lock_acquire(_LOCK_T lock) {
  __retarget_lock_acquire_recursive(lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock) {
  return __retarget_lock_try_acquire_recursive(lock);
}

void __retarget_lock_release(_LOCK_T lock) {
  __retarget_lock_release_recursive(lock);
}

/* malloc parks nowhere. */
void __malloc_lock(struct _reent *reent) {
  (void)reent;
}

void __malloc_unlock(struct _reent *reent) {
  (void)reent;
}

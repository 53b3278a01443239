/* pthread_once. Where its function is cancelled or its thread ends, the next caller runs it again. */
#include "pthread-internal.h"

enum { NOT_RUN, RUNNING, DONE };

static void run_by_next(void *data) {
  pthread_once_t *once = data;
  once->state = NOT_RUN;
  minios_wake_all(&once->waiters);
}

int pthread_once(pthread_once_t *once, void (*function)(void)) {
  while (once->state == RUNNING) {
    struct minios_waiter waiter;
    if (minios_wait_in(&once->waiters, &waiter, 0, WAIT_FIRMLY) == ECANCELED)
      pthread_exit(PTHREAD_CANCELED);
  }
  if (once->state == DONE)
    return 0;
  once->state = RUNNING;
  pthread_cleanup_push(run_by_next, once);
  function();
  pthread_cleanup_pop(0);
  once->state = DONE;
  minios_wake_all(&once->waiters);
  return 0;
}

/* pthread_once. Where its function is cancelled or its thread ends, the next caller runs it again. */
#include "pthread-internal.h"

enum { NOT_RUN, RUNNING, DONE };

/* Of all of them: whoever is woken looks at its own again. */
static struct minios_waiters waiters;

static void run_by_next(void *data) {
  pthread_once_t *once = data;
  *once = NOT_RUN;
  minios_wake_all(&waiters);
}

int pthread_once(pthread_once_t *once, void (*function)(void)) {
  minios_take_turns();
  while (*(volatile pthread_once_t *)once == RUNNING) {
    struct minios_waiter waiter;
    if (minios_wait_in(&waiters, &waiter, 0, WAIT_FIRMLY) == ECANCELED)
      pthread_exit(PTHREAD_CANCELED);
  }
  if (*once == DONE)
    return 0;
  *once = RUNNING;
  pthread_cleanup_push(run_by_next, once);
  function();
  pthread_cleanup_pop(0);
  *once = DONE;
  minios_wake_all(&waiters);
  return 0;
}

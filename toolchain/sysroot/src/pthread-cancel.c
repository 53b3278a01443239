/*
 * Cancellation (POSIX, 2.9.5). A thread ends at cancellation points; one whose type is asynchronous, wherever it gives way, since no
 * other thread could cancel it anywhere else.
 */
#include "pthread-internal.h"

#include <mini-os/api.h>

bool minios_pthread_must_end(const struct minios_pthread *self) {
  return self->cancel_asked && !self->exiting && self->thread->cancel_state == PTHREAD_CANCEL_ENABLE;
}

void pthread_testcancel(void) {
  struct minios_pthread *self = get_current()->pthread;
  if (self != NULL && minios_pthread_must_end(self))
    pthread_exit(PTHREAD_CANCELED);
}

int pthread_cancel(pthread_t thread) {
  minios_take_turns();
  if (!minios_pthread_known(thread))
    return ESRCH;
  if (thread->ended || thread->exiting)
    return 0;
  thread->cancel_asked = true;
  if (!minios_pthread_must_end(thread))
    return 0;
  if (thread->thread == get_current()) {
    if (thread->cancel_type == PTHREAD_CANCEL_ASYNCHRONOUS)
      pthread_exit(PTHREAD_CANCELED);
    return 0;
  }
  if (thread->cancel.is_inside)
    minios_interrupt_thread(thread->thread);
  wake(thread->thread);
  return 0;
}

int pthread_setcanceltype(int type, int *old) {
  struct minios_pthread *self = pthread_self();
  if (type != PTHREAD_CANCEL_DEFERRED && type != PTHREAD_CANCEL_ASYNCHRONOUS)
    return EINVAL;
  if (old != NULL)
    *old = self->cancel_type;
  self->cancel_type = type;
  if (type == PTHREAD_CANCEL_ASYNCHRONOUS)
    pthread_testcancel();
  return 0;
}

void minios_cleanup_push(struct minios_cleanup *cleanup) {
  struct minios_pthread *self = pthread_self();
  cleanup->outer = self->cleanups;
  self->cleanups = cleanup;
}

void minios_cleanup_pop(struct minios_cleanup *cleanup, int execute) {
  pthread_self()->cleanups = cleanup->outer;
  if (execute)
    cleanup->routine(cleanup->argument);
}

/* Semaphores of POSIX without names. A handler of an event or of a signal may post one. */
#include "pthread-internal.h"
#include "result.h"

#include <mini-os/os.h>
#include <semaphore.h>

int sem_init(sem_t *semaphore, int shared, unsigned value) {
  (void)shared;
  if (value > SEM_VALUE_MAX)
    return minios_failed(_REENT, EINVAL);
  *semaphore = (sem_t){.value = value};
  return 0;
}

int sem_destroy(sem_t *semaphore) {
  return semaphore->waiters.first == NULL ? 0 : minios_failed(_REENT, EBUSY);
}

int sem_getvalue(sem_t *semaphore, int *value) {
  *value = (int)semaphore->value;
  return 0;
}

/* Who waits gets it before anybody who comes later. */
int sem_post(sem_t *semaphore) {
  unsigned long flags;
  bool overflows = false;
  local_irq_save(flags);
  if (semaphore->waiters.first != NULL)
    minios_wake_first(&semaphore->waiters);
  else if (semaphore->value == SEM_VALUE_MAX)
    overflows = true;
  else
    semaphore->value++;
  local_irq_restore(flags);
  return overflows ? minios_failed(_REENT, EOVERFLOW) : 0;
}

static bool take(sem_t *semaphore) {
  unsigned long flags;
  local_irq_save(flags);
  bool taken = semaphore->value > 0;
  if (taken)
    semaphore->value--;
  local_irq_restore(flags);
  return taken;
}

int sem_trywait(sem_t *semaphore) {
  minios_take_turns();
  return take(semaphore) ? 0 : minios_failed(_REENT, EAGAIN);
}

/* With handlers held back from the look until it is in the queue, since one may post. */
static int wait_until(sem_t *semaphore, s_time_t deadline) {
  struct minios_waiter waiter;
  unsigned long flags;
  local_irq_save(flags);
  bool taken = take(semaphore);
  if (!taken)
    minios_enqueue(&semaphore->waiters, &waiter);
  local_irq_restore(flags);
  int error = taken ? 0 : minios_wait_queued(&semaphore->waiters, &waiter, deadline, WAIT_INTERRUPTIBLE);
  if (error == ECANCELED)
    pthread_exit(PTHREAD_CANCELED);
  return error == 0 ? 0 : minios_failed(_REENT, error);
}

int sem_wait(sem_t *semaphore) {
  minios_take_turns();
  pthread_testcancel();
  return wait_until(semaphore, 0);
}

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *time) {
  s_time_t deadline;
  pthread_testcancel();
  if (take(semaphore))
    return 0;
  int error = minios_deadline(clock, time, &deadline);
  return error != 0 ? minios_failed(_REENT, error) : wait_until(semaphore, deadline);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *time) {
  return sem_clockwait(semaphore, CLOCK_REALTIME, time);
}

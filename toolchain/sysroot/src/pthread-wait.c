/*
 * Waiting, for all that POSIX threads wait for. Queues are words of the guest: who need not wait never leaves to the kernel. Handlers
 * of events are held back while a queue changes, so that they may post semaphores.
 */
#include "pthread-internal.h"

#include <mini-os/os.h>

unsigned minios_turn;

void minios_enqueue(struct minios_waiters *queue, struct minios_waiter *waiter) {
  unsigned long flags;
  waiter->thread = get_current();
  waiter->woken = false;
  local_irq_save(flags);
  waiter->next = NULL;
  if (queue->first == NULL)
    queue->first = waiter;
  else
    queue->last->next = waiter;
  queue->last = waiter;
  local_irq_restore(flags);
}

static void take_out(struct minios_waiters *queue, struct minios_waiter *waiter) {
  struct minios_waiter *before = NULL;
  unsigned long flags;
  local_irq_save(flags);
  for (struct minios_waiter *each = queue->first; each != NULL; before = each, each = each->next) {
    if (each != waiter)
      continue;
    if (before == NULL)
      queue->first = each->next;
    else
      before->next = each->next;
    if (queue->last == each)
      queue->last = before;
    break;
  }
  local_irq_restore(flags);
}

struct thread *minios_wake_first(struct minios_waiters *queue) {
  struct thread *thread = NULL;
  unsigned long flags;
  local_irq_save(flags);
  struct minios_waiter *waiter = queue->first;
  if (waiter != NULL) {
    queue->first = waiter->next;
    thread = waiter->thread;
    waiter->woken = true;
    wake(thread);
  }
  local_irq_restore(flags);
  return thread;
}

void minios_wake_all(struct minios_waiters *queue) {
  while (minios_wake_first(queue) != NULL)
    ;
}

/* Why the wait is over, though nobody has woken the thread; 0 where it is not. */
static int reason(const struct thread *thread, s_time_t deadline, enum minios_wait how, unsigned interruptions) {
  const struct minios_pthread *self = thread->pthread;
  if (self != NULL && (how != WAIT_FIRMLY || self->cancel_type == PTHREAD_CANCEL_ASYNCHRONOUS) &&
      minios_pthread_must_end(self))
    return ECANCELED;
  if (how == WAIT_INTERRUPTIBLE && (uint16_t)thread->interruptions != (uint16_t)interruptions)
    return EINTR;
  return deadline != 0 && NOW() >= deadline ? ETIMEDOUT : 0;
}

int minios_wait_queued(struct minios_waiters *queue, struct minios_waiter *self, s_time_t deadline,
                       enum minios_wait how) {
  struct thread *thread = get_current();
  unsigned interruptions = thread->interruptions;
  int result = 0;
  for (;;) {
    clear_runnable(thread);
    thread->wakeup_time = deadline;
    barrier();
    /* Looked at when the thread is blocked: who wakes it from now on makes schedule return. */
    if (!*(volatile bool *)&self->woken)
      schedule();
    if (*(volatile bool *)&self->woken)
      break;
    result = reason(thread, deadline, how, interruptions);
    if (result != 0)
      break;
  }
  set_runnable(thread);
  thread->wakeup_time = 0;
  if (*(volatile bool *)&self->woken)
    return 0;
  take_out(queue, self);
  return self->woken ? 0 : result;
}

int minios_wait_in(struct minios_waiters *queue, struct minios_waiter *self, s_time_t deadline, enum minios_wait how) {
  minios_enqueue(queue, self);
  return minios_wait_queued(queue, self, deadline, how);
}

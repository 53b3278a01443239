/* Waiting in Mini-OS. Threads are cooperative; handlers of events, which wake, are held back where queues change. */
#ifndef __WAIT_H__
#define __WAIT_H__

#include <mini-os/os.h>
#include <mini-os/sched.h>
#include <mini-os/waittypes.h>

#define DEFINE_WAIT(name) struct wait_queue name = {.waiting = 0, .thread = get_current()}

static inline void init_waitqueue_head(struct wait_queue_head *h) {
  MINIOS_STAILQ_INIT(h);
}

static inline void init_waitqueue_entry(struct wait_queue *q, struct thread *thread) {
  q->waiting = 0;
  q->thread = thread;
}

static inline void add_wait_queue(struct wait_queue_head *h, struct wait_queue *q) {
  if (!q->waiting) {
    MINIOS_STAILQ_INSERT_TAIL(h, q, thread_list);
    q->waiting = 1;
  }
}

static inline void remove_wait_queue(struct wait_queue_head *h, struct wait_queue *q) {
  if (q->waiting) {
    MINIOS_STAILQ_REMOVE(h, q, struct wait_queue, thread_list);
    q->waiting = 0;
  }
}

static inline void wake_up(struct wait_queue_head *head) {
  unsigned long flags;
  local_irq_save(flags);
  struct wait_queue *q = MINIOS_STAILQ_FIRST(head);
  while (q != NULL) {
    struct wait_queue *next = MINIOS_STAILQ_NEXT(q, thread_list);
    wake(q->thread);
    q = next;
  }
  local_irq_restore(flags);
}

#define add_waiter(w, wq)           \
  do {                              \
    unsigned long __flags;          \
    local_irq_save(__flags);        \
    add_wait_queue(&(wq), &(w));    \
    block(get_current());           \
    local_irq_restore(__flags);     \
  } while (0)

#define remove_waiter(w, wq)        \
  do {                              \
    unsigned long __flags;          \
    local_irq_save(__flags);        \
    remove_wait_queue(&(wq), &(w)); \
    local_irq_restore(__flags);     \
  } while (0)

/*
 * deadline: of NOW(); 0 waits for ever. The condition is looked at while the thread is in the queue and not runnable, so that a
 * handler which makes it true meanwhile makes schedule return at once.
 */
#define wait_event_deadline(wq, condition, deadline)            \
  do {                                                          \
    s_time_t __deadline = (deadline);                           \
    DEFINE_WAIT(__wait);                                        \
    if (condition)                                              \
      break;                                                    \
    for (;;) {                                                  \
      add_waiter(__wait, wq);                                   \
      get_current()->wakeup_time = __deadline;                  \
      if ((condition) || (__deadline != 0 && __deadline <= NOW())) \
        break;                                                  \
      schedule();                                               \
    }                                                           \
    wake(get_current());                                        \
    remove_waiter(__wait, wq);                                  \
  } while (0)

#define wait_event(wq, condition) wait_event_deadline(wq, condition, 0)

#endif

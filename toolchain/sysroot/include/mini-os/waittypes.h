/* The wait queue of Mini-OS, as its users embed it. */
#ifndef __WAITTYPE_H__
#define __WAITTYPE_H__

#include <mini-os/list.h>

struct thread;

struct wait_queue {
  int waiting;
  struct thread *thread;
  MINIOS_STAILQ_ENTRY(struct wait_queue) thread_list;
};

MINIOS_STAILQ_HEAD(wait_queue_head, struct wait_queue);

#define DECLARE_WAIT_QUEUE_HEAD(name) \
  struct wait_queue_head name = MINIOS_STAILQ_HEAD_INITIALIZER(name)
#define __WAIT_QUEUE_HEAD_INITIALIZER(name) MINIOS_STAILQ_HEAD_INITIALIZER(name)

#endif

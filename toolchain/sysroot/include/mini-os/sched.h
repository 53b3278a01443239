/*
 * Threads of Mini-OS: cooperative, one virtual CPU. The order of struct thread's fields is Mini-OS's; the kernel reads
 * and writes flags and wakeup_time here, in guest memory.
 */
#ifndef __SCHED_H__
#define __SCHED_H__

#include <mini-os/list.h>
#include <mini-os/time.h>
#include <sys/reent.h>

struct thread {
  char *name;
  char *stack;
  unsigned long sp;
  unsigned long ip;
  MINIOS_TAILQ_ENTRY(struct thread) thread_list;
  uint32_t flags;
  s_time_t wakeup_time;
  struct _reent reent; /* zero until the C library's first use in this thread (__getreent) */
  /* Of POSIX threads, and zero until their first use. */
  struct minios_pthread *pthread;
  int cancel_state;
  /* Handlers of signals that have run: in the upper half those with SA_RESTART, which not all that waits ends for. */
  unsigned interruptions;
};

extern struct thread *minios_current;

#define RUNNABLE_FLAG 0x00000001

#define is_runnable(_thread) ((_thread)->flags & RUNNABLE_FLAG)
#define set_runnable(_thread) ((_thread)->flags |= RUNNABLE_FLAG)
#define clear_runnable(_thread) ((_thread)->flags &= ~RUNNABLE_FLAG)

/* A call, so that no compiler keeps the answer over a switch. */
static inline struct thread *get_current(void) {
  return *(struct thread *volatile *)&minios_current;
}
#define current get_current()

struct thread *create_thread(char *name, void (*function)(void *), void *data);
void exit_thread(void) __attribute__((noreturn));
void schedule(void);
void wake(struct thread *thread);
void block(struct thread *thread);
void msleep(uint32_t millisecs);

#endif

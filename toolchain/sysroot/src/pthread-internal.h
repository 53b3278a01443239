/* What the files of POSIX threads share. A thread of Mini-OS gets its struct minios_pthread when POSIX first asks for it. */
#ifndef MINIOS_PTHREAD_INTERNAL_H
#define MINIOS_PTHREAD_INTERNAL_H

#include "cancel-point.h"
#include "deadline.h"

#include <errno.h>
#include <limits.h>
#include <mini-os/sched.h>
#include <pthread.h>
#include <stdbool.h>

#define PTHREAD_STACK_DEFAULT ((size_t)128 * 1024)
#define NAME_SIZE 16 /* as Linux's, NUL included */

struct minios_pthread {
  struct minios_cancel_point cancel; /* first: what cancellation points see */
  struct minios_pthread *next;
  struct thread *thread; /* NULL when it has ended */
  void *(*routine)(void *);
  void *argument;
  void *result;
  bool is_main;
  bool detached;
  bool ended;
  bool exiting;
  bool cancel_asked;
  int cancel_type;
  struct minios_pthread *joiner;
  struct minios_waiters joiners;
  struct minios_cleanup *cleanups;
  void **values; /* by key */
  struct minios_mutex *held; /* robust mutexes */
  int policy;
  struct sched_param scheduling;
  size_t guard_size;
  char name[NAME_SIZE];
};

/* One that waits; on its own stack. */
struct minios_waiter {
  struct minios_waiter *next;
  struct thread *thread;
  bool woken;
  bool writes; /* for a lock of readers and writers */
};

/* How a wait may end early, beside its deadline. */
enum minios_wait { WAIT_FIRMLY, WAIT_CANCELLABLE, WAIT_INTERRUPTIBLE };

/*
 * Waits in the queue until woken: 0, ETIMEDOUT, ECANCELED, EINTR; then it is in the queue no more. deadline: of NOW(), 0 for none.
 * Where the wait is WAIT_INTERRUPTIBLE, it is cancellable, too.
 */
int minios_wait_in(struct minios_waiters *queue, struct minios_waiter *self, s_time_t deadline, enum minios_wait how);
/* The same in two steps; between them a handler may already wake it. */
void minios_enqueue(struct minios_waiters *queue, struct minios_waiter *self);
int minios_wait_queued(struct minios_waiters *queue, struct minios_waiter *self, s_time_t deadline, enum minios_wait how);
/* Takes the first of the queue out and wakes it; NULL where there is none. Handlers of events may call it. */
struct thread *minios_wake_first(struct minios_waiters *queue);
void minios_wake_all(struct minios_waiters *queue);

/*
 * A program may ask again and again until another thread has done something, without ever waiting. So functions of threads that may
 * wait anyway let others run now and then, and pthread_sigmask and pthread_kill; no other that a handler of a signal may call.
 */
#define MINIOS_TURN 1000
extern unsigned minios_turn;
static inline void minios_take_turns(void) {
  if (__builtin_expect(++minios_turn >= MINIOS_TURN, 0)) {
    minios_turn = 0;
    schedule();
  }
}

/* Whether there is such a thread that can be joined, or runs. */
bool minios_pthread_known(pthread_t thread);
/* Calls the function for every thread. */
void minios_pthread_each(void (*function)(struct minios_pthread *, void *), void *data);
bool minios_pthread_must_end(const struct minios_pthread *self);
void minios_pthread_destroy_values(struct minios_pthread *self);
void minios_mutexes_abandon(struct minios_pthread *self);
int minios_mutex_lock_until(pthread_mutex_t *mutex, s_time_t deadline);
/* Where the lock is the caller's: unlocks it whatever its depth, which is the answer. */
unsigned minios_mutex_leave(pthread_mutex_t *mutex);
bool minios_valid_scheduling(int policy, const struct sched_param *scheduling);

#endif

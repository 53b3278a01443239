/* pthread_create to pthread_join: the life of a thread (POSIX, 2.9). */
#define _GNU_SOURCE
#include "pthread-internal.h"

#include <mini-os/api.h>
#include <reent.h>
#include <stdlib.h>
#include <string.h>

extern struct thread *minios_main_thread;

/* All that can be named: those that run, and those that are still to be joined. */
static struct minios_pthread *threads;
static struct minios_pthread main_pthread;
/* Those of pthread_create that run, and main until it has called pthread_exit. */
static unsigned running = 1;

bool minios_pthread_known(pthread_t thread) {
  for (struct minios_pthread *each = threads; each != NULL; each = each->next)
    if (each == thread)
      return true;
  return false;
}

void minios_pthread_each(void (*function)(struct minios_pthread *, void *), void *data) {
  for (struct minios_pthread *each = threads; each != NULL; each = each->next)
    function(each, data);
}

static void add(struct minios_pthread *new) {
  new->cancel.test = pthread_testcancel;
  new->next = threads;
  threads = new;
}

static void forget(struct minios_pthread *old) {
  for (struct minios_pthread **link = &threads; *link != NULL; link = &(*link)->next)
    if (*link == old) {
      *link = old->next;
      break;
    }
  free(old->values);
  if (!old->is_main)
    free(old);
}

/* A thread that POSIX has not made. */
static pthread_t adopt(struct thread *thread) {
  bool is_main = thread == minios_main_thread;
  struct minios_pthread *new = is_main ? &main_pthread : calloc(1, sizeof *new);
  if (new == NULL)
    abort();
  new->is_main = is_main;
  new->thread = thread;
  new->detached = !is_main;
  strncpy(new->name, thread->name, NAME_SIZE - 1);
  add(new);
  return thread->pthread = new;
}

pthread_t pthread_self(void) {
  struct thread *thread = get_current();
  return __builtin_expect(thread->pthread != NULL, 1) ? thread->pthread : adopt(thread);
}

int pthread_equal(pthread_t one, pthread_t other) {
  minios_take_turns();
  return one == other;
}

static void begin(void *data) {
  struct minios_pthread *self = data;
  pthread_exit(self->routine(self->argument));
}

int pthread_create(pthread_t *result, const pthread_attr_t *attributes, void *(*routine)(void *), void *argument) {
  pthread_attr_t defaults;
  if (attributes == NULL) {
    pthread_attr_init(&defaults);
    attributes = &defaults;
  }
  minios_take_turns();
  struct minios_pthread *creator = pthread_self();
  struct minios_pthread *new = calloc(1, sizeof *new);
  if (new == NULL)
    return EAGAIN;
  bool inherits = attributes->inheritsched == PTHREAD_INHERIT_SCHED;
  new->routine = routine;
  new->argument = argument;
  new->detached = attributes->detachstate == PTHREAD_CREATE_DETACHED;
  new->policy = inherits ? creator->policy : attributes->schedpolicy;
  new->scheduling = inherits ? creator->scheduling : attributes->schedparam;
  new->guard_size = attributes->guardsize;
  strcpy(new->name, creator->name);
  size_t size = attributes->stacksize != 0 ? attributes->stacksize : PTHREAD_STACK_DEFAULT;
  struct thread *thread = minios_create_thread(new->name, begin, new, attributes->stackaddr, size);
  if (thread == NULL) {
    free(new);
    return EAGAIN;
  }
  new->thread = thread;
  thread->pthread = new;
  add(new);
  running++;
  *result = new;
  return 0;
}

/* The process ends with the last of its threads. */
static void end_main(struct minios_pthread *self) __attribute__((noreturn));
static void end_main(struct minios_pthread *self) {
  self->ended = true;
  minios_wake_all(&self->joiners);
  while (running > 0) {
    block(get_current());
    if (running > 0)
      schedule();
  }
  wake(get_current());
  exit(0);
}

void pthread_exit(void *result) {
  struct minios_pthread *self = pthread_self();
  struct thread *thread = get_current();
  self->exiting = true;
  while (self->cleanups != NULL) {
    struct minios_cleanup *cleanup = self->cleanups;
    self->cleanups = cleanup->outer;
    cleanup->routine(cleanup->argument);
  }
  minios_pthread_destroy_values(self);
  minios_mutexes_abandon(self);
  self->result = result;
  bool was_counted = self->routine != NULL || self->is_main;
  if (was_counted && --running == 0)
    wake(minios_main_thread);
  if (self->is_main)
    end_main(self);

  if (thread->reent._stdout != NULL)
    _reclaim_reent(&thread->reent);
  thread->pthread = NULL;
  self->thread = NULL;
  self->ended = true;
  if (self->detached)
    forget(self);
  else
    minios_wake_all(&self->joiners);
  exit_thread();
}

static int join(pthread_t thread, void **result, s_time_t deadline) {
  struct minios_pthread *self = pthread_self();
  if (!minios_pthread_known(thread))
    return ESRCH;
  if (thread == self || self->joiner == thread)
    return EDEADLK;
  if (thread->detached || thread->joiner != NULL)
    return EINVAL;
  pthread_testcancel();
  thread->joiner = self;
  while (!thread->ended) {
    struct minios_waiter waiter;
    int error = minios_wait_in(&thread->joiners, &waiter, deadline, WAIT_CANCELLABLE);
    if (error == 0)
      continue;
    thread->joiner = NULL;
    if (error == ECANCELED)
      pthread_exit(PTHREAD_CANCELED);
    return error;
  }
  if (result != NULL)
    *result = thread->result;
  forget(thread);
  return 0;
}

int pthread_join(pthread_t thread, void **result) {
  return join(thread, result, 0);
}

int pthread_tryjoin_np(pthread_t thread, void **result) {
  minios_take_turns();
  return minios_pthread_known(thread) && !thread->ended ? EBUSY : join(thread, result, 0);
}

int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *time) {
  s_time_t deadline;
  int error = minios_deadline(CLOCK_REALTIME, time, &deadline);
  return error != 0 ? error : join(thread, result, deadline);
}

int pthread_detach(pthread_t thread) {
  minios_take_turns();
  if (!minios_pthread_known(thread))
    return ESRCH;
  if (thread->detached || thread->joiner != NULL)
    return EINVAL;
  thread->detached = true;
  if (thread->ended)
    forget(thread);
  return 0;
}

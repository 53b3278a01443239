/*
 * Timers whose expiry starts a thread (SIGEV_THREAD): the kernel has a timer that tells nobody, and a thread of ours waits for its
 * time.
 */
#include "timer-threads.h"

#include "result.h"

#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <mini-os/wait.h>
#include <pthread.h>
#include <stdlib.h>

/* How far a clock of the processor, which may stand, is waited for at once. */
#define STEP ((int64_t)SECONDS(1))

struct timer_thread {
  struct timer_thread *next;
  int timer; /* the kernel's */
  int clock; /* that goes on evenly */
  void (*function)(union sigval);
  union sigval value;
  pthread_attr_t attributes;
  bool is_set, is_changed, is_deleted;
  int64_t due; /* of that clock */
  struct wait_queue_head queue;
};

/* What a thread is started with. */
struct call {
  void (*function)(union sigval);
  union sigval value;
};

static struct timer_thread *timers;

static void *run(void *data) {
  struct call call = *(struct call *)data;
  free(data);
  call.function(call.value);
  return NULL;
}

static void expire(const struct timer_thread *timer) {
  pthread_t thread;
  struct call *call = malloc(sizeof *call);
  if (call == NULL)
    return;
  *call = (struct call){timer->function, timer->value};
  if (pthread_create(&thread, &timer->attributes, run, call) != 0)
    free(call);
}

static int64_t now_of(const struct timer_thread *timer) {
  int64_t now;
  minios_clock_ns(timer->clock, &now);
  return now;
}

/* The next time at which the kernel's timer expires; the interval. */
static int64_t set_due(struct timer_thread *timer) {
  int64_t times[2], now = now_of(timer);
  minios_timer_gettime(timer->timer, times);
  timer->due = now + times[0];
  return times[1];
}

/* Whether the timer has come to its time, and is still set to it. */
static bool wait_until_due(struct timer_thread *timer) {
  for (int64_t left; !timer->is_changed && (left = timer->due - now_of(timer)) > 0;)
    wait_event_deadline(timer->queue, timer->is_changed, NOW() + (left < STEP ? left : STEP));
  return !timer->is_changed;
}

static void watch(void *data) {
  struct timer_thread *timer = data;
  while (!timer->is_deleted) {
    timer->is_changed = false;
    if (!timer->is_set) {
      wait_event(timer->queue, timer->is_changed);
    } else if (wait_until_due(timer)) {
      timer->is_set = set_due(timer) != 0;
      expire(timer);
      /* Where to start a thread takes longer than the interval, the others have their turn, too. */
      schedule();
    }
  }
  free(timer);
}

int minios_timer_thread(int clock, const struct sigevent *event) {
  struct timer_thread *timer = calloc(1, sizeof *timer);
  if (timer == NULL)
    return -EAGAIN;
  int made = minios_timer_create(clock, SIGEV_NONE, 0, NULL, 0);
  timer->timer = made;
  timer->clock = clock == MINIOS_CLOCK_RUNNING ? clock : MINIOS_CLOCK_MONOTONIC;
  timer->function = event->sigev_notify_function;
  timer->value = event->sigev_value;
  init_waitqueue_head(&timer->queue);
  if (event->sigev_notify_attributes != NULL)
    timer->attributes = *event->sigev_notify_attributes;
  else
    pthread_attr_init(&timer->attributes);
  pthread_attr_setdetachstate(&timer->attributes, PTHREAD_CREATE_DETACHED);
  if (made < 0 || create_thread("timer", watch, timer) == NULL) {
    free(timer);
    if (made >= 0)
      minios_timer_delete(made);
    return made < 0 ? made : -EAGAIN;
  }
  timer->next = timers;
  timers = timer;
  return made;
}

void minios_timer_changed(int id, enum minios_timer_change change) {
  struct timer_thread **place = &timers;
  while (*place != NULL && (*place)->timer != id)
    place = &(*place)->next;
  struct timer_thread *timer = *place;
  if (timer == NULL)
    return;
  if (change == MINIOS_TIMER_DELETED)
    *place = timer->next;
  if (change == MINIOS_TIMER_SET)
    set_due(timer);
  timer->is_set = change == MINIOS_TIMER_SET;
  timer->is_deleted = change == MINIOS_TIMER_DELETED;
  timer->is_changed = true;
  wake_up(&timer->queue);
}

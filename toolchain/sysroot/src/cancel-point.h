/*
 * Cancellation points in files that know nothing of POSIX threads: programs without these have none of their code. A call of the kernel
 * that waits ends with -EINTR when its thread is cancelled.
 */
#ifndef MINIOS_CANCEL_POINT_H
#define MINIOS_CANCEL_POINT_H

#include <errno.h>
#include <mini-os/sched.h>
#include <stddef.h>

/* What struct minios_pthread begins with. */
struct minios_cancel_point {
  void (*test)(void);
  int is_inside; /* a call that may be interrupted */
};

static inline struct minios_cancel_point *minios_cancel_begin(void) {
  struct minios_cancel_point *point = (struct minios_cancel_point *)get_current()->pthread;
  if (point != NULL) {
    point->test();
    point->is_inside = 1;
  }
  return point;
}

static inline long minios_cancel_end(struct minios_cancel_point *point, long result) {
  if (point != NULL) {
    point->is_inside = 0;
    if (result == -EINTR)
      point->test();
  }
  return result;
}

/* A call of the kernel's as a cancellation point. */
#define MINIOS_CANCELLABLE(call)                                 \
  ({                                                             \
    struct minios_cancel_point *__point = minios_cancel_begin(); \
    minios_cancel_end(__point, (call));                          \
  })

#endif

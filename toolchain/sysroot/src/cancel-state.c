/* newlib's streams ask that no thread be cancelled in their midst; apart from the rest of POSIX threads, which few programs use. */
#include <errno.h>
#include <mini-os/sched.h>

#define ENABLE 0
#define DISABLE 1

int pthread_setcancelstate(int state, int *old) {
  struct thread *self = get_current();
  if (state != ENABLE && state != DISABLE)
    return EINVAL;
  if (old != NULL)
    *old = self->cancel_state;
  self->cancel_state = state;
  return 0;
}

/*
 * newlib's state of a thread (errno, strtok's place …) lives in Mini-OS's struct thread. The kernel hands a thread over
 * with zeroes there; this fills it in at the thread's first use of the library.
 */
#include <mini-os/sched.h>
#include <reent.h>

struct _reent *__getreent(void) {
  struct _reent *reent = &get_current()->reent;
  if (__builtin_expect(reent->_stdout == NULL, 0))
    _REENT_INIT_PTR_ZEROED(reent);
  return reent;
}

/* From the kernel's negative errno to C's -1 and errno. */
#ifndef MINIOS_RESULT_H
#define MINIOS_RESULT_H

#include <errno.h>
#include <reent.h>

static inline long minios_result(struct _reent *reent, long result) {
  if (result >= 0)
    return result;
  reent->_errno = (int)-result;
  return -1;
}

static inline int minios_failed(struct _reent *reent, int error) {
  reent->_errno = error;
  return -1;
}

/* A result that is an int, of the running thread. */
#define MINIOS_INT(call) ((int)minios_result(_REENT, (call)))

#endif

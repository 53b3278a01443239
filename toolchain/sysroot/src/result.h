/* From the kernel's negative errno to C's -1 and errno. */
#ifndef MINIOS_RESULT_H
#define MINIOS_RESULT_H

#include <errno.h>
#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <reent.h>

#define MINIOS_MOST_ERRNO 4095

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

/* The object that the descriptor is of, or NULL where it is the kernel's; 0, with errno, where it is not open. */
static inline int minios_find_object(struct _reent *reent, int fd, struct minios_object **object) {
  intptr_t result = (intptr_t)minios_object_of(fd);
  *object = (struct minios_object *)result;
  if (result >= 0 || result < -MINIOS_MOST_ERRNO)
    return 1;
  reent->_errno = (int)-result;
  return 0;
}

/* A result that is an int, of the running thread. */
#define MINIOS_INT(call) ((int)minios_result(_REENT, (call)))

#endif

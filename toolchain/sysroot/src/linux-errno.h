/* Error numbers of Linux, in which back-ends answer, as the C library's (newlib's sys/errno.h differs from 35 on). */
#ifndef MINIOS_LINUX_ERRNO_H
#define MINIOS_LINUX_ERRNO_H

#include <errno.h>
#include <stdint.h>

/* Both negated. */
static inline int minios_linux_error(int64_t negated) {
  switch (-negated) {
    case 35:
      return -EDEADLK;
    case 36:
      return -ENAMETOOLONG;
    case 38:
      return -ENOSYS;
    case 39:
      return -ENOTEMPTY;
    case 40:
      return -ELOOP;
    case 75:
      return -EOVERFLOW;
    default:
      return (int)negated;
  }
}

#endif

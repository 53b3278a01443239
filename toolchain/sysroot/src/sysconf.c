/* sysconf, for the few limits that a program can meet here. */
#include "result.h"

#include <limits.h>
#include <mini-os/posix.h>
#include <time.h>
#include <unistd.h>

long sysconf(int name) {
  switch (name) {
    case _SC_PAGESIZE:
      return 4096;
    case _SC_CLK_TCK:
      return CLOCKS_PER_SEC;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
      return 1;
    default:
      return minios_failed(_REENT, EINVAL);
  }
}

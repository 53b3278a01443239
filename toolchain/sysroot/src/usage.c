/* getrusage: what this process has run; it has no children. */
#include "result.h"

#include <mini-os/api.h>
#include <mini-os/posix.h>
#include <stdint.h>
#include <sys/resource.h>

int getrusage(int whose, struct rusage *result) {
  if (whose != RUSAGE_SELF && whose != RUSAGE_CHILDREN)
    return minios_failed(_REENT, EINVAL);
  int64_t running = 0;
  if (whose == RUSAGE_SELF && MINIOS_INT(minios_clock_ns(MINIOS_CLOCK_RUNNING, &running)) < 0)
    return -1;
  *result = (struct rusage){
      .ru_utime = {.tv_sec = (time_t)(running / 1000000000), .tv_usec = (suseconds_t)(running % 1000000000 / 1000)},
  };
  return 0;
}

/* utime.h of POSIX; newlib's leaves the function to the system. */
#ifndef _SYS_UTIME_H
#define _SYS_UTIME_H

#include <sys/types.h>
#include <time.h>

struct utimbuf {
  time_t actime;
  time_t modtime;
};

int utime(const char *path, const struct utimbuf *times);

#endif

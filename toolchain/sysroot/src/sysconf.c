/* sysconf, pathconf and confstr: limits that a program can meet, and which parts of POSIX there are (sys/features.h says the same). */
#include "result.h"

#include <limits.h>
#include <mini-os/api.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAGE_SIZE 4096
#define ABSENT (-1L) /* there is no such limit, or no such part */

/* By name; what is not listed is ABSENT. */
static const struct {
  short name;
  long value;
} values[] = {
    {_SC_ARG_MAX, ARG_MAX},
    {_SC_CHILD_MAX, 1},
    {_SC_CLK_TCK, CLOCKS_PER_SEC},
    {_SC_NGROUPS_MAX, NGROUPS_MAX},
    {_SC_OPEN_MAX, OPEN_MAX},
    {_SC_PAGESIZE, PAGE_SIZE},
    {_SC_NPROCESSORS_CONF, 1},
    {_SC_NPROCESSORS_ONLN, 1},
    {_SC_SEM_NSEMS_MAX, SEM_NSEMS_MAX},
    {_SC_SEM_VALUE_MAX, SEM_VALUE_MAX},
    {_SC_TZNAME_MAX, 10},
    {_SC_THREAD_KEYS_MAX, PTHREAD_KEYS_MAX},
    {_SC_THREAD_STACK_MIN, PTHREAD_STACK_MIN},
    {_SC_THREAD_DESTRUCTOR_ITERATIONS, PTHREAD_DESTRUCTOR_ITERATIONS},
    {_SC_TTY_NAME_MAX, TTY_NAME_MAX},
    {_SC_LOGIN_NAME_MAX, LOGIN_NAME_MAX},
    {_SC_HOST_NAME_MAX, HOST_NAME_MAX},
    {_SC_GETPW_R_SIZE_MAX, 64},
    {_SC_GETGR_R_SIZE_MAX, 64},
    {_SC_ATEXIT_MAX, 32},
    {_SC_IOV_MAX, IOV_MAX},
    {_SC_LINE_MAX, LINE_MAX},
    {_SC_RE_DUP_MAX, RE_DUP_MAX},
    {_SC_SYMLOOP_MAX, SYMLOOP_MAX},
    {_SC_STREAM_MAX, OPEN_MAX},
    {_SC_BC_BASE_MAX, BC_BASE_MAX},
    {_SC_BC_DIM_MAX, BC_DIM_MAX},
    {_SC_BC_SCALE_MAX, BC_SCALE_MAX},
    {_SC_BC_STRING_MAX, BC_STRING_MAX},
    {_SC_EXPR_NEST_MAX, EXPR_NEST_MAX},
    {_SC_REGEXP, 1},
    {_SC_JOB_CONTROL, _POSIX_JOB_CONTROL},
    {_SC_SAVED_IDS, _POSIX_SAVED_IDS},
    {_SC_VERSION, _POSIX_VERSION},
    {_SC_FSYNC, _POSIX_FSYNC},
    {_SC_MAPPED_FILES, _POSIX_MAPPED_FILES},
    {_SC_MEMORY_PROTECTION, _POSIX_MEMORY_PROTECTION},
    {_SC_SHARED_MEMORY_OBJECTS, _POSIX_SHARED_MEMORY_OBJECTS},
    {_SC_SEMAPHORES, _POSIX_SEMAPHORES},
    {_SC_TIMERS, _POSIX_TIMERS},
    {_SC_TIMEOUTS, _POSIX_TIMEOUTS},
    {_SC_MONOTONIC_CLOCK, _POSIX_MONOTONIC_CLOCK},
    {_SC_CLOCK_SELECTION, _POSIX_CLOCK_SELECTION},
    {_SC_CPUTIME, _POSIX_CPUTIME},
    {_SC_THREAD_CPUTIME, _POSIX_THREAD_CPUTIME},
    {_SC_THREADS, _POSIX_THREADS},
    {_SC_THREAD_ATTR_STACKADDR, _POSIX_THREAD_ATTR_STACKADDR},
    {_SC_THREAD_ATTR_STACKSIZE, _POSIX_THREAD_ATTR_STACKSIZE},
    {_SC_THREAD_PRIORITY_SCHEDULING, _POSIX_THREAD_PRIORITY_SCHEDULING},
    {_SC_PRIORITY_SCHEDULING, _POSIX_PRIORITY_SCHEDULING},
    {_SC_THREAD_PROCESS_SHARED, _POSIX_THREAD_PROCESS_SHARED},
    {_SC_THREAD_SAFE_FUNCTIONS, _POSIX_THREAD_SAFE_FUNCTIONS},
    {_SC_READER_WRITER_LOCKS, _POSIX_READER_WRITER_LOCKS},
    {_SC_BARRIERS, _POSIX_BARRIERS},
    {_SC_SPIN_LOCKS, _POSIX_SPIN_LOCKS},
#ifdef _POSIX_REALTIME_SIGNALS
    {_SC_REALTIME_SIGNALS, _POSIX_REALTIME_SIGNALS},
#endif
#ifdef __x86_64__
    {_SC_V7_LP64_OFF64, 1},
#else
    {_SC_V7_ILP32_OFF32, 1},
#endif
};

long sysconf(int name) {
  int64_t pages[2];
  if (name < 0 || name > _SC_POSIX_26_VERSION)
    return minios_failed(_REENT, EINVAL);
  if (name == _SC_PHYS_PAGES || name == _SC_AVPHYS_PAGES) {
    minios_page_counts(pages);
    return (long)pages[name == _SC_AVPHYS_PAGES];
  }
  for (size_t i = 0; i < sizeof values / sizeof *values; i++)
    if (values[i].name == name)
      return values[i].value;
  return ABSENT;
}

static long limit_of(int name) {
  switch (name) {
    case _PC_LINK_MAX:
      return LINK_MAX;
    case _PC_MAX_CANON:
      return MAX_CANON;
    case _PC_MAX_INPUT:
      return MAX_INPUT;
    case _PC_NAME_MAX:
      return NAME_MAX;
    case _PC_PATH_MAX:
      return PATH_MAX;
    case _PC_PIPE_BUF:
      return PIPE_BUF;
    case _PC_CHOWN_RESTRICTED:
    case _PC_NO_TRUNC:
    case _PC_2_SYMLINKS:
      return 1;
    case _PC_VDISABLE:
      return 0;
    case _PC_FILESIZEBITS:
      return 64;
    case _PC_SYMLINK_MAX:
      return PATH_MAX - 1;
    default:
      return name < 0 || name > _PC_TIMESTAMP_RESOLUTION ? minios_failed(_REENT, EINVAL) : ABSENT;
  }
}

long fpathconf(int fd, int name) {
  return MINIOS_INT(minios_fd_kind(fd)) < 0 ? -1 : limit_of(name);
}

long pathconf(const char *path, int name) {
  return access(path, F_OK) < 0 ? -1 : limit_of(name);
}

size_t confstr(int name, char *buffer, size_t size) {
  static const char path[] = "/bin:/usr/bin";
  if (name != _CS_PATH) {
    minios_failed(_REENT, EINVAL);
    return 0;
  }
  if (size > 0) {
    strncpy(buffer, path, size - 1);
    buffer[size < sizeof path ? size - 1 : sizeof path - 1] = '\0';
  }
  return sizeof path;
}

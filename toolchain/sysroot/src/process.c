/* A domain is one process: it can end, it has a number, and there is nobody else to signal, wait for or become. */
#include "result.h"
#include "settling.h"

#include <mini-os/api.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOMAIN_PID 1

void _exit(int status) {
  minios_settle(-1);
  minios_exit(status);
  __builtin_unreachable();
}

int _getpid_r(struct _reent *reent) {
  (void)reent;
  return DOMAIN_PID;
}

/* newlib's signal() and raise() deliver what has a handler; what comes here takes the default action. */
int _kill_r(struct _reent *reent, int pid, int signal) {
  if (pid != DOMAIN_PID && pid != 0)
    return minios_failed(reent, ESRCH);
  if (signal < 0 || signal >= NSIG)
    return minios_failed(reent, EINVAL);
  switch (signal) {
    case 0:
    case SIGCHLD:
    case SIGCONT:
    case SIGURG:
    case SIGWINCH:
      return 0;
    case SIGABRT:
      minios_abort();
      __builtin_unreachable();
    default:
      _exit(128 + signal); /* as a shell shows it */
  }
}

int _fork_r(struct _reent *reent) {
  return minios_failed(reent, ENOSYS);
}

int _execve_r(struct _reent *reent, const char *path, char *const *arguments,
              char *const *environment) {
  (void)path;
  (void)arguments;
  (void)environment;
  return minios_failed(reent, ENOSYS);
}

int _wait_r(struct _reent *reent, int *status) {
  (void)status;
  return minios_failed(reent, ECHILD);
}

pid_t getppid(void) {
  return 0;
}

uid_t getuid(void) {
  return 0;
}

uid_t geteuid(void) {
  return 0;
}

gid_t getgid(void) {
  return 0;
}

gid_t getegid(void) {
  return 0;
}

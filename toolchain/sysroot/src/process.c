/* A domain is one process: it can end, it has a number, and there is nobody else to signal, wait for or become. */
#include "result.h"
#include "settling.h"

#include <mini-os/api.h>
#include <mini-os/console.h>
#include <signal.h>
#include <stdbool.h>
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

/* Also the one process of its group. -1 is all others, as on Linux, and there are none. */
int _kill_r(struct _reent *reent, int pid, int signal) {
  if (signal < 0 || signal >= NSIG)
    return minios_failed(reent, EINVAL);
  if (pid != DOMAIN_PID && pid != 0)
    return minios_failed(reent, ESRCH);
  return (int)minios_result(reent, minios_signal(NULL, signal, SI_USER, NULL));
}

/* Said once of each, on the console: a program that goes on without may look as if it worked. */
#define NEVER(reent, name)                                                      \
  do {                                                                          \
    static bool said;                                                           \
    if (!said)                                                                  \
      printk("Mini-OS: " name " is not there: a domain is one process\n");      \
    said = true;                                                                \
    minios_failed(reent, ENOSYS);                                               \
  } while (0)

int _fork_r(struct _reent *reent) {
  NEVER(reent, "fork");
  return -1;
}

pid_t vfork(void) {
  return _fork_r(_REENT);
}

int _execve_r(struct _reent *reent, const char *path, char *const *arguments, char *const *environment) {
  (void)path;
  (void)arguments;
  (void)environment;
  NEVER(reent, "exec");
  return -1;
}

int execv(const char *path, char *const *arguments) {
  return execve(path, arguments, environ);
}

int execvp(const char *file, char *const *arguments) {
  return execve(file, arguments, environ);
}

int execvpe(const char *file, char *const *arguments, char *const *environment) {
  return execve(file, arguments, environment);
}

int fexecve(int fd, char *const *arguments, char *const *environment) {
  (void)fd;
  return execve(NULL, arguments, environment);
}

int execl(const char *path, const char *argument, ...) {
  (void)argument;
  return execve(path, NULL, NULL);
}

int execlp(const char *file, const char *argument, ...) {
  (void)argument;
  return execve(file, NULL, NULL);
}

int execle(const char *path, const char *argument, ...) {
  (void)argument;
  return execve(path, NULL, NULL);
}

/* There is no shell to ask (C 7.22.4.8). */
int system(const char *command) {
  if (command == NULL)
    return 0;
  NEVER(_REENT, "system");
  return -1;
}

int _wait_r(struct _reent *reent, int *status) {
  (void)status;
  return minios_failed(reent, ECHILD);
}

pid_t waitpid(pid_t pid, int *status, int options) {
  (void)pid;
  (void)status;
  (void)options;
  return minios_failed(_REENT, ECHILD);
}

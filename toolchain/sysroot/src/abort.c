/* SIGABRT's handler is asked, and then the domain ends whatever it did (C 7.22.4.1, POSIX XSH abort). */
#include <mini-os/api.h>
#include <signal.h>
#include <stdlib.h>

void abort(void) {
  struct sigaction action;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGABRT);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  if (sigaction(SIGABRT, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
    raise(SIGABRT);
  minios_abort();
  __builtin_unreachable();
}

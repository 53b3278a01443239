/* The older calls of X/Open, which set mask and handler in one (POSIX XSH sighold). */
#include "result.h"

#include <signal.h>

static int change_mask(int how, int signal) {
  sigset_t set;
  sigemptyset(&set);
  return sigaddset(&set, signal) < 0 ? -1 : sigprocmask(how, &set, NULL);
}

int sighold(int signal) {
  return change_mask(SIG_BLOCK, signal);
}

int sigrelse(int signal) {
  return change_mask(SIG_UNBLOCK, signal);
}

int sigignore(int signal) {
  struct sigaction action = {.sa_handler = SIG_IGN};
  return sigaction(signal, &action, NULL);
}

int sigpause(int signal) {
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  return sigdelset(&mask, signal) < 0 ? -1 : sigsuspend(&mask);
}

_sig_func_ptr sigset(int signal, _sig_func_ptr handler) {
  struct sigaction action = {0}, old;
  sigset_t set, before;
  sigemptyset(&set);
  if (handler == SIG_ERR || sigaddset(&set, signal) < 0 || sigaction(signal, NULL, &old) < 0) {
    errno = EINVAL;
    return SIG_ERR;
  }
  if (handler != SIG_HOLD) {
    action.sa_handler = handler;
    if (sigaction(signal, &action, NULL) < 0)
      return SIG_ERR;
  }
  sigprocmask(handler == SIG_HOLD ? SIG_BLOCK : SIG_UNBLOCK, &set, &before);
  return sigismember(&before, signal) ? SIG_HOLD : old.sa_handler;
}

/* What to do about signals, and sending them; the kernel has them (mini-os/api.h: minios_sig*). */
#include "result.h"

#include <mini-os/api.h>
#include <mini-os/sched.h>
#include <signal.h>
#include <unistd.h>

/* Handlers of signal() that siginterrupt wants to end calls. */
static sigset_t interrupting;

#define BIT(signal) ((sigset_t)1 << ((signal)-1))

int sigaction(int signal, const struct sigaction *action, struct sigaction *old) {
  return MINIOS_INT(minios_sigaction(signal, action, old));
}

/* As BSD and Linux have it: the handler stays, and calls are restarted. */
_sig_func_ptr signal(int signal, _sig_func_ptr handler) {
  struct sigaction action = {.sa_flags = SA_RESTART}, old;
  if (handler == SIG_ERR || signal < 1 || signal >= NSIG) {
    errno = EINVAL;
    return SIG_ERR;
  }
  action.sa_handler = handler;
  action.sa_mask = BIT(signal);
  if (interrupting & BIT(signal))
    action.sa_flags = 0;
  return sigaction(signal, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

_sig_func_ptr _signal_r(struct _reent *reent, int number, _sig_func_ptr handler) {
  (void)reent;
  return signal(number, handler);
}

int siginterrupt(int signal, int flag) {
  struct sigaction action;
  if (sigaction(signal, NULL, &action) < 0)
    return -1;
  if (flag) {
    interrupting |= BIT(signal);
    action.sa_flags &= ~SA_RESTART;
  } else {
    interrupting &= ~BIT(signal);
    action.sa_flags |= SA_RESTART;
  }
  return sigaction(signal, &action, NULL);
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old) {
  return MINIOS_INT(minios_sigprocmask(how, set, old));
}

int sigpending(sigset_t *set) {
  return MINIOS_INT(minios_sigpending(set));
}

int sigaltstack(const stack_t *stack, stack_t *old) {
  return MINIOS_INT(minios_sigaltstack(stack, old));
}

int raise(int signal) {
  return MINIOS_INT(minios_signal(get_current(), signal, SI_TKILL, NULL));
}

int _raise_r(struct _reent *reent, int signal) {
  return (int)minios_result(reent, minios_signal(get_current(), signal, SI_TKILL, NULL));
}

int killpg(pid_t group, int signal) {
  return group < 0 ? minios_failed(_REENT, EINVAL) : kill(group, signal);
}

int sigqueue(pid_t pid, int signal, const union sigval value) {
  if (pid != getpid())
    return minios_failed(_REENT, signal < 0 || signal >= NSIG ? EINVAL : ESRCH);
  return MINIOS_INT(minios_signal(NULL, signal, SI_QUEUE, value.sival_ptr));
}

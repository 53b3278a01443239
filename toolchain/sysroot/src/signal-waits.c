/* Waiting for signals. */
#include "duration.h"
#include "result.h"

#include <mini-os/api.h>
#include <signal.h>
#include <unistd.h>

int sigsuspend(const sigset_t *set) {
  return MINIOS_INT(minios_sigsuspend(set));
}

int pause(void) {
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  return sigsuspend(&mask);
}

int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout) {
  if (timeout != NULL && !minios_is_duration(timeout))
    return minios_failed(_REENT, EINVAL);
  int result = MINIOS_INT(minios_sigtimedwait(set, info, timeout == NULL ? -1 : minios_duration(timeout)));
  /* POSIX: what raise has sent is SI_USER; handlers see Linux's own code. */
  if (result > 0 && info != NULL && info->si_code == SI_TKILL)
    info->si_code = SI_USER;
  return result;
}

int sigwaitinfo(const sigset_t *set, siginfo_t *info) {
  return sigtimedwait(set, info, NULL);
}

/* No handler ends it, as on Linux. */
int sigwait(const sigset_t *set, int *signal) {
  int result;
  do
    result = minios_sigtimedwait(set, NULL, -1);
  while (result == -EINTR);
  if (result < 0)
    return -result;
  *signal = result;
  return 0;
}

/* Sets of signals (POSIX XSH sigemptyset and its kin, and GNU's). */
#include "result.h"

#include <signal.h>

#define BIT(signal) ((sigset_t)1 << ((signal)-1))

static int is_signal(int signal) {
  return signal >= 1 && signal < NSIG;
}

int sigemptyset(sigset_t *set) {
  *set = 0;
  return 0;
}

/* Without 32 and 33, which are the C library's own on Linux. */
int sigfillset(sigset_t *set) {
  *set = ~(BIT(32) | BIT(33));
  return 0;
}

int sigaddset(sigset_t *set, int signal) {
  if (!is_signal(signal))
    return minios_failed(_REENT, EINVAL);
  *set |= BIT(signal);
  return 0;
}

int sigdelset(sigset_t *set, int signal) {
  if (!is_signal(signal))
    return minios_failed(_REENT, EINVAL);
  *set &= ~BIT(signal);
  return 0;
}

int sigismember(const sigset_t *set, int signal) {
  if (!is_signal(signal))
    return minios_failed(_REENT, EINVAL);
  return (*set & BIT(signal)) != 0;
}

int sigisemptyset(const sigset_t *set) {
  return *set == 0;
}

int sigorset(sigset_t *result, const sigset_t *left, const sigset_t *right) {
  *result = *left | *right;
  return 0;
}

int sigandset(sigset_t *result, const sigset_t *left, const sigset_t *right) {
  *result = *left & *right;
  return 0;
}

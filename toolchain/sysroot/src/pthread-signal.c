/* Signals of one thread (POSIX XSH pthread_kill, pthread_sigmask, and GNU's pthread_sigqueue). */
#include "pthread-internal.h"

#include <mini-os/api.h>
#include <signal.h>

/* A thread that has ended and waits to be joined takes it, and nothing comes of that, as with glibc. */
static int send(pthread_t thread, int signal, int code, void *value) {
  if (signal < 0 || signal >= NSIG)
    return EINVAL;
  if (!minios_pthread_known(thread))
    return ESRCH;
  return thread->thread == NULL ? 0 : -minios_signal(thread->thread, signal, code, value);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
  minios_take_turns();
  return -minios_sigprocmask(how, set, old);
}

int pthread_kill(pthread_t thread, int signal) {
  minios_take_turns();
  return send(thread, signal, SI_TKILL, NULL);
}

int pthread_sigqueue(pthread_t thread, int signal, const union sigval value) {
  return send(thread, signal, SI_QUEUE, value.sival_ptr);
}

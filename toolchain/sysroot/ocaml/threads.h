/* What stands behind OCaml's st_posix.h on one processor whose threads give way by themselves alone: its own tick would never have a
 * turn, and nobody would ever wait for the lock that it gives up. */
#include <mini-os/posix.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#define TICK_SIGNAL SIGRTMAX

static const struct timespec tick = {.tv_nsec = Thread_timeout * 1000000};
static timer_t tick_timer;

/* Asked before the lock is given up: others are let run until they wait for it. */
Caml_inline int st_masterlock_waiters(st_masterlock *lock) {
  sched_yield();
  return st_masterlock_waiters_so_far(lock);
}

static void caml_thread_ask(int signal) {
  (void)signal;
  caml_record_signal(SIGPREEMPTION);
}

/* Each 50 ms that the domain has run, the thread that runs is asked to give way where it next allocates. No call of a program's ends
 * with EINTR for it: elsewhere the tick is no signal. */
static void caml_thread_start_ticking(void) {
  struct sigaction action = {.sa_handler = caml_thread_ask, .sa_flags = MINIOS_SA_ASIDE};
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = TICK_SIGNAL};
  struct itimerspec setting = {.it_interval = tick, .it_value = tick};
  sigaction(TICK_SIGNAL, &action, NULL);
  timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &tick_timer);
  timer_settime(tick_timer, 0, &setting, NULL);
}

static void *caml_thread_until_stop(void *argument) {
  sigset_t all;
  (void)argument;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, NULL);
  while (!caml_tick_thread_stop) nanosleep(&tick, NULL);
  timer_delete(tick_timer);
  return NULL;
}

/* st_stubs.c starts a thread with it, which might have its first turn only when another has computed to its end. */
#define caml_thread_tick (caml_thread_start_ticking(), caml_thread_until_stop)

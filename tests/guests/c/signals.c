/* Signals that a program sends itself: what handlers are told, masks, queues, waits, stacks and jumps. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static volatile int calls;

static const char *members(const sigset_t *set) {
  static char text[400];
  char *at = text;
  *at = '\0';
  for (int signal = 1; signal < 65; signal++)
    if (sigismember(set, signal) == 1)
      at += sprintf(at, " %d", signal);
  return text;
}

static const char *mask(void) {
  sigset_t set;
  sigprocmask(SIG_BLOCK, NULL, &set);
  return members(&set);
}

static const char *pending(void) {
  sigset_t set;
  sigpending(&set);
  return members(&set);
}

static void change(int how, int signal) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  sigprocmask(how, &set, NULL);
}

static void simple(int signal) {
  calls++;
  printf("  handler %d, mask%s\n", signal, mask());
}

static void informed(int signal, siginfo_t *info, void *context) {
  ucontext_t *saved = context;
  sigset_t set;
  memcpy(&set, &saved->uc_sigmask, sizeof set < 8 ? sizeof set : 8);
  printf("  handler %d: signo %d errno %d code %d self %d value %d\n", signal, info->si_signo, info->si_errno,
         info->si_code, info->si_pid == getpid(), info->si_code == SI_QUEUE ? info->si_value.sival_int : -1);
  printf("  stack flags %d, link %d\n", saved->uc_stack.ss_flags, saved->uc_link != NULL);
}

static void on(int signal, void (*handler)(int), int flags) {
  struct sigaction action = {0};
  action.sa_handler = handler;
  action.sa_flags = flags;
  printf("sigaction %d: %d\n", signal, sigaction(signal, &action, NULL));
}

static void with_info(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
  struct sigaction action = {0};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | flags;
  printf("sigaction %d: %d\n", signal, sigaction(signal, &action, NULL));
}

static void sets(void) {
  sigset_t set;
  sigemptyset(&set);
  printf("empty:%s\n", members(&set));
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 3);
  sigaddset(&set, 1);
  sigaddset(&set, 64);
  sigdelset(&set, 1);
  printf("some:%s\n", members(&set));
  sigfillset(&set);
  printf("full:%s\n", members(&set));
  sigset_t both, either, one;
  sigemptyset(&one);
  printf("is empty: %d", sigisemptyset(&one));
  sigaddset(&one, SIGUSR2);
  sigaddset(&one, SIGALRM);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGALRM);
  printf(" %d", sigisemptyset(&one));
  printf(", and %d", sigandset(&both, &one, &set));
  printf("%s", members(&both));
  printf(", or %d", sigorset(&either, &one, &set));
  printf("%s\n", members(&either));
  errno = 0;
  printf("bad: %d", sigaddset(&set, 0));
  printf(" %d %d %d\n", sigaddset(&set, 65), sigismember(&set, -1), errno == EINVAL);
}

static void sending(void) {
  on(SIGUSR1, simple, 0);
  printf("raise: %d\n", raise(SIGUSR1));
  printf("kill: %d\n", kill(getpid(), SIGUSR1));
  printf("kill 0: %d\n", kill(getpid(), 0));
  with_info(SIGUSR2, informed, 0);
  raise(SIGUSR2);
  kill(getpid(), SIGUSR2);
  sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 42});
  on(SIGUSR1, simple, SA_NODEFER);
  raise(SIGUSR1);
  on(SIGUSR1, simple, SA_RESETHAND);
  raise(SIGUSR1);
  struct sigaction now;
  sigaction(SIGUSR1, NULL, &now);
  printf("reset: %d\n", now.sa_handler == SIG_DFL);
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  printf("signal: %d\n", signal(SIGUSR1, simple) == SIG_IGN);
  raise(SIGUSR1);
  raise(SIGUSR1);
  signal(SIGCHLD, SIG_DFL);
  raise(SIGCHLD);
  raise(SIGWINCH);
  raise(SIGURG);
  raise(SIGCONT);
  errno = 0;
  printf("bad: %d %d", raise(65), errno == EINVAL);
  printf(" %d %d", kill(getpid(), -1), errno == EINVAL);
  printf(" %d %d", sigaction(SIGKILL, &now, NULL), errno == EINVAL);
  printf(" %d", sigaction(SIGKILL, NULL, &now));
  printf(" %d", signal(SIGSTOP, SIG_IGN) == SIG_ERR);
  printf(" %d %d\n", kill(0x7ffffff0, 0), errno == ESRCH);
}

static void blocking(void) {
  signal(SIGUSR1, simple);
  on(SIGUSR2, simple, 0);
  change(SIG_BLOCK, SIGUSR1);
  change(SIG_BLOCK, SIGUSR2);
  change(SIG_BLOCK, SIGKILL);
  printf("mask%s\n", mask());
  raise(SIGUSR1);
  raise(SIGUSR1);
  kill(getpid(), SIGUSR2);
  printf("pending%s\n", pending());
  change(SIG_UNBLOCK, SIGUSR1);
  printf("pending%s\n", pending());
  signal(SIGUSR2, SIG_IGN);
  printf("ignored: pending%s\n", pending());
  raise(SIGUSR2);
  printf("ignored, blocked: pending%s\n", pending());
  signal(SIGUSR2, simple);
  change(SIG_UNBLOCK, SIGUSR2);
  printf("mask%s pending%s\n", mask(), pending());
  printf("bad how: %d\n", sigprocmask(77, &(sigset_t){0}, NULL));
}

static volatile int order[8], many;

static void ordered(int signal, siginfo_t *info, void *context) {
  (void)context;
  order[many++ & 7] = (signal - SIGRTMIN) * 100 + info->si_value.sival_int;
}

static void queues(void) {
  sigset_t set, old;
  sigemptyset(&set);
  for (int i = 0; i < 3; i++) {
    struct sigaction action = {0};
    action.sa_sigaction = ordered;
    action.sa_flags = SA_SIGINFO;
    sigfillset(&action.sa_mask);
    sigaction(SIGRTMIN + i, &action, NULL);
    sigaddset(&set, SIGRTMIN + i);
  }
  sigprocmask(SIG_BLOCK, &set, &old);
  sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 1});
  sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 2});
  sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 3});
  sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 4});
  sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 5});
  printf("queued:%s\n", pending());
  sigprocmask(SIG_SETMASK, &old, NULL);
  for (int i = 0; i < many; i++)
    printf(" %d", order[i]);
  printf("\nnone left:%s\n", pending());
}

static void waiting(void) {
  sigset_t set, none;
  siginfo_t info;
  int signal = 0;
  sigemptyset(&set);
  sigemptyset(&none);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN);
  sigprocmask(SIG_BLOCK, &set, NULL);
  struct timespec moment = {.tv_nsec = 1000000};
  printf("sigtimedwait: %d", sigtimedwait(&set, &info, &moment));
  printf(" %d\n", errno == EAGAIN);
  raise(SIGUSR1);
  printf("sigwait: %d", sigwait(&set, &signal));
  printf(" %d\n", signal);
  sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 7});
  printf("sigwaitinfo: %d", sigwaitinfo(&set, &info) == SIGRTMIN);
  printf(" code %d value %d\n", info.si_code, info.si_value.sival_int);
  raise(SIGUSR1);
  printf("sigsuspend\n");
  errno = 0;
  printf("%d", sigsuspend(&none));
  printf(" %d, mask%s\n", errno == EINTR, mask());
  change(SIG_UNBLOCK, SIGRTMIN);
  change(SIG_UNBLOCK, SIGUSR1);
}

static char other[1 << 16];
static char *volatile place;

static void elsewhere(int signal, siginfo_t *info, void *context) {
  char here;
  stack_t now;
  (void)info;
  place = &here;
  sigaltstack(NULL, &now);
  printf("  handler %d: on the other stack %d, flags %d, saved flags %d\n", signal, place >= other && place < other + sizeof other,
         now.ss_flags, ((ucontext_t *)context)->uc_stack.ss_flags);
  errno = 0;
  printf("  change: %d %d\n", sigaltstack(&(stack_t){.ss_flags = SS_DISABLE}, NULL), errno == EPERM);
  if (calls++ < 1)
    raise(SIGUSR2);
}

static void stacks(void) {
  stack_t before, wanted = {.ss_sp = other, .ss_size = sizeof other};
  sigaltstack(NULL, &before);
  printf("none: flags %d\n", before.ss_flags);
  errno = 0;
  printf("small: %d", sigaltstack(&(stack_t){.ss_sp = other, .ss_size = 100}, NULL));
  printf(" %d\n", errno == ENOMEM);
  printf("bad: %d", sigaltstack(&(stack_t){.ss_sp = other, .ss_size = sizeof other, .ss_flags = 99}, NULL));
  printf(" %d\n", errno == EINVAL);
  printf("set: %d\n", sigaltstack(&wanted, &before));
  sigaltstack(NULL, &before);
  printf("now: %d %d %d\n", before.ss_sp == other, before.ss_flags, before.ss_size == sizeof other);
  calls = 0;
  with_info(SIGUSR2, elsewhere, SA_ONSTACK | SA_NODEFER);
  raise(SIGUSR2);
  with_info(SIGUSR2, elsewhere, 0);
  raise(SIGUSR2);
  wanted.ss_flags = SS_DISABLE;
  printf("off: %d\n", sigaltstack(&wanted, NULL));
}

static sigjmp_buf back;

static void jump(int signal) {
  printf("  handler %d, mask%s\n", signal, mask());
  siglongjmp(back, signal);
}

static void jumps(void) {
  for (volatile int round = 0; round < 3; round++) {
    on(SIGUSR1, jump, 0);
    int got = sigsetjmp(back, round < 2);
    if (got == 0)
      raise(SIGUSR1);
    printf("back with %d, mask%s\n", got, mask());
  }
  change(SIG_UNBLOCK, SIGUSR1);
}

static void older(void) {
  printf("sigset: %d", sigset(SIGUSR1, simple) == jump);
  printf(" %d", sigset(SIGUSR1, SIG_HOLD) == simple);
  printf(" %d, mask%s\n", sigset(SIGUSR1, simple) == SIG_HOLD, mask());
  printf("sighold: %d, mask%s\n", sighold(SIGUSR1), mask());
  raise(SIGUSR1);
  printf("sigrelse\n");
  printf("%d, mask%s\n", sigrelse(SIGUSR1), mask());
  sigset(SIGUSR1, simple);
  sighold(SIGUSR1);
  raise(SIGUSR1);
  errno = 0;
  printf("sigpause: %d", sigpause(SIGUSR1));
  printf(" %d, mask%s\n", errno == EINTR, mask());
  sigrelse(SIGUSR1);
  struct sigaction now;
  printf("siginterrupt: %d", siginterrupt(SIGUSR1, 1));
  sigaction(SIGUSR1, NULL, &now);
  printf(" %d", (now.sa_flags & SA_RESTART) != 0);
  printf(" %d", siginterrupt(SIGUSR1, 0));
  sigaction(SIGUSR1, NULL, &now);
  printf(" %d", (now.sa_flags & SA_RESTART) != 0);
  printf(" %d\n", siginterrupt(99, 0));
  printf("killpg: %d", killpg(getpgrp(), 0));
  printf(" %d\n", killpg(1 << 20, 0) == -1 && errno == ESRCH);
  printf("sigignore: %d\n", sigignore(SIGUSR1));
  raise(SIGUSR1);
}

static void names(void) {
  for (int signal = 0; signal < 66; signal++)
    if (signal != 32 && signal != 33)
      printf("%d %s\n", signal, strsignal(signal));
}

static volatile int depth;

static void nested(int signal) {
  if (depth++ < 20)
    raise(signal);
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  sets();
  sending();
  blocking();
  queues();
  waiting();
  stacks();
  jumps();
  older();
  names();
  on(SIGUSR1, nested, SA_NODEFER);
  raise(SIGUSR1);
  printf("nested %d\n", depth);
  return 3;
}

/* Ends by a signal, in the way that its first argument names. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void handle(int signal) {
  char line[] = "handled  \n";
  line[8] = (char)('0' + signal % 10);
  write(1, line, sizeof line - 1);
}

static volatile char *volatile wild = (char *)0x70000000;

__attribute__((noinline)) static int recurse(volatile char *p) {
  volatile char frame[4096];
  frame[0] = *p;
  return recurse(frame) + frame[0];
}

int main(int argc, char **argv) {
  static char small[4096];
  const char *how = argc > 1 ? argv[1] : "";
  sigset_t set;
  sigemptyset(&set);
  if (atoi(how) > 0)
    raise(atoi(how));
  if (!strcmp(how, "unblock")) {
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGTERM);
    write(1, "blocked\n", 8);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
  }
  if (!strcmp(how, "abort")) {
    signal(SIGABRT, handle);
    sigaddset(&set, SIGABRT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    abort();
  }
  if (!strcmp(how, "no stack")) {
    signal(SIGSEGV, handle);
    recurse(small);
  }
  if (!strcmp(how, "blocked fault")) {
    signal(SIGSEGV, handle);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    *wild = 1;
  }
  if (!strcmp(how, "ignored fault")) {
    signal(SIGSEGV, SIG_IGN);
    *wild = 1;
  }
  if (!strcmp(how, "full")) {
    stack_t stack = {.ss_sp = small, .ss_size = sizeof small};
    struct sigaction action = {0};
    sigaltstack(&stack, NULL);
    action.sa_handler = (void (*)(int))raise;
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
  }
  if (!strcmp(how, "alarm")) {
    alarm(1);
    for (;;)
      pause();
  }
  if (!strcmp(how, "pipe")) {
    int ends[2];
    pipe(ends);
    close(ends[0]);
    write(ends[1], "x", 1);
  }
  write(1, "end\n", 4);
  return 0;
}

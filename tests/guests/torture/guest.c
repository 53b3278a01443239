/*
 * Runs the tests whose numbers are its arguments, one after another in one guest, and says which begins and with which
 * status it ended. `exit` in a test comes here; whatever ends the guest is seen by whoever booted it, who boots it again.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern int (*const torture_tests[])(int, char **, char **);

static jmp_buf ended;
static volatile int status;
static int out; /* tests may close standard output, or send it elsewhere */

void torture_exit(int value) {
  status = value;
  longjmp(ended, 1);
}

static void say(const char *what, int test, int value) {
  char line[64];
  fflush(stdout);
  write(out, line, (size_t)snprintf(line, sizeof line, "\n@%s %d %d\n", what, test, value & 0xff));
}

static void run(int test, char **argv, char **environment) {
  const unsigned mxcsr = 0x1f80;
  __asm__ volatile("fninit\n\tldmxcsr %0" : : "m"(mxcsr));
  status = 0;
  if (setjmp(ended) == 0)
    status = torture_tests[test](1, argv, environment);
}

int main(int argc, char **argv, char **environment) {
  out = dup(1);
  for (int i = 1; i < argc; i++) {
    int test = atoi(argv[i]);
    say("begins", test, 0);
    run(test, argv, environment);
    say("ends", test, status);
  }
  return 0;
}

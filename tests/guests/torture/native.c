/* Runs the tests whose numbers are its arguments, each in a process of its own, and prints which ended with which status. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern int (*const torture_tests[])(int, char **, char **);

#define SECONDS 20

static void run(int test, char **argv, char **environment) {
  alarm(SECONDS);
  if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
    _exit(126);
  exit(torture_tests[test](1, argv, environment));
}

int main(int argc, char **argv, char **environment) {
  for (int i = 1; i < argc; i++) {
    int test = atoi(argv[i]);
    int status = 0;
    pid_t child = fork();
    if (child < 0)
      return 1;
    if (child == 0)
      run(test, argv, environment);
    if (waitpid(child, &status, 0) < 0)
      return 1;
    int value = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    printf("\n@ends %d %d\n", test, value);
    fflush(stdout);
  }
  return 0;
}

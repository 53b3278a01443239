/* Runs the test whose number is its first argument; each is a main of its own. */
#include <stdlib.h>

extern int (*const posix_tests[])(int, char **);

int main(int argc, char **argv) {
  return argc < 2 ? 99 : posix_tests[atoi(argv[1])](argc - 1, argv + 1);
}

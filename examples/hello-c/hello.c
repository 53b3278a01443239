/* Hello from a stub domain: plain C, Mini-OS beneath it, and nothing else. */
#include <stdio.h>

int main(int argc, char **argv) {
  printf("Hello, world!\n");
  for (int i = 1; i < argc; i++)
    printf("Hello, %s!\n", argv[i]);
  printf("This is a stub domain, and its pi is %.5f.\n", 355 / 113.0);
  return 0;
}

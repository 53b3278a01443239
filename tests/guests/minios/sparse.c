/* A gigabyte that nobody writes, twice. */
#include <stdio.h>
#include <stdlib.h>

#define GIGABYTE (1u << 30)
static char bss[GIGABYTE];

int main(int argc, char **argv) {
  char *heap = calloc(GIGABYTE / 16, 16);
  int sum = heap == NULL;
  (void)argv;
  for (int i = 0; i < 16; i++)
    sum += bss[i * (GIGABYTE / 16) + (unsigned)argc] + (heap == NULL ? 0 : heap[i * (GIGABYTE / 16)]);
  /* Where there is no such number of bytes there is no memory. */
  volatile size_t many = (size_t)-1 / 8;
  printf("%d, %d\n", sum, calloc(many, 16) == NULL);
  if (heap != NULL)
    heap[GIGABYTE - 1] = bss[GIGABYTE - 1] = 1;
  return 0;
}

/* Thread switches and selects, counted by their number: `switches N`, `selects N`; or a bss that nobody touches: `bss`. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <unistd.h>

#define PIPES 50

#ifndef BSS
#define BSS 4096
#endif
static char untouched[BSS];

static void *yield(void *data) {
  for (long i = (long)data; i > 0; i--)
    sched_yield();
  return NULL;
}

/* Two threads give way to each other. */
static void switches(long count) {
  pthread_t threads[2];
  for (int i = 0; i < 2; i++)
    pthread_create(&threads[i], NULL, yield, (void *)(count / 2));
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
}

/* Over both ends of the pipes, of which the last has something to read; all that can be written to are asked for, too. */
static long selects(long count) {
  int ends[PIPES][2], highest = 0;
  long ready = 0;
  for (int i = 0; i < PIPES; i++) {
    if (pipe(ends[i]) != 0)
      exit(1);
    highest = ends[i][1] > highest ? ends[i][1] : highest;
  }
  if (write(ends[PIPES - 1][1], "x", 1) != 1)
    exit(1);
  for (; count > 0; count--) {
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    for (int i = 0; i < PIPES; i++) {
      FD_SET(ends[i][0], &readable);
      FD_SET(ends[i][1], &writable);
    }
    ready += select(highest + 1, &readable, &writable, NULL, NULL);
  }
  return ready;
}

int main(int argc, char **argv) {
  long count = argc > 2 ? atol(argv[2]) : 0;
  long result = count;
  if (strcmp(argv[1], "switches") == 0)
    switches(count);
  else if (strcmp(argv[1], "selects") == 0)
    result = selects(count) / (PIPES + 1);
  else
    result = untouched[sizeof untouched / 2];
  printf("%s %ld\n", argv[1], result);
  return 0;
}

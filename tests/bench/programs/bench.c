/*
 * The main of every benchmark program: `PROGRAM ROUNDS` prints the checksum, the nanoseconds of the first quarter as many
 * rounds, in which an emulator still translates and V8 still optimises, and those of the measured section after it.
 */
#include "bench.h"

#include <stdio.h>
#include <time.h>

uint32_t random_state = 0x2545f491;

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s ROUNDS\n", argv[0]);
    return 2;
  }
  unsigned rounds = (unsigned)strtoul(argv[1], NULL, 10);
  prepare();
  int64_t start = nanoseconds();
  uint64_t first_sum = work((rounds + 3) / 4);
  int64_t middle = nanoseconds();
  uint64_t sum = mix(first_sum, work(rounds));
  int64_t end = nanoseconds();
  printf("checksum %08lx%08lx\n", (unsigned long)(sum >> 32), (unsigned long)(sum & 0xffffffff));
  printf("first %.0f\n", (double)(middle - start));
  printf("nanoseconds %.0f\n", (double)(end - middle));
  return 0;
}

/* The C library's memcpy, memmove and memset over blocks from 16 bytes to 64 KiB. */
#include "bench.h"

#define BYTES (256 * 1024)

static uint8_t one[BYTES], other[BYTES];
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static void *(*volatile move)(void *, const void *, size_t) = memmove;
static void *(*volatile set)(void *, int, size_t) = memset;

void prepare(void) {
  for (int i = 0; i < BYTES; i++)
    one[i] = (uint8_t)next_random();
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    for (size_t size = 16; size <= 65536; size *= 4) {
      size_t at = i * 61 % (BYTES - 65536 - 64), to = i * 127 % (BYTES - 65536 - 64);
      copy(other + to, one + at, size);
      move(other + to + 5, other + to, size);
      set(one + to, (int)i, size / 4);
      sum = mix(sum, other[to + size / 2] + one[at + size / 3]);
    }
  }
  return sum;
}

/* What the benchmark programs share: the two functions each defines, random numbers, and a checksum. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Makes the data; its time does not count. */
void prepare(void);
/* The measured section. Its result depends on everything that was computed, and is the same on every machine. */
uint64_t work(unsigned rounds);

#define NOINLINE __attribute__((noinline))

extern uint32_t random_state;

/* Marsaglia, "Xorshift RNGs": the triple 13, 17, 5. */
static inline uint32_t next_random(void) {
  uint32_t x = random_state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  return random_state = x;
}

static inline uint64_t mix(uint64_t sum, uint64_t value) {
  return (sum << 7 | sum >> 57) * 0x9e3779b97f4a7c15u + value;
}

static inline uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

#endif

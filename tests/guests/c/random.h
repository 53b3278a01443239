/* Random numbers, the same for a seed wherever they are drawn. */
#include <stdint.h>
#include <stdlib.h>

static uint64_t state;

static uint64_t bits64(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state * 0x9e3779b97f4a7c15u;
}

static unsigned below(unsigned count) {
  return (unsigned)((bits64() >> 32) % count);
}

static void start_random(const char *seed) {
  state = 88172645463325252u ^ (strtoull(seed, NULL, 10) << 16);
  for (int i = 0; i < 20; i++)
    bits64();
}

/* Copies a buffer word by word, in a loop that stays one. */
#include "bench.h"

#define WORDS 4096

static uint32_t from[WORDS], to[WORDS];

void prepare(void) {
  for (int i = 0; i < WORDS; i++)
    from[i] = next_random();
}

__attribute__((noinline, optimize("no-tree-loop-distribute-patterns", "no-tree-vectorize"))) static void
copy(uint32_t *target, const uint32_t *source, size_t count) {
  for (size_t i = 0; i < count; i++)
    target[i] = source[i];
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    from[i % WORDS] += i;
    copy(to, from, WORDS);
    sum = mix(sum, to[i * 7 % WORDS]);
  }
  return sum;
}

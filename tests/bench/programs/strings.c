/* REP MOVS and REP STOS by bytes and by words of 32 bits, over blocks from 64 bytes to 64 KiB. */
#include "bench.h"

#define BYTES (256 * 1024)

static uint8_t one[BYTES], other[BYTES];

void prepare(void) {
  for (int i = 0; i < BYTES; i++)
    one[i] = (uint8_t)next_random();
}

static inline void move_bytes(void *to, const void *from, size_t count) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static inline void move_words(void *to, const void *from, size_t count) {
  __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static inline void store_bytes(void *to, uint8_t value, size_t count) {
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

static inline void store_words(void *to, uint32_t value, size_t count) {
  __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    for (size_t size = 64; size <= 65536; size *= 4) {
      size_t at = i * 61 % (BYTES - 65536 - 64), to = i * 127 % (BYTES - 65536 - 64);
      move_bytes(other + to, one + at, size);
      move_words(one + at + 1, other + to, size / 4);
      store_bytes(other + to, (uint8_t)i, size / 4);
      store_words(one + to, i, size / 16);
      sum = mix(sum, other[to + size / 2] + one[at + size / 3]);
    }
  }
  return sum;
}

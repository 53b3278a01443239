/* Compression: the search for repetitions that deflate spends its time in. */
#include "lz.h"

void prepare(void) { make_text(); }

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    text[i * 97 % TEXT] ^= 1;
    size_t count = find_matches(32 + i % 8);
    sum = mix(sum, count);
    for (size_t j = i % 16; j < count; j += 16)
      sum = mix(sum, (uint64_t)tokens[j].length << 24 | (uint64_t)tokens[j].distance << 8 | tokens[j].literal);
  }
  return sum;
}

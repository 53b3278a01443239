/* Text like prose, and the search for its repetitions. */
#include "lz.h"

uint8_t text[TEXT];
struct token tokens[TEXT];

#define HASHES 8192

static int32_t heads[HASHES], before[WINDOW];

void make_text(void) {
  static char words[512][12];
  for (int i = 0; i < 512; i++) {
    uint32_t length = 2 + next_random() % 9;
    for (uint32_t j = 0; j < length; j++)
      words[i][j] = "etaoinshrdlucmfwypvbgkjqxz"[next_random() % 26 * (next_random() % 26) / 26];
  }
  size_t at = 0;
  while (at < TEXT) {
    uint32_t which = next_random() % 512 * (next_random() % 512) / 512;
    for (const char *c = words[which]; *c != '\0' && at < TEXT; c++)
      text[at++] = (uint8_t)*c;
    if (at < TEXT)
      text[at++] = next_random() % 16 == 0 ? '\n' : ' ';
  }
}

static inline uint32_t hash_at(size_t at) {
  return (text[at] * 0x9e5fu ^ text[at + 1] * 0x3b1u ^ text[at + 2] * 0x1fu) % HASHES;
}

static inline void insert(size_t at) {
  if (at + LEAST > TEXT)
    return;
  uint32_t hash = hash_at(at);
  before[at % WINDOW] = heads[hash];
  heads[hash] = (int32_t)at;
}

static NOINLINE uint32_t longest_match(size_t at, unsigned chain, uint32_t *distance) {
  uint32_t best = 0;
  size_t most = TEXT - at < MOST ? TEXT - at : MOST;
  for (int32_t from = heads[hash_at(at)]; from >= 0 && at - (size_t)from < WINDOW && chain-- > 0;
       from = before[from % WINDOW]) {
    if (best > 0 && text[(size_t)from + best] != text[at + best])
      continue;
    uint32_t length = 0;
    while (length < most && text[(size_t)from + length] == text[at + length])
      length++;
    if (length > best) {
      best = length;
      *distance = (uint32_t)(at - (size_t)from);
      if (length == most)
        break;
    }
  }
  return best;
}

size_t find_matches(unsigned chain) {
  size_t count = 0;
  memset(heads, 0xff, sizeof heads);
  for (size_t at = 0; at < TEXT;) {
    uint32_t distance = 0, length = 0;
    if (at + LEAST <= TEXT)
      length = longest_match(at, chain, &distance);
    if (length < LEAST) {
      tokens[count++] = (struct token){.literal = text[at]};
      insert(at++);
      continue;
    }
    tokens[count++] = (struct token){.length = (uint16_t)length, .distance = (uint16_t)distance};
    for (uint32_t i = 0; i < length; i++)
      insert(at++);
  }
  return count;
}

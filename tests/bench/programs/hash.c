/* Hashes records of a buffer, byte by byte (FNV-1a) and word by word (MurmurHash3's step), and counts them in a table. */
#include "bench.h"

#define BYTES 65536
#define SLOTS 8192

static uint8_t buffer[BYTES];
static struct {
  uint32_t hash, count;
} slots[SLOTS];

void prepare(void) {
  for (int i = 0; i < BYTES; i++)
    buffer[i] = (uint8_t)(next_random() % 24);
}

static NOINLINE uint32_t by_bytes(const uint8_t *at, size_t length) {
  uint32_t hash = 0x811c9dc5;
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ at[i]) * 0x01000193;
  return hash;
}

static inline uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

static NOINLINE uint32_t by_words(const uint8_t *at, size_t length, uint32_t hash) {
  for (size_t i = 0; i + 4 <= length; i += 4) {
    uint32_t word;
    memcpy(&word, at + i, 4);
    hash ^= rotate(word * 0xcc9e2d51, 15) * 0x1b873593;
    hash = rotate(hash, 13) * 5 + 0xe6546b64;
  }
  hash ^= hash >> 16;
  hash *= 0x85ebca6b;
  hash ^= hash >> 13;
  return hash;
}

static NOINLINE uint32_t count(uint32_t hash) {
  uint32_t at = hash % SLOTS;
  for (int tries = 0; tries < 8; tries++, at = (at + 1) % SLOTS) {
    if (slots[at].count == 0)
      slots[at].hash = hash;
    if (slots[at].hash == hash)
      return ++slots[at].count;
  }
  slots[at].hash = hash;
  return slots[at].count = 1;
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    size_t length = 8 + i % 25;
    for (size_t at = i % 8; at + length <= BYTES; at += length) {
      uint32_t hash = by_words(buffer + at, length, by_bytes(buffer + at, length));
      sum = mix(sum, count(hash));
    }
  }
  return sum;
}

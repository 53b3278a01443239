/* Decompression: a bit reader, Huffman codes and copies, as inflate's inner loop. Lengths and distances are coded by their
 * magnitude, then their lower bits as they are. */
#include "lz.h"

#define LONGEST 12
#define END 256
#define LITERALS (END + 1 + 10)
#define DISTANCES 16

struct code {
  uint16_t bits[LITERALS];
  uint8_t length[LITERALS];
  /* Indexed by the next LONGEST bits: symbol << 4 | length. */
  uint16_t lookup[1 << LONGEST];
};

static struct code literals, distances;
static uint8_t packed[2 * TEXT], result[TEXT];
static uint64_t held;
static int held_bits;
static size_t position;

static int magnitude(uint32_t value) { return 31 - __builtin_clz(value); }

/* Code lengths of Huffman's tree; false where one is too long. */
static int code_lengths(struct code *code, const uint32_t *wanted, int symbols) {
  uint32_t weight[2 * LITERALS];
  int parent[2 * LITERALS], alive[2 * LITERALS], count = symbols;
  for (int i = 0; i < symbols; i++)
    weight[i] = wanted[i], alive[i] = 1;
  for (; count < 2 * symbols - 1; count++) {
    int least[2];
    for (int side = 0; side < 2; side++) {
      int best = -1;
      for (int i = 0; i < count; i++)
        if (alive[i] && (best < 0 || weight[i] < weight[best]))
          best = i;
      alive[best] = 0;
      parent[best] = count;
      least[side] = best;
    }
    weight[count] = weight[least[0]] + weight[least[1]];
    alive[count] = 1;
  }
  for (int i = 0; i < symbols; i++) {
    int depth = 0;
    for (int at = i; at != count - 1; at = parent[at])
      depth++;
    if (depth > LONGEST)
      return 0;
    code->length[i] = (uint8_t)depth;
  }
  return 1;
}

/* Canonical codes (RFC 1951, 3.2.2), first bit lowest. */
static void make_code(struct code *code, uint32_t *weights, int symbols) {
  while (!code_lengths(code, weights, symbols))
    for (int i = 0; i < symbols; i++)
      weights[i] = weights[i] / 2 + 1;
  uint32_t next = 0;
  for (int length = 1; length <= LONGEST; length++, next <<= 1)
    for (int symbol = 0; symbol < symbols; symbol++) {
      if (code->length[symbol] != length)
        continue;
      uint32_t turned = 0;
      for (int bit = 0; bit < length; bit++)
        turned |= (next >> bit & 1) << (length - 1 - bit);
      next++;
      code->bits[symbol] = (uint16_t)turned;
      for (uint32_t i = turned; i < 1u << LONGEST; i += 1u << length)
        code->lookup[i] = (uint16_t)(symbol << 4 | length);
    }
}

static void put_bits(uint32_t value, int count) {
  held |= (uint64_t)value << held_bits;
  for (held_bits += count; held_bits >= 8; held_bits -= 8, held >>= 8)
    packed[position++] = (uint8_t)held;
}

static void put_symbol(const struct code *code, int symbol) { put_bits(code->bits[symbol], code->length[symbol]); }

static void put_low_bits(uint32_t value) { put_bits(value & ((1u << magnitude(value)) - 1), magnitude(value)); }

void prepare(void) {
  make_text();
  size_t count = find_matches(64);
  uint32_t weights[LITERALS], back[DISTANCES];
  for (int i = 0; i < LITERALS; i++)
    weights[i] = 1;
  for (int i = 0; i < DISTANCES; i++)
    back[i] = 1;
  for (size_t i = 0; i < count; i++) {
    weights[tokens[i].length ? END + 1 + magnitude(tokens[i].length) : tokens[i].literal]++;
    if (tokens[i].length)
      back[magnitude(tokens[i].distance)]++;
  }
  make_code(&literals, weights, LITERALS);
  make_code(&distances, back, DISTANCES);
  for (size_t i = 0; i < count; i++) {
    struct token token = tokens[i];
    put_symbol(&literals, token.length ? END + 1 + magnitude(token.length) : token.literal);
    if (token.length == 0)
      continue;
    put_low_bits(token.length);
    put_symbol(&distances, magnitude(token.distance));
    put_low_bits(token.distance);
  }
  put_symbol(&literals, END);
  put_bits(0, 32);
}

struct reader {
  const uint8_t *next;
  uint32_t bits;
  int count;
};

static inline void need(struct reader *reader, int count) {
  while (reader->count < count) {
    reader->bits |= (uint32_t)*reader->next++ << reader->count;
    reader->count += 8;
  }
}

static inline uint32_t take(struct reader *reader, int count) {
  need(reader, count);
  uint32_t value = reader->bits & ((1u << count) - 1);
  reader->bits >>= count;
  reader->count -= count;
  return value;
}

static inline int take_symbol(struct reader *reader, const struct code *code) {
  need(reader, LONGEST);
  uint16_t found = code->lookup[reader->bits & ((1 << LONGEST) - 1)];
  reader->bits >>= found & 15;
  reader->count -= found & 15;
  return found >> 4;
}

static inline uint32_t take_number(struct reader *reader, int size) { return 1u << size | take(reader, size); }

static NOINLINE size_t unpack(uint8_t *to) {
  struct reader reader = {.next = packed};
  uint8_t *at = to;
  for (;;) {
    int symbol = take_symbol(&reader, &literals);
    if (symbol < END) {
      *at++ = (uint8_t)symbol;
    } else if (symbol == END) {
      return (size_t)(at - to);
    } else {
      uint32_t length = take_number(&reader, symbol - END - 1);
      const uint8_t *from = at - take_number(&reader, take_symbol(&reader, &distances));
      do
        *at++ = *from++;
      while (--length > 0);
    }
  }
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    memset(result, (int)i, 64);
    sum = mix(sum, unpack(result));
    for (size_t j = i % 64; j < TEXT; j += 64)
      sum = mix(sum, result[j]);
  }
  return mix(sum, (uint64_t)memcmp(text, result, TEXT) == 0);
}

/* SHA-256 (FIPS 180-4) of a buffer. */
#include "bench.h"

#define BLOCKS 64

static uint32_t k[64], initial[8];
static uint8_t data[BLOCKS * 64];

/* The first 32 bits of the fractional part of n's root, of degree 2 or 3: by bisection in whole numbers. */
static uint32_t fraction_of_root(uint64_t n, int degree) {
  uint64_t root = 0;
  for (int bit = 36; bit >= 0; bit--) {
    uint64_t larger = root | (uint64_t)1 << bit;
    /* larger / 2^32, to a power, against n: in limbs of 32 bits. */
    uint32_t limbs[6] = {1};
    for (int times = 0; times < degree; times++) {
      uint64_t low = larger & 0xffffffff, high = larger >> 32;
      uint32_t next[6] = {0};
      uint64_t carry = 0;
      for (int i = 0; i < 6; i++) {
        carry += limbs[i] * low + next[i];
        next[i] = (uint32_t)carry;
        carry >>= 32;
      }
      for (int i = 0; i < 5; i++) {
        carry = (i == 0 ? 0 : carry) + limbs[i] * high + next[i + 1];
        next[i + 1] = (uint32_t)carry;
        carry >>= 32;
      }
      memcpy(limbs, next, sizeof limbs);
    }
    if (limbs[degree] < n && limbs[degree + 1] == 0)
      root = larger;
  }
  return (uint32_t)root;
}

void prepare(void) {
  int found = 0;
  for (uint32_t n = 2; found < 64; n++) {
    int prime = 1;
    for (uint32_t d = 2; d * d <= n; d++)
      prime &= n % d != 0;
    if (!prime)
      continue;
    if (found < 8)
      initial[found] = fraction_of_root(n, 2);
    k[found++] = fraction_of_root(n, 3);
  }
  for (size_t i = 0; i < sizeof data; i++)
    data[i] = (uint8_t)next_random();
}

static inline uint32_t rotate(uint32_t x, int by) { return x >> by | x << (32 - by); }

static NOINLINE void compress(uint32_t *h, const uint8_t *block) {
  uint32_t w[64];
  for (int t = 0; t < 16; t++)
    w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 | (uint32_t)block[4 * t + 2] << 8 |
           block[4 * t + 3];
  for (int t = 16; t < 64; t++) {
    uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3;
    uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10;
    w[t] = w[t - 16] + s0 + w[t - 7] + s1;
  }
  uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], i = h[7];
  for (int t = 0; t < 64; t++) {
    uint32_t t1 = i + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + k[t] + w[t];
    uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    i = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += i;
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    uint32_t h[8];
    memcpy(h, initial, sizeof h);
    data[i % sizeof data]++;
    for (int block = 0; block < BLOCKS; block++)
      compress(h, data + 64 * block);
    for (int j = 0; j < 8; j++)
      sum = mix(sum, h[j]);
  }
  return sum;
}

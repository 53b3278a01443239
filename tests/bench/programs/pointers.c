/* Calls through function pointers: small operations picked from a table by the data. */
#include "bench.h"

#define STEPS 1024

typedef uint32_t operation(uint32_t, uint32_t);

static uint32_t add(uint32_t a, uint32_t b) { return a + b; }
static uint32_t subtract(uint32_t a, uint32_t b) { return a - b; }
static uint32_t exclusive(uint32_t a, uint32_t b) { return a ^ b; }
static uint32_t scale(uint32_t a, uint32_t b) { return a * (b | 1); }
static uint32_t turn(uint32_t a, uint32_t b) { return a << (b & 15) | a >> (31 - (b & 15)); }
static uint32_t larger(uint32_t a, uint32_t b) { return a > b ? a : b + 1; }
static uint32_t either(uint32_t a, uint32_t b) { return a | (b >> 3); }
static uint32_t half(uint32_t a, uint32_t b) { return (a >> 1) + b; }

static operation *const operations[] = {add, subtract, exclusive, scale, turn, larger, either, half};
static operation *steps[STEPS];

void prepare(void) {
  for (int i = 0; i < STEPS; i++)
    steps[i] = operations[next_random() % 8];
}

uint64_t work(unsigned rounds) {
  uint32_t value = 1;
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    for (uint32_t j = 0; j < STEPS; j++)
      value = steps[j](value, i + j);
    sum = mix(sum, value);
  }
  return sum;
}

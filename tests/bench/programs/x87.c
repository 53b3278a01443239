/* The x87: polynomials and quotients in long double, and a matrix of it. */
#include "bench.h"

#define SIZE 16

static long double matrix[SIZE][SIZE], vector[SIZE], result[SIZE];

void prepare(void) {
  for (int i = 0; i < SIZE; i++) {
    vector[i] = 1 + (long double)(next_random() % 1000) / 1000;
    for (int j = 0; j < SIZE; j++)
      matrix[i][j] = (long double)(next_random() % 2000) / 16000 - 0.0625L;
  }
}

static NOINLINE void multiply(void) {
  for (int i = 0; i < SIZE; i++) {
    long double sum = 0;
    for (int j = 0; j < SIZE; j++)
      sum += matrix[i][j] * vector[j];
    result[i] = sum;
  }
}

static uint64_t mantissa(long double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    multiply();
    long double x = result[i % SIZE];
    for (int j = 1; j <= 16; j++)
      x = (x * 0.75L + j) / (1 + x * x);
    vector[i % SIZE] = x;
    vector[(i + 1) % SIZE] = result[(i + 5) % SIZE] < 0 ? 1.5L : result[i % SIZE] + (double)x;
    sum = mix(sum, mantissa(x));
  }
  return sum;
}

/* The spectral norm of the matrix a(i, j) = 1 / ((i + j)(i + j + 1) / 2 + i + 1), by the power method. */
#include "bench.h"

#include <math.h>

#define SIZE 100

static double u[SIZE], v[SIZE], between[SIZE];

void prepare(void) {}

static inline double a(int i, int j) { return 1.0 / ((i + j) * (i + j + 1) / 2 + i + 1); }

static NOINLINE void times(const double *x, double *result) {
  for (int i = 0; i < SIZE; i++) {
    double sum = 0;
    for (int j = 0; j < SIZE; j++)
      sum += a(i, j) * x[j];
    result[i] = sum;
  }
}

static NOINLINE void times_transposed(const double *x, double *result) {
  for (int i = 0; i < SIZE; i++) {
    double sum = 0;
    for (int j = 0; j < SIZE; j++)
      sum += a(j, i) * x[j];
    result[i] = sum;
  }
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    for (int j = 0; j < SIZE; j++)
      u[j] = 1 + i % 7 * 0.125;
    for (int j = 0; j < 5; j++) {
      times(u, between), times_transposed(between, v);
      times(v, between), times_transposed(between, u);
    }
    double uv = 0, vv = 0;
    for (int j = 0; j < SIZE; j++)
      uv += u[j] * v[j], vv += v[j] * v[j];
    sum = mix(sum, bits_of(sqrt(uv / vv)));
  }
  return sum;
}

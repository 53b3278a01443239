/* Fibonacci numbers by the recursion that defines them. */
#include "bench.h"

void prepare(void) {}

/* Not unrolled by inlining itself, so that there is one call a number. */
__attribute__((noinline, optimize("no-inline", "no-optimize-sibling-calls"))) static uint32_t fib(uint32_t n) {
  return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

uint64_t work(unsigned rounds) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < rounds; i++)
    sum = mix(sum, fib(24 + i % 4));
  return sum;
}

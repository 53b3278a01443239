/* Random doubles of every size, the same for a seed in both worlds. */
#include "random.h"

#include <math.h>
#include <string.h>

static double of_bits(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* By steps that IEEE 754 decides, so that both worlds round alike. */
static double power_of_ten(int power) {
  double value = 1;
  for (; power > 0; power--)
    value *= 10;
  for (; power < 0; power++)
    value /= 10;
  return value;
}

static double random_double(void) {
  static const uint64_t specials[] = {0, 1, (uint64_t)0x7ff << 52, (uint64_t)0xfff << 51, ((uint64_t)0x7ff << 52) - 1, (uint64_t)1 << 52, ((uint64_t)1 << 52) - 1};
  const uint64_t exponent = (uint64_t)0x7ff << 52, sign = bits64() & ((uint64_t)1 << 63);
  uint64_t bits = bits64();
  double value = 0;
  switch (below(9)) {
  case 0: value = of_bits(bits); break;
  case 1: value = of_bits((bits & ~exponent) | (uint64_t)(0x3e0 + below(64)) << 52); break;
  case 2: value = of_bits(bits & ~exponent); break;
  case 3: value = of_bits((bits_of(power_of_ten((int)below(617) - 308)) & ~(uint64_t)1) + below(3)); break;
  case 4: value = of_bits(bits & exponent); break;
  case 5: value = (double)(bits >> 44) / (double)((uint64_t)2 << below(20)); break;
  case 6: case 7: value = (double)(bits >> (12 + below(40))) / power_of_ten((int)below(16)); break;
  case 8: value = of_bits(specials[below(sizeof specials / sizeof *specials)]); break;
  }
  bits = bits_of(value);
  return isnan(value) ? of_bits((uint64_t)0xfff << 51 | sign) : of_bits((bits & ~((uint64_t)1 << 63)) | sign);
}

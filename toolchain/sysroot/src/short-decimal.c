/*
 * Numbers such as 5.481 for strtod: when the digits are a whole number below 2^53 and the power of ten is one that a double
 * holds exactly, one operation of theirs rounds as IEEE 754 wants it, in every mode. Anything else is newlib's to read.
 */
#include <stdint.h>

#define MOST_DIGITS 18 /* that never overflow */
#define MOST_POWER 22
#define MOST_EXPONENT_DIGITS 4

static const double tens[MOST_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                            1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static int is_digit(char c) {
  return (unsigned)c - '0' < 10;
}

static int is_space(char c) {
  return c == ' ' || (unsigned)c - '\t' <= '\r' - '\t';
}

/* The exponent's text; NULL where it has no digits, or many. */
static const char *read_exponent(const char *at, int *power) {
  int is_negative = *at == '-';
  int exponent = 0;
  if (is_negative || *at == '+')
    at++;
  const char *first = at;
  for (; is_digit(*at); at++) {
    if (at - first == MOST_EXPONENT_DIGITS)
      return 0;
    exponent = exponent * 10 + (*at - '0');
  }
  *power += is_negative ? -exponent : exponent;
  return at > first ? at : 0;
}

/* A whole number below 2^53, in halves, since x86-32 would convert all of it by the x87. */
static double whole(uint64_t number) {
  return (double)(uint32_t)(number >> 32) * 4294967296.0 + (double)(uint32_t)number;
}

/* Whether it is such a number; only then `end` (which may be NULL) and `value` are set. */
int minios_short_decimal(const char *text, char **end, double *value) {
  const char *at = text;
  while (is_space(*at))
    at++;
  int is_negative = *at == '-';
  if (is_negative || *at == '+')
    at++;
  uint64_t number = 0;
  int power = 0;
  const char *first = at;
  for (; is_digit(*at); at++)
    number = number * 10 + (unsigned)(*at - '0');
  long digits = at - first;
  if (*at == '.') {
    const char *fraction = ++at;
    for (; is_digit(*at); at++)
      number = number * 10 + (unsigned)(*at - '0');
    digits += at - fraction;
    power = (int)(fraction - at);
  }
  if (digits == 0 || digits > MOST_DIGITS || number >> 53 != 0 || ((*at | 0x20) == 'x'))
    return 0;
  if ((*at | 0x20) == 'e') {
    at = read_exponent(at + 1, &power);
    if (at == 0)
      return 0;
  }
  if (number == 0)
    *value = is_negative ? -0.0 : 0.0;
  else if (power < -MOST_POWER || power > MOST_POWER)
    return 0;
  else {
    double size = is_negative ? -whole(number) : whole(number);
    *value = power < 0 ? size / tens[-power] : size * tens[power];
  }
  if (end != 0)
    *end = (char *)at;
  return 1;
}

/*
 * The decimal digits of a floating-point number for printf, in place of newlib's, which are zeros after the 43rd. Exact: a
 * number is a whole one over a power of ten, in words of nine digits. Rounds to nearest, ties to even.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/reent.h>

#define DIGITS_OF_WORD 9
#define WORD 1000000000u
#define TWO_POWER 29 /* the largest powers of 2 and 5 below WORD */
#define TWOS (1u << TWO_POWER)
#define FIVE_POWER 12
#define FIVES 244140625u
#define NO_POINT 9999 /* where the number has no digits */
#define FIXED 3       /* mode: ndigits behind the point; every other mode: ndigits in all */
#define ENOUGH 21     /* digits that tell any two long doubles apart */
#define EXPONENT_BIAS 16445 /* with the mantissa as a whole number */

struct _Bigint *_Balloc(struct _reent *reent, int k);
void _Bfree(struct _reent *reent, struct _Bigint *block);

union extended {
  long double value;
  struct {
    uint64_t mantissa;
    uint16_t sign_and_exponent;
  };
};

/* Words, the lowest first. */
static int multiply(uint32_t *word, int words, uint32_t by) {
  uint64_t carry = 0;
  for (int i = 0; i < words; i++) {
    carry += (uint64_t)word[i] * by;
    word[i] = (uint32_t)(carry % WORD);
    carry /= WORD;
  }
  if (carry != 0)
    word[words++] = (uint32_t)carry;
  return words;
}

static int times_power(uint32_t *word, int words, int power, int most, uint32_t at_most, uint32_t base) {
  for (; power >= most; power -= most)
    words = multiply(word, words, at_most);
  uint32_t rest = 1;
  while (power-- > 0)
    rest *= base;
  return multiply(word, words, rest);
}

/* Writes the digits, the highest first, without leading zeros; how many there are. */
static int write_digits(char *text, const uint32_t *word, int words) {
  char *end = text;
  for (int i = words - 1; i >= 0; i--) {
    uint32_t unit = WORD / 10;
    for (uint32_t rest = word[i]; unit > 0; rest %= unit, unit /= 10)
      if (end > text || rest >= unit)
        *end++ = (char)('0' + rest / unit);
  }
  return (int)(end - text);
}

static int rounds_up(const char *text, int digits, int keep) {
  if (text[keep] != '5')
    return text[keep] > '5';
  for (int i = keep + 1; i < digits; i++)
    if (text[i] != '0')
      return 1;
  return keep > 0 && ((text[keep - 1] - '0') & 1);
}

/* Leaves `keep` digits; 1 where a carry has put another before them. */
static int round_digits(char *text, int digits, int keep) {
  int up = rounds_up(text, digits, keep);
  text[keep] = 0;
  if (!up)
    return 0;
  int i = keep - 1;
  while (i >= 0 && text[i] == '9')
    text[i--] = '0';
  if (i >= 0) {
    text[i]++;
    return 0;
  }
  memmove(text + 1, text, keep + 1);
  text[0] = '1';
  return 1;
}

/* The string that this thread's last call gave is free again; room for `size` bytes. */
static char *allocate(struct _reent *reent, size_t size) {
  struct _Bigint *last = reent->_result;
  if (last != NULL) {
    last->_k = reent->_result_k;
    last->_maxwds = 1 << reent->_result_k;
    _Bfree(reent, last);
    reent->_result = NULL;
  }
  int k = 0;
  while (sizeof(struct _Bigint) + (sizeof(uint32_t) << k) < size)
    k++;
  reent->_result_k = k;
  reent->_result = _Balloc(reent, k);
  return (char *)reent->_result;
}

static char *constant(struct _reent *reent, const char *text, char **end) {
  char *copy = allocate(reent, strlen(text) + 1);
  if (copy == NULL)
    return NULL;
  strcpy(copy, text);
  if (end != NULL)
    *end = copy + strlen(copy);
  return copy;
}

/* The finite number that is not zero: mantissa times 2 to the exponent. */
static char *digits_of(struct _reent *reent, uint64_t mantissa, int exponent, int mode, int ndigits,
                       int *point, char **end) {
  int zeros = __builtin_ctzll(mantissa);
  mantissa >>= zeros;
  exponent += zeros;
  int bits = 64 + (exponent < 0 ? -exponent * 7 / 3 : exponent);
  uint32_t word[bits / 29 + 4];
  int words = 0;
  for (; mantissa != 0; mantissa /= WORD)
    word[words++] = (uint32_t)(mantissa % WORD);
  if (exponent >= 0)
    words = times_power(word, words, exponent, TWO_POWER, TWOS, 2);
  else
    words = times_power(word, words, -exponent, FIVE_POWER, FIVES, 5);

  /* The caller adds zeros up to ndigits behind the point. */
  int whole = words * DIGITS_OF_WORD + (exponent < 0 ? exponent : 0);
  char *text = allocate(reent, words * DIGITS_OF_WORD + (whole > 0 ? whole : 0) + ndigits + 8);
  if (text == NULL)
    return NULL;
  int digits = write_digits(text, word, words);
  *point = digits + (exponent < 0 ? exponent : 0);
  int keep = mode == FIXED ? *point + ndigits : ndigits;
  text[digits] = 0;
  if (keep < 0)
    text[digits = 0] = 0;
  else if (keep < digits) {
    int carried = round_digits(text, digits, keep);
    digits = keep + carried;
    *point += carried;
  }
  while (digits > 0 && text[digits - 1] == '0')
    text[--digits] = 0;
  if (digits == 0)
    *point = -ndigits;
  if (end != NULL)
    *end = text + digits;
  return text;
}

/* 1 for no number, 2 for an infinite one, else 0. */
int _ldcheck(const long double *value) {
  return isnan(*value) ? 1 : isinf(*value) ? 2 : 0;
}

/* As dtoa: digits without trailing zeros, the place of the point among them, the sign, and where they end. */
char *_ldtoa_r(struct _reent *reent, long double value, int mode, int ndigits, int *point, int *sign,
               char **end) {
  union extended number = {value};
  *sign = number.sign_and_exponent >> 15;
  *point = NO_POINT;
  if (isnan(value))
    return constant(reent, "NaN", end);
  if (isinf(value))
    return constant(reent, "Infinity", end);
  if (mode < 2)
    ndigits = ENOUGH;
  else if (mode != FIXED && ndigits < 1)
    ndigits = 1;
  if (value == 0) {
    *point = 1;
    char *zero = allocate(reent, ndigits + 8 > 8 ? ndigits + 8 : 8);
    if (zero == NULL)
      return NULL;
    strcpy(zero, "0");
    if (end != NULL)
      *end = zero + 1;
    return zero;
  }
  int biased = number.sign_and_exponent & 0x7fff;
  return digits_of(reent, number.mantissa, (biased == 0 ? 1 : biased) - 1 - EXPONENT_BIAS, mode,
                   ndigits, point, end);
}

/*
 * The digits of floating-point numbers for printf, in place of newlib's, which are zeros after the 43rd and take long doubles
 * through the x87. Exact, in whole numbers, rounded to nearest, ties to even: what is before the point is converted to words
 * of nine digits; what is behind it, times 10^9, gives nine digits after nine, no more of them than are asked for.
 */
#include <stdint.h>
#include <string.h>
#include <sys/reent.h>

#define DIGITS_OF_WORD 9
#define WORD 1000000000u
#define TWO_POWER 29 /* the largest power of 2 below WORD */
#define RECIPROCAL (((uint64_t)1 << (TWO_POWER + 32)) / WORD)
#define NO_POINT 9999 /* where the number has no digits */
#define FIXED 3       /* mode: ndigits behind the point; every other mode: ndigits in all */
#define ENOUGH 21     /* digits that tell any two long doubles apart */
#define DOUBLE_BIAS 1075 /* with the mantissa as a whole number */
#define EXTENDED_BIAS 16446

struct _Bigint *_Balloc(struct _reent *reent, int k);
void _Bfree(struct _reent *reent, struct _Bigint *block);

/* A long double in memory: SDM vol. 1, 4.2.2. */
struct extended {
  uint64_t mantissa; /* with the integer bit */
  uint16_t sign_and_exponent;
};

union real {
  uint64_t bits; /* of a double */
  struct extended extended;
};

/* newlib-format-edits.ts knows them, too. */
enum class { FINITE, NOT_A_NUMBER, INFINITE, ZERO };

/* Of a finite number: its size is mantissa times 2 to the exponent. */
struct number {
  uint64_t mantissa;
  int exponent;
};

/* What is behind the point: words of 32 bits, zeros but from `low` up to `high`; the point is above `places` of them. */
struct fraction {
  uint32_t *word;
  int low;
  int high;
  int places;
};

static struct number of_double(uint64_t bits) {
  int biased = (int)(bits >> 52) & 0x7ff;
  uint64_t mantissa = bits & (((uint64_t)1 << 52) - 1);
  if (biased == 0)
    biased = 1;
  else
    mantissa |= (uint64_t)1 << 52;
  return (struct number){mantissa, biased - DOUBLE_BIAS};
}

static struct number of_extended(const struct extended *value) {
  int biased = value->sign_and_exponent & 0x7fff;
  return (struct number){value->mantissa, (biased == 0 ? 1 : biased) - EXTENDED_BIAS};
}

static struct number number_of(const union real *real, int is_extended) {
  return is_extended ? of_extended(&real->extended) : of_double(real->bits);
}

static enum class class_of_double(uint64_t bits) {
  uint64_t size = bits << 1;
  const uint64_t infinite = (uint64_t)0xffe << 52;
  if (size < infinite)
    return size == 0 ? ZERO : FINITE;
  return size == infinite ? INFINITE : NOT_A_NUMBER;
}

/* What has an exponent and no integer bit is no number to the x87. */
static enum class class_of_extended(const struct extended *value) {
  int biased = value->sign_and_exponent & 0x7fff;
  if (biased != 0 && value->mantissa >> 63 == 0)
    return NOT_A_NUMBER;
  if (biased != 0x7fff)
    return value->mantissa == 0 ? ZERO : FINITE;
  return value->mantissa << 1 == 0 ? INFINITE : NOT_A_NUMBER;
}

/* Words, the lowest first, times a power of 2 up to TWO_POWER. The quotient by its reciprocal is at most 1 too small. */
static int shift(uint32_t *word, int words, int power) {
  uint32_t carry = 0;
  for (int i = 0; i < words; i++) {
    uint64_t product = ((uint64_t)word[i] << power) + carry;
    carry = (uint32_t)((product >> TWO_POWER) * RECIPROCAL >> 32);
    word[i] = (uint32_t)product - carry * WORD;
    if (word[i] >= WORD) {
      word[i] -= WORD;
      carry++;
    }
  }
  if (carry != 0)
    word[words++] = carry;
  return words;
}

static char *write_word(char *text, uint32_t word) {
  for (int i = DIGITS_OF_WORD - 1; i >= 0; i--, word /= 10)
    text[i] = (char)('0' + word % 10);
  return text + DIGITS_OF_WORD;
}

/* Without leading zeros. */
static char *write_first_word(char *text, uint32_t word) {
  int digits = 0;
  for (uint32_t rest = word; rest != 0; rest /= 10)
    digits++;
  for (int i = digits - 1; i >= 0; i--, word /= 10)
    text[i] = (char)('0' + word % 10);
  return text + digits;
}

static char *write_words(char *text, const uint32_t *word, int words) {
  if (words > 0)
    text = write_first_word(text, word[--words]);
  while (words > 0)
    text = write_word(text, word[--words]);
  return text;
}

static int split(uint64_t mantissa, uint32_t *word) {
  int words = 0;
  for (; mantissa != 0; mantissa /= WORD)
    word[words++] = (uint32_t)(mantissa % WORD);
  return words;
}

/* What is before the point. */
static char *write_whole(char *text, struct number number) {
  if (number.exponent <= 0) {
    uint32_t word[3] = {0};
    uint64_t whole = number.exponent > -64 ? number.mantissa >> -number.exponent : 0;
    return write_words(text, word, split(whole, word));
  }
  uint32_t word[(64 + number.exponent) / TWO_POWER + 4];
  int words = split(number.mantissa, word);
  int power = number.exponent;
  for (; power >= TWO_POWER; power -= TWO_POWER)
    words = shift(word, words, TWO_POWER);
  words = shift(word, words, power);
  return write_words(text, word, words);
}

/* Of a number whose exponent is below 0. */
static struct fraction fraction_of(struct number number, uint32_t *word) {
  int bits = -number.exponent;
  int places = (bits + 31) / 32;
  int up = places * 32 - bits;
  uint64_t mantissa = bits < 64 ? number.mantissa & (((uint64_t)1 << bits) - 1) : number.mantissa;
  int high = places < 3 ? places : 3;
  word[0] = (uint32_t)(mantissa << up);
  if (high > 1)
    word[1] = (uint32_t)(mantissa << up >> 32);
  if (high > 2)
    word[2] = (uint32_t)(up == 0 ? 0 : mantissa >> (64 - up));
  return (struct fraction){word, 0, high, places};
}

static int is_left(struct fraction *fraction) {
  while (fraction->low < fraction->high && fraction->word[fraction->low] == 0)
    fraction->low++;
  return fraction->low < fraction->high;
}

/* The next nine digits. */
static uint32_t next_word(struct fraction *fraction) {
  uint64_t carry = 0;
  for (int i = fraction->low; i < fraction->high; i++) {
    carry += (uint64_t)fraction->word[i] * WORD;
    fraction->word[i] = (uint32_t)carry;
    carry >>= 32;
  }
  if (fraction->high == fraction->places)
    return (uint32_t)carry;
  if (carry != 0)
    fraction->word[fraction->high++] = (uint32_t)carry;
  return 0;
}

/* `is_more`: what follows the text is not all zeros. */
static int rounds_up(const char *text, int digits, int keep, int is_more) {
  if (text[keep] != '5')
    return text[keep] > '5';
  for (int i = keep + 1; i < digits; i++)
    if (text[i] != '0')
      return 1;
  return is_more || (keep > 0 && ((text[keep - 1] - '0') & 1));
}

/* To `keep` digits; 1 where a carry has put another before them. */
static int round_up(char *text, int keep) {
  int i = keep - 1;
  while (i >= 0 && text[i] == '9')
    text[i--] = '0';
  if (i >= 0) {
    text[i]++;
    return 0;
  }
  memmove(text + 1, text, keep);
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

/* Digits without trailing zeros, the place of the point among them, and where they end; the caller adds zeros up to ndigits. */
static char *digits_of(struct _reent *reent, struct number number, int mode, int ndigits, int *point, char **end) {
  int places = number.exponent > 0 ? (64 + number.exponent) * 4 / 13 : 20;
  char *text = allocate(reent, (ndigits > 0 ? ndigits : 0) + places + 2 * DIGITS_OF_WORD + 8);
  if (text == NULL)
    return NULL;
  char *at = write_whole(text, number);
  uint32_t word[number.exponent < 0 ? -number.exponent / 32 + 1 : 1];
  struct fraction fraction = {word, 0, 0, 0};
  if (number.exponent < 0)
    fraction = fraction_of(number, word);
  *point = (int)(at - text);
  int is_more = is_left(&fraction);
  int keep = mode == FIXED ? *point + ndigits : ndigits;
  while (is_more && at - text <= keep) {
    uint32_t nine = next_word(&fraction);
    is_more = is_left(&fraction);
    if (at > text) {
      at = write_word(at, nine);
      continue;
    }
    at = write_first_word(at, nine);
    int zeros = DIGITS_OF_WORD - (int)(at - text);
    *point -= zeros;
    if (mode == FIXED)
      keep -= zeros;
  }
  int digits = (int)(at - text);
  if (keep < 0)
    digits = 0;
  else if (keep < digits) {
    int carried = rounds_up(text, digits, keep, is_more) && round_up(text, keep);
    digits = keep + carried;
    *point += carried;
  }
  while (digits > 0 && text[digits - 1] == '0')
    digits--;
  text[digits] = 0;
  if (digits == 0)
    *point = -ndigits;
  if (end != NULL)
    *end = text + digits;
  return text;
}

/* As dtoa: what is said above of digits_of, and "0" for zero. */
static char *convert(struct _reent *reent, struct number number, int mode, int ndigits, int *point, char **end) {
  if (mode < 2)
    ndigits = ENOUGH;
  else if (mode != FIXED && ndigits < 1)
    ndigits = 1;
  if (number.mantissa != 0) {
    int zeros = __builtin_ctzll(number.mantissa);
    number.mantissa >>= zeros;
    number.exponent += zeros;
    return digits_of(reent, number, mode, ndigits, point, end);
  }
  *point = 1;
  char *zero = allocate(reent, ndigits + 8 > 8 ? ndigits + 8 : 8);
  if (zero == NULL)
    return NULL;
  strcpy(zero, "0");
  if (end != NULL)
    *end = zero + 1;
  return zero;
}

/* For %a: the first digit a 1, then ndigits, or as many as there are for -1. Returns how many. */
static int write_hex(char *text, struct number number, const char *names, int ndigits, int *point) {
  char *at = text;
  uint64_t rest = 0;
  int digit = 0;
  *point = 1;
  if (number.mantissa != 0) {
    int zeros = __builtin_clzll(number.mantissa);
    rest = number.mantissa << zeros << 1;
    digit = 1;
    *point = number.exponent - zeros + 64;
  }
  *at++ = names[digit];
  for (; ndigits != 0 && rest != 0; ndigits--, rest <<= 4)
    *at++ = names[digit = (int)(rest >> 60)];
  const uint64_t half = (uint64_t)1 << 63;
  if (rest > half || (rest == half && (digit & 1))) {
    char *up = at - 1;
    for (; *up == names[15]; up--)
      *up = '0';
    *up = *up == '9' ? names[10] : *up + 1;
  }
  while (ndigits-- > 0)
    *at++ = '0';
  return (int)(at - text);
}

/* What printf asks first: the class, and whether there is a '-'. */
int minios_float_class(const union real *real, int is_extended, char *sign) {
  if (is_extended ? real->extended.sign_and_exponent >> 15 : real->bits >> 63)
    *sign = '-';
  return is_extended ? class_of_extended(&real->extended) : class_of_double(real->bits);
}

/*
 * The digits of a finite number's size that printf's `format` prints, with trailing zeros where it prints them: in `text`
 * for %a, else in the thread's own string, or NULL where memory is short.
 */
char *minios_float_convert(struct _reent *reent, const union real *real, int is_extended, int format, int precision,
                     int is_alternate, int *point, int *length, char *text) {
  struct number number = number_of(real, is_extended);
  int letter = format | 0x20;
  if (letter == 'a') {
    const char *names = format == 'a' ? "0123456789abcdef" : "0123456789ABCDEF";
    *length = write_hex(text, number, names, precision, point);
    return text;
  }
  int ndigits = letter == 'e' ? precision + 1 : precision;
  char *end;
  char *digits = convert(reent, number, letter == 'f' ? FIXED : 2, ndigits, point, &end);
  if (digits == NULL)
    return NULL;
  if (letter != 'g' || is_alternate) {
    char *last = digits + ndigits + (letter == 'f' ? *point : 0);
    while (end < last)
      *end++ = '0';
  }
  *length = (int)(end - digits);
  return digits;
}

/* 1 for no number, 2 for an infinite one, else 0. */
int _ldcheck(const struct extended *value) {
  enum class class = class_of_extended(value);
  return class == ZERO ? 0 : (int)class;
}

/* As dtoa, for wide printf. */
char *_ldtoa_r(struct _reent *reent, long double value, int mode, int ndigits, int *point, int *sign, char **end) {
  struct extended extended;
  memcpy(&extended, &value, 10);
  *sign = extended.sign_and_exponent >> 15;
  *point = NO_POINT;
  enum class class = class_of_extended(&extended);
  if (class == INFINITE || class == NOT_A_NUMBER)
    return constant(reent, class == INFINITE ? "Infinity" : "NaN", end);
  return convert(reent, of_extended(&extended), mode, ndigits, point, end);
}

/*
 * The long double half of <math.h> that the x87's transcendental instructions give (SDM vol. 1, 8.3.7), to about their
 * precision; powl with a power above 1024 loses up to 14 bits.
 */
#include <math.h>
#include <stdint.h>

#define LOG2_E 1.442695040888963407359924681001892137L
#define LOG2_E_HIGH 1.44268798828125L /* 16 bits, so that its product with a whole number is exact */
#define LOG2_E_LOW 7.052607713407359924681001892137e-6L
#define SMALL_FOR_LOG1P 0.29L /* the domain of fyl2xp1 is 1 - sqrt(1/2) */

static long double times_log2(long double y, long double x) {
  __asm__("fyl2x" : "+t"(x) : "u"(y) : "st(1)");
  return x;
}

static long double times_log2_1p(long double y, long double x) {
  __asm__("fyl2xp1" : "+t"(x) : "u"(y) : "st(1)");
  return x;
}

static long double log_in(long double unit, long double x) {
  long double above = x - 1;
  if (fabsl(above) < SMALL_FOR_LOG1P)
    return times_log2_1p(unit, above);
  return times_log2(unit, x);
}

static long double constant_ln2(void) {
  long double x;
  __asm__("fldln2" : "=t"(x));
  return x;
}

static long double constant_lg2(void) {
  long double x;
  __asm__("fldlg2" : "=t"(x));
  return x;
}

long double logl(long double x) {
  return log_in(constant_ln2(), x);
}

long double log10l(long double x) {
  return log_in(constant_lg2(), x);
}

long double log2l(long double x) {
  return log_in(1, x);
}

long double log1pl(long double x) {
  if (fabsl(x) < SMALL_FOR_LOG1P)
    return times_log2_1p(constant_ln2(), x);
  return times_log2(constant_ln2(), 1 + x);
}

/* 2^x - 1 for |x| <= 1 */
static long double exp2_less_1(long double x) {
  __asm__("f2xm1" : "+t"(x));
  return x;
}

long double exp2l(long double x) {
  if (__builtin_isinf(x))
    return x > 0 ? x : 0;
  long double whole = rintl(x);
  if (!(fabsl(whole) < 100000))
    return scalblnl(1, x > 0 ? 100000 : -100000) + (x - x);
  return scalblnl(1 + exp2_less_1(x - whole), (long)whole);
}

/* x times log2(e) in two parts, since the whole part may take all but a few bits of one. */
long double expl(long double x) {
  if (!(fabsl(x) < 12000))
    return exp2l(x);
  long double whole = rintl(x * LOG2_E);
  long double units = rintl(x);
  long double part = (units * LOG2_E_HIGH - whole) + (x - units) * LOG2_E_HIGH + x * LOG2_E_LOW;
  return scalblnl(fabsl(part) <= 1 ? 1 + exp2_less_1(part) : exp2l(part), (long)whole);
}

long double expm1l(long double x) {
  long double power = x * LOG2_E;
  return fabsl(power) <= 1 ? exp2_less_1(power) : expl(x) - 1;
}

/* fsin and its kin leave an argument of 2^63 or more as it is; it is brought nearer by whole turns first. */
static long double near_zero(long double x) {
  const long double turn = 6.283185307179586476925286766559005768L;
  return fabsl(x) < 0x1p62L ? x : remainderl(x, turn);
}

long double sinl(long double x) {
  x = near_zero(x);
  __asm__("fsin" : "+t"(x));
  return x;
}

long double cosl(long double x) {
  x = near_zero(x);
  __asm__("fcos" : "+t"(x));
  return x;
}

/* What gcc makes of a sine and a cosine of the same number. */
void sincosl(long double x, long double *sine, long double *cosine) {
  x = near_zero(x);
  __asm__("fsincos" : "=t"(*cosine), "=u"(*sine) : "0"(x));
}

long double tanl(long double x) {
  x = near_zero(x);
  __asm__("fptan\n\tfstp %%st(0)" : "+t"(x));
  return x;
}

long double atan2l(long double y, long double x) {
  __asm__("fpatan" : "+t"(x) : "u"(y) : "st(1)");
  return x;
}

long double atanl(long double x) {
  return atan2l(x, 1);
}

long double asinl(long double x) {
  return atan2l(x, sqrtl((1 - x) * (1 + x)));
}

long double acosl(long double x) {
  return atan2l(sqrtl((1 - x) * (1 + x)), x);
}

long double sinhl(long double x) {
  long double size = fabsl(x);
  if (size > 11356) /* e^size alone overflows before its half does */
    return copysignl(expl(size / 2) / 2 * expl(size / 2), x);
  long double less = expm1l(size);
  return copysignl((less + less / (less + 1)) / 2, x);
}

long double coshl(long double x) {
  long double size = fabsl(x);
  if (size > 11356)
    return expl(size / 2) / 2 * expl(size / 2);
  long double power = expl(size);
  return (power + 1 / power) / 2;
}

long double tanhl(long double x) {
  long double size = fabsl(x);
  if (size > 50)
    return copysignl(1, x) + (x - x > 0 ? x : 0);
  long double less = expm1l(2 * size);
  return copysignl(less / (less + 2), x);
}

long double asinhl(long double x) {
  long double size = fabsl(x);
  if (size > 0x1p33L)
    return copysignl(logl(size) + constant_ln2(), x);
  return copysignl(log1pl(size + size * size / (1 + sqrtl(size * size + 1))), x);
}

long double acoshl(long double x) {
  if (x > 0x1p33L)
    return logl(x) + constant_ln2();
  long double above = x - 1;
  return log1pl(above + sqrtl(above * (x + 1)));
}

long double atanhl(long double x) {
  return copysignl(log1pl(2 * fabsl(x) / (1 - fabsl(x))) / 2, x);
}

long double cbrtl(long double x) {
  if (x == 0 || __builtin_isinf(x) || __builtin_isnan(x))
    return x;
  int exponent;
  long double part = frexpl(fabsl(x), &exponent);
  int thirds = (exponent + (exponent >= 0 ? 2 : 0)) / 3;
  part = scalblnl(part, exponent - 3 * thirds);
  long double root = (long double)cbrt((double)part);
  root -= (root - part / (root * root)) / 3; /* one step of Newton's from 53 bits */
  return copysignl(scalblnl(root, thirds), x);
}

/* By squaring: what is representable comes out exact. */
static long double whole_power(long double x, uint32_t n) {
  long double result = 1;
  for (; n != 0; n >>= 1, x *= x)
    if (n & 1)
      result *= x;
  return result;
}

/* x > 0. A modest y is taken as its whole part and the rest, since the logarithm's error grows with y. */
static long double size_of_power(long double x, long double y) {
  long double whole = truncl(fabsl(y));
  long double part = fabsl(y) - whole;
  if (whole <= 1024) {
    long double size = whole_power(x, (uint32_t)whole);
    if (part != 0)
      size *= part == 0.5L ? sqrtl(x) : exp2l(times_log2(part, x));
    if (!__builtin_isinf(size) && size >= 0x1p-16000L)
      return y > 0 ? size : 1 / size;
  }
  return exp2l(times_log2(y, x));
}

static int is_odd(long double y) {
  return fmodl(fabsl(y), 2) == 1;
}

long double powl(long double x, long double y) {
  if (y == 0 || x == 1)
    return 1;
  if (__builtin_isnan(x) || __builtin_isnan(y))
    return x + y;
  int is_whole = truncl(y) == y;
  if (__builtin_isinf(y)) {
    if (fabsl(x) == 1)
      return 1;
    return (fabsl(x) > 1) == (y > 0) ? fabsl(y) : 0;
  }
  if (x == 0 || __builtin_isinf(x)) {
    long double size = (x == 0) == (y > 0) ? 0 : 1 / fabsl(x == 0 ? x : 1 / x);
    return is_odd(y) ? copysignl(size, x) : size;
  }
  if (x < 0 && !is_whole)
    return (x - x) / (x - x);
  long double size = size_of_power(fabsl(x), y);
  return x < 0 && is_odd(y) ? -size : size;
}

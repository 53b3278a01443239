/*
 * The long double half of <math.h> that is exact: rounding, remainders, taking numbers apart. newlib 3.3 has these only
 * where long double is double; on x86 it is the x87's 80-bit format (SDM vol. 1, 4.2.2 and 8.3).
 */
#include <limits.h>
#include <math.h>
#include <stdint.h>

#define CONTROL_ROUNDING 0x0c00
#define ROUND_DOWN 0x0400
#define ROUND_UP 0x0800
#define ROUND_TO_ZERO 0x0c00
#define STATUS_INEXACT 0x0020
#define STATUS_C0 0x0100
#define STATUS_C1 0x0200
#define STATUS_C2 0x0400
#define STATUS_C3 0x4000

union extended {
  long double value;
  struct {
    uint64_t mantissa; /* with the integer bit */
    uint16_t exponent; /* and the sign, its top bit */
  };
};

long double fabsl(long double x) {
  return __builtin_fabsl(x);
}

long double copysignl(long double x, long double y) {
  return __builtin_signbit(x) == __builtin_signbit(y) ? x : -x;
}

long double sqrtl(long double x) {
  __asm__("fsqrt" : "+t"(x));
  return x;
}

long double rintl(long double x) {
  __asm__("frndint" : "+t"(x));
  return x;
}

static long double round_by(long double x, uint16_t rounding) {
  uint16_t saved, changed;
  __asm__ volatile("fnstcw %0" : "=m"(saved));
  changed = (uint16_t)((saved & ~CONTROL_ROUNDING) | rounding);
  __asm__ volatile("fldcw %1\n\tfrndint\n\tfldcw %2" : "+t"(x) : "m"(changed), "m"(saved));
  return x;
}

long double floorl(long double x) {
  return round_by(x, ROUND_DOWN);
}

long double ceill(long double x) {
  return round_by(x, ROUND_UP);
}

long double truncl(long double x) {
  return round_by(x, ROUND_TO_ZERO);
}

/* rintl, which leaves the inexact flag as it was. */
long double nearbyintl(long double x) {
  uint16_t status;
  uint32_t environment[7];
  __asm__ volatile("fnstsw %0" : "=a"(status));
  x = rintl(x);
  if (!(status & STATUS_INEXACT))
    __asm__ volatile("fnstenv %1\n\tandl %3, %2\n\tfldenv %1"
                     : "+t"(x), "+m"(environment), "+m"(environment[1])
                     : "i"(~STATUS_INEXACT));
  return x;
}

long double roundl(long double x) {
  long double magnitude = fabsl(x);
  long double whole = truncl(magnitude);
  if (magnitude - whole >= 0.5L)
    whole += 1;
  return copysignl(whole, x);
}

long long llrintl(long double x) {
  long long result;
  __asm__ volatile("fistpll %0" : "=m"(result) : "t"(x) : "st");
  return result;
}

long lrintl(long double x) {
  return (long)llrintl(x);
}

long long llroundl(long double x) {
  return llrintl(roundl(x));
}

long lroundl(long double x) {
  return (long)llroundl(x);
}

/* fprem takes at most 63 bits off at a time and says by C2 that there is more. */
long double fmodl(long double x, long double y) {
  uint16_t status;
  do
    __asm__("fprem\n\tfnstsw %1" : "+t"(x), "=a"(status) : "u"(y));
  while (status & STATUS_C2);
  return x;
}

long double remquol(long double x, long double y, int *quotient) {
  int negative = __builtin_signbit(x) != __builtin_signbit(y);
  uint16_t status;
  do
    __asm__("fprem1\n\tfnstsw %1" : "+t"(x), "=a"(status) : "u"(y));
  while (status & STATUS_C2);
  int low = (status & STATUS_C0 ? 4 : 0) | (status & STATUS_C3 ? 2 : 0) | (status & STATUS_C1 ? 1 : 0);
  *quotient = negative ? -low : low;
  return x;
}

long double remainderl(long double x, long double y) {
  int quotient;
  return remquol(x, y, &quotient);
}

long double modfl(long double x, long double *whole) {
  *whole = truncl(x);
  return copysignl(__builtin_isinf(x) ? 0 : x - *whole, x);
}

/* fscale wants its count on the stack; what is beyond its range overflows or vanishes all the same. */
long double scalblnl(long double x, long n) {
  long double count = n > 100000 ? 100000 : n < -100000 ? -100000 : n;
  __asm__("fscale" : "+t"(x) : "u"(count));
  return x;
}

long double scalbnl(long double x, int n) {
  return scalblnl(x, n);
}

long double ldexpl(long double x, int n) {
  return scalblnl(x, n);
}

long double logbl(long double x) {
  long double exponent;
  if (__builtin_isinf(x))
    return x * x;
  __asm__("fxtract\n\tfstp %%st(0)" : "=t"(exponent) : "0"(x));
  return exponent;
}

int ilogbl(long double x) {
  if (x == 0)
    return FP_ILOGB0;
  if (__builtin_isnan(x))
    return FP_ILOGBNAN;
  return __builtin_isinf(x) ? INT_MAX : (int)logbl(x);
}

long double frexpl(long double x, int *exponent) {
  *exponent = 0;
  if (x == 0 || __builtin_isnan(x) || __builtin_isinf(x))
    return x;
  *exponent = (int)logbl(x) + 1;
  return scalblnl(x, -*exponent);
}

long double fmaxl(long double x, long double y) {
  if (__builtin_isnan(x))
    return y;
  return __builtin_isnan(y) || x > y ? x : y;
}

long double fminl(long double x, long double y) {
  if (__builtin_isnan(x))
    return y;
  return __builtin_isnan(y) || x < y ? x : y;
}

long double fdiml(long double x, long double y) {
  if (__builtin_isnan(x) || __builtin_isnan(y))
    return x + y;
  return x > y ? x - y : 0;
}

/* One step in the order of the numbers, which is that of exponent and mantissa taken as one integer. */
long double nextafterl(long double x, long double y) {
  union extended bits = {.value = x};
  if (__builtin_isnan(x) || __builtin_isnan(y))
    return x + y;
  if (x == y)
    return y;
  if (x == 0) {
    bits.mantissa = 1;
    bits.exponent = __builtin_signbit(y) ? 0x8000 : 0;
    return bits.value;
  }
  const uint64_t integer = (uint64_t)1 << 63;
  if ((x < y) == (x > 0)) {
    if (++bits.mantissa == 0 || bits.mantissa == integer) {
      bits.mantissa = integer;
      bits.exponent++;
    }
  } else if (bits.mantissa-- == integer && (bits.exponent & 0x7fff) != 0) {
    bits.exponent--;
    bits.mantissa = bits.exponent & 0x7fff ? UINT64_MAX : integer - 1;
  }
  return bits.value;
}

long double nexttowardl(long double x, long double y) {
  return nextafterl(x, y);
}

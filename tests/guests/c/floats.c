/* Floating point: what IEEE 754 decides is printed exactly; what a mathematics library decides, to ten digits. */
#include <fenv.h>
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double edges[] = {0.0, -0.0, 1, -1, 0.5, 1.5, 2.5, -2.5, 3, 1e-300, 1e300, DBL_MIN, DBL_MAX, -DBL_MAX, 5e-324, DBL_EPSILON,
                               123456789.123, 2147483647, 2147483648.0, -2147483649.0, 4294967296.0, 9007199254740993.0, 1.0 / 3, 1e15, 0.1};
enum { count = sizeof edges / sizeof *edges };

static uint64_t hash = 14695981039346656037ull;
static void mix(uint64_t bits) { hash = (hash ^ bits) * 1099511628211ull; }
/* NaN's sign and payload are the CPU's affair. */
static void mix_double(double d) {
  uint64_t bits;
  memcpy(&bits, &d, 8);
  mix(d == d ? bits : 1);
}
static void mix_long(long double d) {
  struct { uint64_t low; uint16_t high; } bits = {0, 0};
  memcpy(&bits, &d, 10);
  mix(d == d ? bits.low : 1);
  mix(d == d ? bits.high : 1);
}
static void tell(const char *what) { printf("%s %016llx\n", what, (unsigned long long)hash); }

static void arithmetic(void) {
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) {
      volatile double a = edges[i], b = edges[j];
      volatile double r;
      volatile float fa = (float)a, fb = (float)b, fr;
      r = a + b, mix_double(r);
      r = a - b, mix_double(r);
#ifndef __i386__ /* On the x87, products and quotients near the limits round twice. */
      r = a * b, mix_double(r);
      r = a / b, mix_double(r);
#endif
      fr = fa + fb, mix_double(fr);
      fr = fa * fb, mix_double(fr);
      mix(a < b), mix(a <= b), mix(a == b), mix(a > b), mix(a != b), mix(isgreater(a, b)), mix(isunordered(a, b));
      volatile long double la = a, lb = b, lr;
      lr = la + lb, mix_long(lr);
      lr = la - lb, mix_long(lr);
      lr = la * lb, mix_long(lr);
      lr = la / lb, mix_long(lr);
      lr = la * 1.1L + lb * 0.7L, mix_long(lr);
      mix(la < lb), mix(la == lb), mix(la > lb);
      r = fmod(a, b), mix_double(r);
      r = remainder(a, b), mix_double(r);
      r = copysign(a, b), mix_double(r);
      r = fmax(a, b), mix_double(r == 0 ? 0 : r);
      r = nextafter(a, b), mix_double(r);
    }
  tell("arithmetic");
}

static void conversions(void) {
  for (int i = 0; i < count; i++) {
    volatile double d = edges[i];
    volatile float f = (float)d;
    volatile long double l = d;
    mix_double(f), mix_long(l), mix_double((double)(l / 3)), mix_double((float)(l / 3));
    if (fabs(d) < 9e18) mix((int64_t)d), mix((int64_t)l), mix((int64_t)f);
    if (fabs(d) < 2e9) mix((int32_t)d), mix((int16_t)(int32_t)d), mix((int32_t)f), mix((int32_t)l);
    if (d > -1 && d < 1.8e19) mix((uint64_t)d), mix((uint64_t)l);
    if (d > -1 && d < 4e9) mix((uint32_t)d), mix((uint32_t)l);
    mix_double(floor(d)), mix_double(ceil(d)), mix_double(trunc(d)), mix_double(round(d)), mix_double(rint(d)), mix_double(sqrt(fabs(d)));
    mix_long(sqrtl(fabsl(l))), mix_long(floorl(l)), mix_long(ceill(l)), mix_long(truncl(l)), mix_long(rintl(l * 0.37L));
    if (fabs(d) < 2e9) mix(lrint(d)), mix(llround(d)), mix(lrintl(l));
    int e;
    double whole;
    mix_double(frexp(d, &e)), mix(d == 0 ? 0 : e), mix_double(modf(d, &whole)), mix_double(whole), mix_double(ldexp(d, -3)), mix_double(ldexp(d, -1030));
    mix_double(d == 0 ? 0 : logb(d)), mix(!!signbit(d)), mix(fpclassify(d) == FP_NORMAL), mix(fpclassify(d) == FP_SUBNORMAL), mix(!!isfinite(d));
    mix_long(ldexpl(l, 77)), mix_long(frexpl(l, &e)), mix_long(scalbnl(l, -16400));
  }
  static const uint64_t wholes[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x20000000000001, 0x7fffffffffffffff, 0x8000000000000000, 0x8000000000000401, 0xffffffffffffffff};
  for (int i = 0; i < 11; i++) {
    volatile uint64_t u = wholes[i];
    volatile double d = (double)u;
    volatile float f = (float)u;
    mix_double(d), mix_double(f), mix_long((long double)u);
    d = (double)(int64_t)u, f = (float)(int64_t)u, mix_double(d), mix_double(f), mix_long((long double)(int64_t)u);
    d = (double)(uint32_t)u, f = (float)(int32_t)u, mix_double(d), mix_double(f), mix_long((long double)(int32_t)u);
  }
  tell("conversions");
}

static void printing(void) {
  for (int i = 0; i < count; i++) {
    double d = edges[i];
    printf("%g|%.14g|%5.1f|%e|%+.3e|%G|%#g|%.17g|%-15.3f|%015.4f\n", d, d, fabs(d) < 1e20 ? d : 1, d, d, d, d, d, fabs(d) < 1e20 ? d : 1, fabs(d) < 1e20 ? d : 1);
    long double l = (long double)d / 3;
    printf("%Lg|%.20Lg|%.25Le|%12.4Lf\n", l, l, l, fabs(d) < 1e20 ? l : 1);
  }
  printf("%f %e %g %F %E\n", INFINITY, -INFINITY, INFINITY, -INFINITY, INFINITY);
  printf("%.0f %.0f %.0f %.0f %.1f %.1f %.2f %.3f\n", 0.5, 1.5, 2.5, 3.5, 0.25, 0.35, 1.005, 2.0005);
  printf("%.1f|%.60f|%.400g|%.70e|%.30g\n", 1e100, 0.1, 5e-324, 1.0 / 3, 1e23);
  printf("%.0f|%.3f|%.50Lf|%.2Lf\n", DBL_MAX, -1e300 / 3, 1 / 3.0L, LDBL_MAX);
  printf("%.18Lg %.21Lg %Lg %Lg\n", LDBL_EPSILON, LDBL_MAX, LDBL_MIN, 1e4000L);
  static const char *texts[] = {"1", "-1.5", "1e10", "1e-10", "0x1.8p3", "0x.1p-4", ".5", "5.", "1e", "inf", "-Infinity", "1e400", "-1e400", "1e-400", "4.9e-324", "2.4703282292062327e-324",
                                "2.4703282292062328e-324", "1.7976931348623157e308", "1.7976931348623159e308", "9007199254740993", "0.1e1x", "", "abc", "123456789012345678901234567890", "1.00000000000000011102230246251565404"};
  for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++) {
    char *end, *long_end;
    double d = strtod(texts[i], &end);
    long double l = strtold(texts[i], &long_end);
    float f = strtof(texts[i], NULL);
    printf("%s: %.17g rest '%s' %.20Lg rest '%s' %.9g\n", texts[i], d, end, l, long_end, f);
  }
}

static void mathematics(void) {
  for (int i = -12; i <= 12; i++) {
    double x = i * 0.37 + 0.01;
    printf("%.10g %.10g %.10g %.10g %.10g %.10g", sin(x), cos(x), tan(x), exp(x), atan(x), atan2(x, -1.5));
    printf(" %.10g %.10g %.10g %.10g %.10g", sinh(x), cosh(x), tanh(x), cbrt(x), expm1(x));
    printf(" %.10g %.10g %.10g %.10g %.10g\n", erf(x), tgamma(x + 5.1), hypot(x, 3), exp2(x), pow(fabs(x), 1.7));
  }
  for (double x = 1e-9; x < 1e12; x *= 37) {
    printf("%.10g %.10g %.10g %.10g %.10g %.10g", log(x), log10(x), log2(x), log1p(x), sqrt(x), pow(x, -0.3));
    printf(" %.10g %.10g %.10g %.10g\n", lgamma(x), asinh(x), acosh(x + 1), sin(x));
  }
  for (double x = -1; x <= 1; x += 0.125) printf("%.10g %.10g %.10g ", asin(x), acos(x), atanh(x * 0.99));
  putchar('\n');
  for (long double x = -2.3L; x < 3; x += 0.71L) {
    printf("%.15Lg %.15Lg %.15Lg %.15Lg", sinl(x), cosl(x), tanl(x), expl(x));
    printf(" %.15Lg %.15Lg %.15Lg %.15Lg\n", logl(fabsl(x)), powl(fabsl(x), 2.5L), atan2l(x, 2), log10l(fabsl(x)));
  }
  for (float x = -2.3f; x < 3; x += 0.71f) printf("%.5g %.5g %.5g %.5g %.5g ", sinf(x), cosf(x), expf(x), logf(fabsf(x)), powf(fabsf(x), 2.5f));
  printf("\n%g %g %g %g %g\n", pow(0, 0), pow(2, 10), pow(-8, 3), pow(2, -1074), exp(-800));
  printf("%d %d %d %d %d\n", isnan(sqrt(-1)) != 0, isinf(log(0)) != 0, isnan(pow(-1, 0.5)) != 0, isinf(exp(1000)) != 0, isnan(INFINITY - INFINITY) != 0);
}

static void sums(void) {
  long double harmonic = 0, product = 1;
  for (int i = 1; i <= 5000; i++) harmonic += 1.0L / i, product *= 1 + 1.0L / ((long double)i * i);
  mix_long(harmonic), mix_long(product);
  printf("%.18Lg %.18Lg\n", harmonic, product);
  volatile double kahan = 0, carry = 0;
  for (int i = 1; i <= 5000; i++) {
    volatile double y = 1.0 / i - carry;
    volatile double t = kahan + y;
    volatile double u = t - kahan;
    carry = u - y;
    kahan = t;
  }
  printf("%.12g\n", kahan);
  volatile long double a = 1;
  int bits = 0;
  while (a + 1.0L != a) a *= 2, bits++;
  printf("a mantissa of %d bits\n", bits);
#ifdef FE_UPWARD
  static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  for (int i = 0; i < 4; i++) {
    fesetround(modes[i]);
    volatile double x = 1, y = 3, z = x / y, w = -x / y;
    volatile long double lx = 1, ly = 3, lz = lx / ly;
    volatile double back = z * 3;
    long nearest = lrint(2.5 + z - z);
    fesetround(FE_TONEAREST);
    printf("round %.17g %.17g %.21Lg %d %ld\n", z, w, lz, back == 1, nearest);
  }
#endif
  tell("sums");
}

int main(void) {
  arithmetic();
  conversions();
  printing();
  mathematics();
  sums();
  return 0;
}

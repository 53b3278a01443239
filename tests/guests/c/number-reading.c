/* Random texts of numbers, read by strtod and its kin. Arguments: the seed, how many. */
#include "number-random.h"

#include <errno.h>
#include <fenv.h>
#include <stdio.h>

static char text[2000];

static void add_digits(unsigned most) {
  char *end = text + strlen(text);
  for (unsigned i = below(most + 1); i > 0; i--)
    *end++ = (char)('0' + (below(4) == 0 ? 0 : below(10)));
  *end = 0;
}

static void add_one_of(const char *const *words, unsigned count) {
  strcat(text, words[below(count)]);
}
#define ADD(...) add_one_of((const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* What programs write: at most 15 digits, a small exponent. */
static void make_short(void) {
  sprintf(text, "%s%.*f", below(2) ? "-" : "", (int)below(8), (double)(bits64() >> (20 + below(44))) / 1000);
  text[15] = 0;
  if (below(3) == 0)
    sprintf(text + strlen(text), "%c%s%u", below(2) ? 'e' : 'E', below(2) ? "-" : below(2) ? "+" : "", below(12));
}

static void make_odd(void) {
  text[0] = 0;
  ADD("", "", " ", "\t\n ", "\v\f\r", "x");
  ADD("", "", "-", "+", "--", "- ");
  add_digits(below(3) == 0 ? 40 : 6);
  ADD("", ".", ".", ".", "..", ",");
  add_digits(below(3) == 0 ? 40 : 6);
  ADD("", "", "e", "E", "e-", "e+", "e1", "e-1", "e+22", "e-22", "e23", "e-23", "e0010", "e00000000001", "e300", "e-320", "e9999", "e-9999", "e99999999999", "e.1", "p1", "x1");
  ADD("", "", "", " ", "z", ".", "1", "e5", "-");
}

/* Exactly between two doubles, or just beside that. */
static void make_middle(void) {
  double value = fabs(random_double());
  if (!isfinite(value) || value == 0)
    value = 1;
  if (value > 1e300)
    value = 1e300;
  long double middle = ((long double)value + (long double)nextafter(value, INFINITY)) / 2;
  sprintf(text, "%.*Le", (int)below(2) ? 900 : 16 + (int)below(6), middle);
  char *exponent = strchr(text, 'e'), saved[20];
  strcpy(saved, exponent);
  while (exponent > text && exponent[-1] == '0')
    exponent--;
  sprintf(exponent, "%s%s", below(3) ? "" : "00000000000000000001", saved);
}

static void make_edge(void) {
  text[0] = 0;
  ADD("", "-");
  ADD("9007199254740991", "9007199254740992", "9007199254740993", "900719925474099.3", "99999999999999999", "999999999999999999", "123456789012345678", "0.000000000000000000001", "00000000000000000000000001", "1",
      "0", "0.0", "4503599627370497.5", "18014398509481985", "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508093042880",
      "4.9e-324", "2.4703282292062327208e-324", "2.4703282292062328e-324", "1.7976931348623157e308", "2.2250738585072011e-308", "inf", "INFINITY", "infinit", "nan", "in", "0x1.8p3", "0x", "0x.8", "0x1p", "0X1.fffffffffffff8p0");
  ADD("", "", "e22", "e-22", "e0", "e15");
}

static void read_all(void) {
  char *end, *float_end;
  errno = 0;
  double value = strtod(text, &end);
  int error = errno;
  /* newlib reads "-0x" as 0. */
  int is_sign_known = !(value == 0 && (*end | 0x20) == 'x');
  /* Whether a number too small for all its bits is an error is left open. */
  if (fabs(value) < 2.3e-308)
    error = 0;
  printf("%016llx %d %d", (unsigned long long)(isnan(value) ? 1 : bits_of(is_sign_known ? value : 0)), (int)(end - text), error);
  strtof(text, &float_end);
  printf(" %d %d", (int)(float_end - text), bits_of(atof(text)) == bits_of(value) || isnan(value));
  if (is_sign_known) {
    strtold(text, &end);
    printf(" %d", (int)(end - text));
  }
  putchar('\n');
}

static void read_short(void) {
  static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
  for (int i = 0; i < 4; i++) {
    fesetround(modes[i]);
    double value = strtod(text, NULL);
    fesetround(FE_TONEAREST);
    printf("%016llx ", (unsigned long long)bits_of(value));
  }
  double value = 0;
  float number = 0;
  int read = -1;
  int count = sscanf(text, "%lf%n", &value, &read);
  sscanf(text, "%f", &number);
  /* newlib's scanf does not keep a zero's sign. */
  printf("%d %d %016llx %a %a\n", count, read, (unsigned long long)bits_of(value + 0.0), number + 0.0f, strtof(text, NULL));
}

int main(int argc, char **argv) {
  start_random(argv[1]);
  for (int i = 0, count = atoi(argv[2]); i < count; i++) {
    unsigned kind = below(8);
    if (kind < 3)
      make_short();
    else if (kind < 5)
      make_odd();
    else if (kind < 6)
      make_middle();
    else
      make_edge();
    printf("= '%s'\n", text);
    read_all();
    if (kind < 3)
      read_short();
  }
  return argc != 3;
}

/* Random numbers printed in many ways, a way a line. Arguments: the seed, how many. */
#include "number-random.h"

#include <stdio.h>

union extended {
  long double value;
  struct {
    uint64_t mantissa;
    uint16_t sign_and_exponent;
  };
};

static void print_double(double value) {
  static const char *const formats[] = {"%.17g",  "%.16g", "%.15g", "%.12g", "%g",    "%e",    "%f",     "%.0f",   "%.3f",   "%.1f", "%#g",   "%#.0e", "%#.0f", "%10.4f",
                                        "%+e",    "%-12g|", "%012f", "% .3g", "%.0e", "%.0g",  "%.30f",  "%.40e",  "%.60g",  "%G",   "%E",    "%F",    "%020.9G", "%+.2f"};
  printf("= %016llx\n", (unsigned long long)bits_of(value));
  for (unsigned i = 0; i < sizeof formats / sizeof *formats; i++) {
    printf(formats[i], value);
    putchar('\n');
  }
  int width = (int)below(30), precision = (int)below(400);
  printf("%*.*f %.*e\n", width, precision, value, precision, value);
  printf("%2$.3f %1$d %2$*3$g\n", precision, value, width);

  /* C leaves open which digit %a begins with; what it says is the number. */
  char text[100];
  snprintf(text, sizeof text, "%a", value);
  printf("%016llx\n", (unsigned long long)bits_of(strtod(text, NULL)));
  if (fpclassify(value) != FP_SUBNORMAL)
    printf("%a %.0a %.1a %.5A %.16a %+30a %-30a| %030a %#.0a\n", value, value, value, value, value, value, value, value, value);
}

static long double random_extended(void) {
  union extended number;
  number.value = 0;
  number.mantissa = bits64();
  unsigned kind = below(8);
  if (kind == 0)
    return (long double)random_double();
  if (kind == 1)
    return (long double)(int64_t)(number.mantissa >> 20) / 1000;
  if (kind < 4)
    number.mantissa &= ~(uint64_t)0 << below(64);
  int exponent = kind < 6 ? 16383 - 80 + (int)below(160) : (int)below(0x7fff);
  if (exponent > 0)
    number.mantissa |= (uint64_t)1 << 63;
  else
    number.mantissa >>= 1;
  number.sign_and_exponent = (uint16_t)(exponent | (int)below(2) << 15);
  return number.value;
}

/* The digits of %La, from the highest bit on, and how far the point is from it. */
static void tell_hex(const char *text) {
  union extended number;
  char *end;
  number.value = strtold(text, &end);
  printf("%04x %016llx%s\n", number.sign_and_exponent, (unsigned long long)number.mantissa, end);
}

static void print_extended(long double value) {
  static const char *const formats[] = {"%Le", "%Lg", "%.18Lg", "%.20Lg", "%.21Lg", "%.0Le", "%.3Lf", "%.0Lf", "%#Lg", "%30.10Lf", "%+.5Le", "%012Lf", "%-20Lg|", "%LG", "%.40Le"};
  union extended number = {value};
  printf("= %04x %016llx\n", number.sign_and_exponent, (unsigned long long)number.mantissa);
  for (unsigned i = 0; i < sizeof formats / sizeof *formats; i++) {
    printf(formats[i], value);
    putchar('\n');
  }
  printf("%3$s %2$Lg %1$g %2$.3Le %4$d %5$Lf\n", 0.1, value, "text", 7, 2.5L);
  printf("%g %Lg %d %.25Lg %s\n", 0.1, value, 7, value, "text");
  printf("%.*Le\n", (int)below(300), value);
  char text[100];
  snprintf(text, sizeof text, "%La", value);
  tell_hex(text);
}

int main(int argc, char **argv) {
  start_random(argv[1]);
  for (int i = 0, count = atoi(argv[2]); i < count; i++)
    if (i % 4 == 0)
      print_extended(random_extended());
    else
      print_double(random_double());
  return argc != 3;
}

/* POSIX's numbered arguments, in printf and scanf, narrow and wide. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

static void tell(const char *format, ...) {
  char text[200];
  va_list arguments;
  va_start(arguments, format);
  int count = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  printf("%d %s\n", count, text);
}

static void tell_wide(const wchar_t *format, ...) {
  wchar_t text[200];
  va_list arguments;
  va_start(arguments, format);
  int count = vswprintf(text, 200, format, arguments);
  va_end(arguments);
  printf("%d %ls\n", count, text);
}

int main(void) {
  tell("%2$s %1$s", "one", "two");
  tell("%3$d %1$g %2$s %1$.3f", 5.481, "two", 3);
  tell("%2$Lg %1$s %3$g %4$.3Lf", "one", 1.0L / 3, 0.1, 1e10L);
  tell("%9$d %8$lld %7$g %6$c %5$s %4$ld %3$Lg %2$g %1$d", 1, 2.5, 3.5L, 4L, "5", '6', 7.5, 8LL, 9);
  tell("%1$d %2$d %3$d %4$d %5$d %6$d %7$g %8$g %9$g %10$g %11$g %12$g %13$g %14$g %15$g %16$g %17$Lg", 1, 2, 3, 4, 5, 6, 7.0, 8.0,
       9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0L);
  tell("%2$*1$d|%3$-*1$s|%4$.*1$f", 8, 42, "left", 0.125);
  tell_wide(L"%2$ls %1$s %3$Lg %4$g", "one", L"two", 0.5L, 0.25);

  int number = 0;
  double real = 0;
  long double extended = 0;
  char word[20] = "";
  printf("%d", sscanf("12 1.5 word 2.25", "%2$d %3$lf %1$s %4$Lf", word, &number, &real, &extended));
  printf(" %d %g %s %Lg\n", number, real, word, extended);
  printf("%d", swscanf(L"34 2.5 next", L"%2$d %3$lf %1$s", word, &number, &real));
  printf(" %d %g %s\n", number, real, word);
  return 0;
}

/* The language and the library as compiled code uses them; prints the same in every world and at every -O. */
#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define NOINLINE __attribute__((noinline))

static uint64_t state = 88172645463325252ull;
static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

NOINLINE static int32_t div32(int32_t a, int32_t b) { return a / b; }
NOINLINE static int64_t div64(int64_t a, int64_t b) { return a / b; }
NOINLINE static uint64_t udiv64(uint64_t a, uint64_t b) { return a / b; }
NOINLINE static int64_t mod64(int64_t a, int64_t b) { return a % b; }

static void integers(void) {
  static const int64_t edges[] = {0, 1, -1, 2, -2, 7, -7, 10, 127, -128, 255, 32767, -32768, 65535, INT32_MAX, INT32_MIN,
                                  UINT32_MAX, INT64_MAX, INT64_MIN, INT64_MIN + 1, 0x123456789abcdefll};
  enum { count = sizeof edges / sizeof *edges };
  uint64_t sum = 0;
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) {
      volatile int64_t a = edges[i], b = edges[j];
      sum = sum * 31 + (uint64_t)a * (uint64_t)b + ((uint64_t)a + b) * 3 + ((uint64_t)a - b) * 5;
      sum ^= (a < b) | (a <= b) << 1 | ((uint64_t)a < (uint64_t)b) << 2 | (a == b) << 3;
      sum += (uint64_t)a << (b & 63) ^ (uint64_t)a >> (b & 63) ^ (uint64_t)(a >> (b & 63));
      if (b != 0 && !(a == INT64_MIN && b == -1)) sum = sum * 7 + div64(a, b) + 3 * mod64(a, b);
      if (b != 0) sum = sum * 11 + udiv64(a, b) + (uint64_t)a % (uint64_t)b;
      if ((int32_t)b != 0 && !((int32_t)a == INT32_MIN && (int32_t)b == -1)) sum += div32(a, b) * 17 + (int32_t)a % (int32_t)b;
    }
  printf("integers %016" PRIx64 "\n", sum);
  for (int i = 0; i < 300; i++) {
    uint64_t a = next(), b = next() >> (next() & 63);
    if (b == 0) b = 1;
    sum = sum * 13 + a / b + a % b + (uint64_t)((int64_t)a / (int64_t)(b >> 1 | 1)) + (uint32_t)a / ((uint32_t)b | 1);
    sum += __builtin_popcountll(a) + __builtin_clzll(a | 1) * 3 + __builtin_ctzll(a | 1ull << 63) * 5 + __builtin_bswap64(a);
    sum += __builtin_popcount((uint32_t)a) + __builtin_clz((uint32_t)a | 1) + __builtin_ffs((int)b) + __builtin_parityll(a);
    sum ^= (uint16_t)(a * b) + (int8_t)a * (int8_t)b + (uint8_t)((uint8_t)a << (b & 7)) + (int16_t)((int16_t)a >> (b & 15));
    sum += (a << (b & 63) | a >> (-b & 63)) + ((uint32_t)a << (b & 31) | (uint32_t)a >> (-b & 31));
    int32_t o32;
    int64_t o64;
    sum += __builtin_add_overflow((int32_t)a, (int32_t)b, &o32) + 2 * __builtin_mul_overflow((int64_t)a, (int64_t)b, &o64);
    sum += (uint32_t)o32 + (uint64_t)o64 + __builtin_sub_overflow((uint32_t)a, (uint32_t)b, (uint32_t *)&o32);
#ifdef __SIZEOF_INT128__
    unsigned __int128 wide = (unsigned __int128)a * b + 12345;
    volatile uint64_t high = wide >> 64;
    if ((uint64_t)(wide / (b | 1)) != (uint64_t)(((unsigned __int128)a * b + 12345) / (b | 1)) || high > a) puts("128 bits are wrong");
#endif
  }
  printf("random %016" PRIx64 " %d %d %lld %llu\n", sum, div32(-7, 2), -7 % 2, (long long)div64(INT64_MIN, 3), (unsigned long long)udiv64(-1, 10));
  printf("abs %d %lld div %d/%d lldiv %lld/%lld\n", abs(-5), llabs(-5ll), div(-17, 5).quot, div(-17, 5).rem, lldiv(-17, 5).quot, lldiv(-17, 5).rem);
}

struct bits {
  unsigned a : 3;
  signed b : 5;
  unsigned c : 1, : 4, d : 19;
  unsigned long long e : 37;
  signed long long f : 20;
};

static void bitfields(void) {
  volatile struct bits x = {5, -9, 1, 0x55555, 0x1234567890ull, -4};
  printf("bits %u %d %u %u %llu %lld size %d\n", x.a, x.b, x.c, x.d, (unsigned long long)x.e, (long long)x.f, (int)sizeof x);
  x.a += 6;
  x.b <<= 1;
  x.c = ~x.c;
  x.d *= 3;
  x.e -= 0x1234567891ull;
  x.f >>= 1;
  printf("bits %u %d %u %u %llu %lld\n", x.a, x.b, x.c, x.d, (unsigned long long)x.e, (long long)x.f);
}

struct small { char a; short b; };
struct pair { int a; double b; };
struct floats { float x, y, z; };
struct large { int64_t n[7]; char text[9]; };
union either { double d; uint64_t u; struct { uint32_t low, high; } w; };

NOINLINE static struct small small(struct small s) { s.a++; s.b *= 2; return s; }
NOINLINE static struct pair pair(int a, struct pair p, double b) { p.a += a; p.b *= b; return p; }
NOINLINE static struct floats floats(struct floats f, float by) { f.x *= by; f.y += by; f.z -= by; return f; }
NOINLINE static struct large large(struct large l, int by) { for (int i = 0; i < 7; i++) l.n[i] *= by + i; l.text[0] = 'B'; return l; }
NOINLINE static double many(int a, double b, long long c, float d, char e, struct pair f, unsigned short g, long double h, void *i, int64_t j, double k) {
  return a + b * 2 + c * 3 + d * 4 + e * 5 + f.a * 6 + f.b * 7 + g * 8 + (double)h * 9 + (i != 0) * 10 + j * 11 + k * 12;
}

NOINLINE static int sum(const char *kinds, ...) {
  va_list list, copy;
  double total = 0;
  va_start(list, kinds);
  va_copy(copy, list);
  for (const char *k = kinds; *k; k++) switch (*k) {
      case 'i': total += va_arg(list, int); break;
      case 'l': total += va_arg(list, long long); break;
      case 'd': total += va_arg(list, double); break;
      case 'L': total += va_arg(list, long double); break;
      case 's': total += strlen(va_arg(list, char *)); break;
      case 'p': total += va_arg(list, struct pair).b; break;
    }
  if (*kinds == 'i') total += va_arg(copy, int);
  va_end(copy);
  va_end(list);
  return (int)(total * 100);
}

static void calls(void) {
  struct small s = small((struct small){'a', 300});
  struct pair p = pair(3, (struct pair){4, 2.5}, 1.5);
  struct floats f = floats((struct floats){1, 2, 3}, 0.5f);
  struct large l = large((struct large){{1, 2, 3, 4, 5, 6, 7}, "batches"}, 10);
  union either e = {.d = -1.5};
  printf("structs %c %d %d %g %g %g %g %lld %s %08x %08x\n", s.a, s.b, p.a, p.b, f.x, f.y, f.z, (long long)l.n[6], l.text, (unsigned)e.w.low, (unsigned)e.w.high);
  printf("many %.3f\n", many(1, 2.5, -3, 4.25f, 'e', p, 65535, 7.125L, &s, -8, 9.75));
  printf("varargs %d %d\n", sum("ildLsp", 1, 2ll, 3.25, 4.5L, "five!", p), sum("dddddddddiiiiiiii", .1, .2, .3, .4, .5, .6, .7, .8, .9, 1, 2, 3, 4, 5, 6, 7, 8));
  int (*volatile table[])(int) = {isalpha, isdigit, isspace, toupper, tolower};
  for (int i = 0; i < 5; i++) printf("%d", !!table[i]('q') * (i + 1));
  putchar('\n');
}

static jmp_buf home;
NOINLINE static void deep(int n) {
  volatile char frame[50];
  frame[0] = n;
  if (n == 0) longjmp(home, 42);
  deep(n - 1);
  frame[1] = frame[0];
}

static void jumps(void) {
  volatile int tries = 0;
  volatile double kept = 1.5;
  int got = setjmp(home);
  if (tries++ < 3) {
    kept *= 2;
    deep(100 * tries);
  }
  printf("longjmp %d after %d tries, kept %g\n", got, tries, kept);
  if (setjmp(home) == 0) longjmp(home, 0);
  else puts("longjmp of 0 gives 1");
  static const void *labels[] = {&&a, &&b, &&c, &&done};
  int i = 0;
  goto *labels[i++];
a: printf("a ");
  goto *labels[i++];
b: printf("b ");
  goto *labels[i++];
c: printf("c ");
  goto *labels[i++];
done:
  puts("computed gotos");
}

static int calls_made;
static int by_value(const void *a, const void *b) {
  calls_made++;
  return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}
static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

NOINLINE static int cases(int n) {
  switch (n) {
    case 0: return 10;
    case 1: return 21;
    case 2: return 3;
    case 3: return 44;
    case 4: return 5;
    case 5: return 66;
    case 6: return 70;
    case 7: return 18;
    case 100: return 1;
    case 1000: return 2;
    case -1: return 3;
    default: return n / 2;
  }
}

static void library(void) {
  int numbers[1000];
  for (int i = 0; i < 1000; i++) numbers[i] = (int)(next() % 5000) - 2500;
  qsort(numbers, 1000, sizeof *numbers, by_value);
  for (int i = 1; i < 1000; i++)
    if (numbers[i - 1] > numbers[i]) puts("qsort is wrong");
  int key = numbers[617];
  int *found = bsearch(&key, numbers, 1000, sizeof *numbers, by_value);
  printf("qsort %d %d %d bsearch %d\n", numbers[0], numbers[500], numbers[999], found ? *found : -1);
  char *words[] = {"pear", "apple", "fig", "", "banana", "Apple"};
  qsort(words, 6, sizeof *words, by_text);
  for (int i = 0; i < 6; i++) printf("[%s]", words[i]);
  putchar('\n');
  for (int i = -3; i < 12; i++) printf("%d ", cases(i));
  printf("%d %d\n", cases(100), cases(1000));

  char text[200], other[200];
  memset(text, 'x', sizeof text);
  strcpy(text, "the quick brown fox");
  memmove(text + 4, text, 20);
  snprintf(other, 10, "%s", text);
  printf("%s|%s|%d %d|%s|%s|%d\n", text, other, (int)strlen(text), strcmp("a", "b") < 0, strstr(text, "qui"), strrchr(text, 'o'), (int)strcspn(text, "q"));
  for (char *t = strtok(strcpy(text, "a,b;;c d"), ",; "); t; t = strtok(NULL, ",; ")) printf("<%s>", t);
  printf(" %d %d %d\n", memcmp("abc", "abd", 3) < 0, strncmp("abcx", "abcy", 3), (int)strspn("112233x", "123"));
  for (int size = 0; size < 130; size += 7) {
    memset(text, size, sizeof text);
    memcpy(text + size / 3, "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", size % 80);
    unsigned h = 0;
    for (unsigned i = 0; i < sizeof text; i++) h = h * 31 + (unsigned char)text[i];
    printf("%x ", h);
  }
  putchar('\n');

  char *end;
  printf("%ld %ld %lu %lld %ld", strtol("  -42x", &end, 10), strtol("0x1F", NULL, 0), strtoul("777", NULL, 8), strtoll("-9223372036854775808", NULL, 10), strtol("zz", NULL, 36));
  errno = 0;
  printf(" end '%s' %lld %d\n", end, strtoll("99999999999999999999", NULL, 10), errno == ERANGE);
  printf("[%5d][%-5d][%05d][%+d][% d][%x][%#X][%o][%#o][%c][%.3s][%10.2s][%*d][%-*d|]\n", 42, 42, 42, 42, 42, 255, 255, 8, 8, 'c', "string", "string", 6, 7, 6, 7);
  printf("[%hhd][%hd][%ld][%lld][%zu][%td][%jd][%llx][%%][%.0d][%.5d][%8.5d]\n", (char)300, (short)70000, 123456789l, -1234567890123456789ll, sizeof(int), (ptrdiff_t)-5, (intmax_t)-6, 0xfedcba9876543210ull, 0, 42, -42);
  int a, b, n;
  char word[20];
  float f;
  double d;
  printf("sscanf %d", sscanf("12 -0x1f word 2.5 1e-3 tail", "%d %i %19s %f %lf%n", &a, &b, word, &f, &d, &n));
  printf(" %d %d %s %g %g %d\n", a, b, word, f, d, n);
  printf("sscanf %d", sscanf("key=[va lue];7", "%19[^=]=[%[^]]];%2d", word, text, &a));
  printf(" %s %s %d\n", word, text, a);

  char **grown = NULL;
  size_t total = 0;
  for (int i = 0; i < 500; i++) {
    grown = realloc(grown, (i + 1) * sizeof *grown);
    grown[i] = malloc(i * 13 % 700 + 1);
    sprintf(grown[i], "%d", i * i);
    if (i % 3 == 0) { free(grown[i / 2]); grown[i / 2] = strdup("again"); }
  }
  for (int i = 0; i < 500; i++) { total += strlen(grown[i]); free(grown[i]); }
  free(grown);
  int *zeroed = calloc(10000, sizeof *zeroed);
  for (int i = 0; i < 10000; i++) total += zeroed[i];
  free(zeroed);
  printf("heap %d\n", (int)total);
  wchar_t wide[20];
  int made = (int)mbstowcs(wide, "wide", 20);
  printf("%d %d\n", made, (int)wcslen(wide));
}

typedef int v4si __attribute__((vector_size(16)));
typedef float v4sf __attribute__((vector_size(16)));
typedef double v2df __attribute__((vector_size(16)));
typedef unsigned char v16qi __attribute__((vector_size(16)));
typedef short v8hi __attribute__((vector_size(16)));
typedef long long v2di __attribute__((vector_size(16)));

static void vectors(void) {
  volatile int seed = 3;
  v4si a = {1, -2, seed, INT_MAX}, b = {seed, 5, -7, 1};
  v4si s = a + b, m = a * b, c = a > b, q = (a << 3) ^ (b >> 1);
  printf("v4si %d %d %d %d|%d %d %d %d|%d %d %d %d|%d %d %d %d\n", s[0], s[1], s[2], s[3], m[0], m[1], m[2], m[3], c[0], c[1], c[2], c[3], q[0], q[1], q[2], q[3]);
  v4sf x = {1.5f, -2.25f, seed, 1e10f}, y = {0.5f, 4, -1, 3};
  v4sf z = x * y + x / y - y;
  printf("v4sf %g %g %g %g\n", z[0], z[1], z[2], z[3]);
  v2df u = {1.0 / seed, 2}, v = {seed, -0.5};
  u = u * v - v / u;
  printf("v2df %.15g %.15g\n", u[0], u[1]);
  v16qi bytes, shuffled;
  for (int i = 0; i < 16; i++) bytes[i] = i * 17 + seed;
  bytes = (bytes + bytes) ^ (v16qi)(a);
  shuffled = __builtin_shuffle(bytes, (v16qi){15, 14, 13, 12, 11, 10, 9, 8, 0, 1, 2, 3, 4, 4, 4, 4});
  for (int i = 0; i < 16; i++) printf("%02x%02x ", bytes[i], shuffled[i]);
  v8hi h = {1, 2, 3, 4, 5, 6, 7, (short)(seed * 1000)};
  h = h * h - (h >> 2);
  v2di w = {seed, -seed};
  w = (w << 40) + w * 1000003;
  printf("%d %d %d %lld %lld\n", h[0], h[3], h[7], w[0], w[1]);
  float sums = 0, data[103];
  int maximum = INT_MIN, counts[103];
  for (int i = 0; i < 103; i++) { data[i] = i * 0.25f - 10; counts[i] = (i * 7919) % 1013 - 500; }
  for (int i = 0; i < 103; i++) { data[i] = data[i] * data[i] + 1; if (counts[i] > maximum) maximum = counts[i]; counts[i] = abs(counts[i]) * 3; }
  long long total = 0;
  for (int i = 0; i < 103; i++) { sums += data[i]; total += counts[i]; }
  printf("loops %g %d %lld\n", sums, maximum, total);
}

int main(void) {
  integers();
  bitfields();
  calls();
  jumps();
  library();
  vectors();
  return 0;
}

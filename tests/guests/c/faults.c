/* Ends in the way that its first argument names; outer and inner are the callers that a report must show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noipa))

static const int constant[4] = {1, 2, 3, 4};
static int variable[4] = {1, 2, 3, 4};
static volatile int zero, minus_one = -1;
static int *volatile null;
static void (*volatile no_function)(void);

NOINLINE int endless(volatile int *p) {
  volatile int frame[64];
  frame[0] = *p;
  return endless(frame) + frame[0];
}

NOINLINE int wide(volatile char *p, int n) {
  volatile char frame[200000];
  frame[100] = *p;
  return n == 0 ? 0 : wide(frame + 100, n - 1) + frame[n & 1023];
}

NOINLINE int huge(void) {
  volatile char frame[100 << 20];
  frame[0] = 1;
  return frame[0];
}

NOINLINE int misaligned(void) {
  static char __attribute__((aligned(16))) bytes[64];
  __asm__ volatile("movaps %%xmm0, %0" : : "m"(bytes[1]) : "memory");
  return 0;
}

NOINLINE int unmasked(void) {
  unsigned short control = 0x37b; /* #ZM is not masked */
  volatile long double one = 1, nothing = 0;
  __asm__ volatile("fldcw %0" : : "m"(control));
  one /= nothing;
  return (int)one;
}

NOINLINE int inner(const char *how) {
  if (!strcmp(how, "null-read")) return *null;
  if (!strcmp(how, "null-write")) *null = 1;
  if (!strcmp(how, "null-field")) return ((struct { char before[0x1234]; int field; } *)null)->field;
  if (!strcmp(how, "null-call")) no_function();
  if (!strcmp(how, "wild-read")) return *(volatile int *)0x70000004;
  if (!strcmp(how, "wild-write")) *(volatile int *)0xfffffff8 = 1;
  if (!strcmp(how, "wild-call")) ((void (*)(void))0x70000000)();
#ifdef __x86_64__
  if (!strcmp(how, "non-canonical")) return *(volatile int *)0x8000000000000000;
  if (!strcmp(how, "top")) return *(volatile int *)0xfffffffffffffff0;
#endif
  if (!strcmp(how, "write-text")) *(volatile char *)(void *)inner = 0;
  if (!strcmp(how, "write-constant")) *(volatile int *)&constant[zero + 1] = 7;
  if (!strcmp(how, "call-data")) ((void (*)(void))(void *)variable)();
  if (!strcmp(how, "call-constant")) ((void (*)(void))(void *)constant)();
  if (!strcmp(how, "divide")) return 7 / zero;
  if (!strcmp(how, "divide-overflow")) return (-2147483647 - 1) / minus_one;
  if (!strcmp(how, "trap")) __builtin_trap();
  if (!strcmp(how, "rdseed")) __asm__ volatile("rdseed %%eax" : : : "eax");
  if (!strcmp(how, "privileged")) __asm__ volatile("hlt");
  if (!strcmp(how, "breakpoint")) __asm__ volatile("int3");
  if (!strcmp(how, "syscall")) __asm__ volatile("int $0x80");
  if (!strcmp(how, "port")) __asm__ volatile("outb %%al, $0x80" : : "a"(0));
  if (!strcmp(how, "garbage")) __asm__ volatile(".byte 0x0f, 0xff, 0xff, 0xff");
  if (!strcmp(how, "abort")) abort();
  if (!strcmp(how, "endless")) return endless(&zero);
  if (!strcmp(how, "wide")) return wide((char *)&zero, 1000);
  if (!strcmp(how, "huge")) return huge();
  if (!strcmp(how, "misaligned")) return misaligned();
  if (!strcmp(how, "unmasked")) return unmasked();
  return atoi(how);
}

NOINLINE int outer(const char *how) {
  int result = inner(how);
  return result + zero;
}

int main(int argc, char **argv) {
  printf("before\n");
  fflush(stdout);
  if (argc < 2) return 0;
  return outer(argv[1]);
}

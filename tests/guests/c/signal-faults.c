/* What instructions raise, as handlers see it and as they change it: siginfo_t, registers, floats, mask. */
#define _GNU_SOURCE
#include <float.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#ifdef __x86_64__
#define IP REG_RIP
#define SP REG_RSP
#define AX REG_RAX
#define CX REG_RCX
#define BX REG_RBX
#else
#define IP REG_EIP
#define SP REG_ESP
#define AX REG_EAX
#define CX REG_ECX
#define BX REG_EBX
#endif

static sigjmp_buf back;
static volatile int skip;
static unsigned char *volatile at;
static volatile int trapno, error, code;
static void *volatile address;
static volatile unsigned long fault_address, sp_seen;

static void note(int signal, siginfo_t *info, void *context) {
  ucontext_t *saved = context;
  greg_t *registers = saved->uc_mcontext.gregs;
  code = info->si_code;
  address = info->si_addr;
  at = (unsigned char *)registers[IP];
  trapno = (int)registers[REG_TRAPNO];
  error = (int)registers[REG_ERR];
  sp_seen = (unsigned long)registers[SP];
#ifdef __x86_64__
  fault_address = (unsigned long)registers[REG_CR2];
#else
  fault_address = saved->uc_mcontext.cr2;
#endif
  if (skip == 0)
    siglongjmp(back, signal);
  registers[IP] += skip;
}

static void catch(int signal) {
  struct sigaction action = {0};
  action.sa_sigaction = note;
  action.sa_flags = SA_SIGINFO;
  sigaction(signal, &action, NULL);
}

static const int constant = 5;
static volatile int zero;
static volatile int *volatile null;
static char space[64] __attribute__((aligned(16)));

static void show(const char *what, int signal) {
  printf("%s: signal %d code %d trap %d error %d address %d\n", what, signal, code, trapno, error & ~4,
         address == at ? 1 : address == NULL ? 0 : 2);
}

#define TRY(what, ...)                      \
  do {                                      \
    int signal = sigsetjmp(back, 1);        \
    if (signal == 0) {                      \
      __VA_ARGS__;                          \
      printf("%s: nothing\n", what);        \
    } else                                  \
      show(what, signal);                   \
  } while (0)

static void kinds(void) {
  TRY("null read", (void)*null);
  TRY("null write", *null = 1);
  TRY("constant", *(volatile int *)&constant = 1);
  printf("address %d cr2 %d\n", address == &constant, fault_address == (unsigned long)&constant);
  TRY("code", *(volatile char *)(void *)kinds = 1);
  TRY("call", ((void (*)(void))NULL)());
  TRY("divide", zero = 7 / zero);
  TRY("divide too far", zero = (-2147483647 - 1) / (zero - 1));
  zero = 0;
  TRY("ud2", __builtin_trap());
  TRY("int3", __asm__ volatile("int3"));
  TRY("hlt", __asm__ volatile("hlt"));
  TRY("misaligned", __asm__ volatile("movaps %%xmm0, %0" : : "m"(space[1])));
#ifdef __x86_64__
  TRY("non-canonical", (void)*(volatile char *)0x8000000000000000);
#endif
}

static void floats(void) {
  unsigned short control = 0x37b, masked = 0x37f;
  unsigned mxcsr, open;
  TRY("x87 divide", {
    volatile long double one = 1, nothing = 0;
    __asm__ volatile("fldcw %0" : : "m"(control));
    one /= nothing;
    __asm__ volatile("fwait");
  });
  __asm__ volatile("fninit; fldcw %0" : : "m"(masked));
  control = 0x37e;
  TRY("x87 invalid", {
    volatile long double nothing = 0;
    __asm__ volatile("fldcw %0" : : "m"(control));
    nothing /= nothing;
    __asm__ volatile("fwait");
  });
  __asm__ volatile("fninit; fldcw %0" : : "m"(masked));
  __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
  mxcsr &= ~0x3fu;
  for (int bit = 0; bit < 5; bit++) {
    static const char *const names[] = {"SSE invalid", "SSE denormal", "SSE divide", "SSE overflow", "SSE underflow"};
    static const double left[] = {0, 5e-324, 1, DBL_MAX, DBL_MIN}, right[] = {0, 1, 0, 0.5, 3};
    open = mxcsr & ~(0x80u << bit);
    TRY(names[bit], {
      volatile double a = left[bit], b = right[bit];
      __asm__ volatile("ldmxcsr %0" : : "m"(open));
      __asm__ volatile("movsd %0, %%xmm0; divsd %1, %%xmm0" : : "m"(a), "m"(b) : "xmm0");
    });
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
  }
}

/* A handler that sets registers, which the interrupted code then finds. */
static void change(int signal, siginfo_t *info, void *context) {
  ucontext_t *saved = context;
  greg_t *registers = saved->uc_mcontext.gregs;
  (void)signal, (void)info;
  registers[AX] = 0x1234;
  registers[BX] += 1;
  registers[CX] = ~registers[CX];
  registers[REG_EFL] |= 0x801; /* OF and CF */
  registers[IP] += 2;          /* ud2 */
  sigaddset(&saved->uc_sigmask, SIGUSR2);
}

static void registers(void) {
  struct sigaction action = {0};
  long a = 1, b = 2, c = 3, flags;
  action.sa_sigaction = change;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, NULL);
  __asm__ volatile("xor %%edx, %%edx; ud2; pushf; pop %3" : "+a"(a), "+b"(b), "+c"(c), "=&r"(flags) : : "edx", "cc", "memory");
  sigset_t mask;
  sigprocmask(SIG_BLOCK, NULL, &mask);
  printf("a %lx b %ld c %ld flags %lx, SIGUSR2 blocked %d\n", a, b, c, flags & 0x8d5, sigismember(&mask, SIGUSR2));
}

/* A handler that sets floats. */
static void change_floats(int signal, siginfo_t *info, void *context) {
  ucontext_t *saved = context;
  double value = 2.5;
  (void)signal, (void)info;
#ifdef __x86_64__
  struct _libc_fpstate *floats = saved->uc_mcontext.fpregs;
  memcpy(&floats->_xmm[3], &value, 8);
  printf("  cwd %x top %x\n", floats->cwd, floats->swd >> 11 & 7);
  printf("  st0 %x %04x%04x%04x%04x\n", floats->_st[0].exponent, floats->_st[0].significand[3], floats->_st[0].significand[2],
         floats->_st[0].significand[1], floats->_st[0].significand[0]);
  floats->_st[0].exponent += 1;
#else
  struct _libc_fpstate *floats = saved->uc_mcontext.fpregs;
  unsigned char *image = (unsigned char *)floats + 112;
  memcpy(image + 160 + 16 * 3, &value, 8);
  printf("  cwd %x top %x\n", (unsigned)floats->cw & 0xffff, (unsigned)floats->sw >> 11 & 7);
  printf("  st0 %x %04x%04x%04x%04x\n", floats->_st[0].exponent, floats->_st[0].significand[3], floats->_st[0].significand[2],
         floats->_st[0].significand[1], floats->_st[0].significand[0]);
  printf("  magic %lx\n", floats->status >> 16);
  floats->_st[0].exponent += 1;
#endif
  saved->uc_mcontext.gregs[IP] += 2;
}

static void states(void) {
  struct sigaction action = {0};
  double first = 1.5, out = 0, x87 = 0, before = 3.25;
  action.sa_sigaction = change_floats;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGILL, &action, NULL);
  __asm__ volatile(
      "fldl %2; movsd %3, %%xmm3; ud2; movsd %%xmm3, %0; fstpl %1"
      : "=m"(out), "=m"(x87)
      : "m"(first), "m"(before)
      : "xmm3", "memory");
  printf("xmm3 %g st0 %g\n", out, x87);
}

static char other[1 << 16];
static volatile int deep;

static void overflowed(int signal, siginfo_t *info, void *context) {
  (void)info, (void)context;
  siglongjmp(back, signal);
}

__attribute__((noinline)) static int recurse(volatile char *p) {
  volatile char frame[4096];
  frame[0] = *p;
  deep++;
  return recurse(frame) + frame[0];
}

static void overflow(void) {
  struct sigaction action = {0};
  action.sa_sigaction = overflowed;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaltstack(&(stack_t){.ss_sp = other, .ss_size = sizeof other}, NULL);
  sigaction(SIGSEGV, &action, NULL);
  for (volatile int round = 0; round < 3; round++) {
    int signal = sigsetjmp(back, 1);
    if (signal == 0)
      recurse(space);
    stack_t now;
    sigaltstack(NULL, &now);
    printf("overflow: signal %d, stack in use %d, deep %d\n", signal, now.ss_flags, deep > 100);
    deep = 0;
  }
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  for (int i = 1; i < 12; i++)
    if (i == SIGSEGV || i == SIGBUS || i == SIGFPE || i == SIGILL || i == SIGTRAP)
      catch(i);
  kinds();
  floats();
  registers();
  states();
  overflow();
  return 0;
}

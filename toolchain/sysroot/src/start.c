/*
 * crt0: from the kernel's entry to main and out. The stack at entry is that of the System V psABI: argc, argv, NULL,
 * environment, NULL, auxiliary vector, with the stack pointer on a 16-byte boundary.
 */
#include <mini-os/sched.h>
#include <stddef.h>
#include <stdlib.h>

typedef void function(int argc, char **argv, char **environment);

extern function *const __preinit_array_start[], *const __preinit_array_end[];
extern function *const __init_array_start[], *const __init_array_end[];
extern void (*const __fini_array_start[])(void), (*const __fini_array_end[])(void);

extern char **environ;
extern int main(int argc, char **argv, char **environment);
/* The thread that main runs in, and the program's name for its messages. */
struct thread *minios_main_thread;
char *__progname = "";
void minios_start(char **stack) __attribute__((noreturn));

#ifdef __x86_64__
__asm__(
    ".section .text.start,\"ax\",@progbits\n"
    ".globl _start\n"
    ".type _start,@function\n"
    "_start:\n"
    "  xorl %ebp, %ebp\n" /* the outermost frame */
    "  movq %rsp, %rdi\n"
    "  call minios_start\n"
    "  ud2\n"
    ".size _start, . - _start\n"
    ".text\n");
#else
__asm__(
    ".section .text.start,\"ax\",@progbits\n"
    ".globl _start\n"
    ".type _start,@function\n"
    "_start:\n"
    "  xorl %ebp, %ebp\n"
    "  movl %esp, %eax\n"
    "  subl $12, %esp\n" /* the call must find the argument on a 16-byte boundary */
    "  pushl %eax\n"
    "  call minios_start\n"
    "  ud2\n"
    ".size _start, . - _start\n"
    ".text\n");
#endif

static char *last_name(char *path) {
  char *last = path;
  for (char *at = path; *at != '\0'; at++)
    if (*at == '/')
      last = at + 1;
  return last;
}

static void run_fini_array(void) {
  for (size_t i = (size_t)(__fini_array_end - __fini_array_start); i > 0; i--)
    __fini_array_start[i - 1]();
}

void minios_start(char **stack) {
  int argc = (int)(size_t)stack[0];
  char **argv = stack + 1;
  environ = argv + argc + 1;
  minios_main_thread = get_current();
  if (argc > 0)
    __progname = last_name(argv[0]);

  if (__fini_array_end - __fini_array_start > 0)
    atexit(run_fini_array);
  for (function *const *f = __preinit_array_start; f != __preinit_array_end; f++)
    (*f)(argc, argv, environ);
  for (function *const *f = __init_array_start; f != __init_array_end; f++)
    (*f)(argc, argv, environ);
  exit(main(argc, argv, environ));
}

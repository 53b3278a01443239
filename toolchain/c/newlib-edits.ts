/** What newlib is taught of our system before it is configured, a place of its sources each. */
import { formatEdits } from './newlib-format-edits.ts';

/** What newlib's own sources read of us, by -D: which system calls exist, and which POSIX parts are left out. */
const newlibFlags = [
  '-D_COMPILING_NEWLIB',
  '-DREENTRANT_SYSCALLS_PROVIDED',
  '-DGETREENT_PROVIDED',
  ...['FCNTL', 'BLKSIZE', 'MKDIR', 'NANOSLEEP', 'OPENDIR'].map((name) => `-DHAVE_${name}`),
  '-DNO_EXEC',
  ...'EXECVE GETCWD GETLOGIN GETPWENT GETUT GETPASS SIGSET WORDEXP POPEN'
    .split(' ')
    .map((name) => `-D_NO_${name}`),
].join(' ');

interface Edit {
  readonly file: string;
  /** Occurs exactly once. */
  readonly before: string;
  readonly after: string;
}

/** newlib's tables are per host; *-xen-elf is new to them. */
export const edits: readonly Edit[] = [
  {
    file: 'newlib/configure.host',
    before: '  a29k-*-*)\n\tsys_dir=a29khif\n',
    after: `  *-xen-elf*)\n\tposix_dir=posix\n\tunix_dir=unix\n\thave_crt0=no\n\t;;\n  a29k-*-*)\n\tsys_dir=a29khif\n`,
  },
  {
    file: 'newlib/configure.host',
    before: '  a29k-amd-udi)\n',
    after: `  *-xen-elf*)\n\tnewlib_cflags="\${newlib_cflags} ${newlibFlags}"\n\tsyscall_dir=syscalls\n\t;;\n  a29k-amd-udi)\n`,
  },
  {
    file: 'newlib/libc/include/sys/config.h',
    before: '#ifndef __EXPORT\n',
    after: `#ifdef __minios__
#define __DYNAMIC_REENT__
#define _READ_WRITE_RETURN_TYPE _ssize_t
#define _READ_WRITE_BUFSIZE_TYPE size_t
#endif

#ifndef __EXPORT
`,
  },
  {
    file: 'newlib/libc/include/sys/features.h',
    before: '#ifdef __rtems__\n#define _POSIX_JOB_CONTROL',
    after: `#ifdef __minios__
#define _POSIX_TIMERS 200809L
#define _POSIX_MONOTONIC_CLOCK 200809L
#define _POSIX_CPUTIME 200809L
#define _POSIX_THREAD_CPUTIME 200809L
#define _POSIX_CLOCK_SELECTION 200809L
#define _POSIX_FSYNC 200809L
#define _POSIX_MAPPED_FILES 200809L
#define _POSIX_MEMORY_PROTECTION 200809L
#define _POSIX_SHARED_MEMORY_OBJECTS 200809L
#define _POSIX_JOB_CONTROL 1
#define _POSIX_SAVED_IDS 1
#define _POSIX_VERSION 200809L
#define _POSIX_REALTIME_SIGNALS 200809L
#define _POSIX_SEMAPHORES 200809L
#define _POSIX_TIMEOUTS 200809L
#define _POSIX_THREADS 200809L
#define _POSIX_THREAD_ATTR_STACKADDR 200809L
#define _POSIX_THREAD_ATTR_STACKSIZE 200809L
#define _POSIX_THREAD_PRIORITY_SCHEDULING 200809L
#define _POSIX_THREAD_PROCESS_SHARED 200809L
#define _POSIX_THREAD_SAFE_FUNCTIONS 200809L
#define _POSIX_PRIORITY_SCHEDULING 200809L
#define _POSIX_READER_WRITER_LOCKS 200809L
#define _POSIX_BARRIERS 200809L
#define _POSIX_SPIN_LOCKS 200809L
#define _UNIX98_THREAD_MUTEX_ATTRIBUTES 1
#endif

#ifdef __rtems__
#define _POSIX_JOB_CONTROL`,
  },
  {
    file: 'newlib/libc/include/machine/time.h',
    before: '#if defined(__rtems__) ||',
    after: '#if defined(__minios__) || defined(__rtems__) ||',
  },
  {
    file: 'newlib/libc/include/sys/_types.h',
    before: 'typedef\tunsigned short\t__nlink_t;',
    after: 'typedef\tunsigned int\t__nlink_t;',
  },
  {
    file: 'newlib/libc/include/sys/syslimits.h',
    before: '#define\tARG_MAX\t\t\t65536',
    after: `#define HOST_NAME_MAX 255
#define LOGIN_NAME_MAX 256
#define PTHREAD_DESTRUCTOR_ITERATIONS 4
#define PTHREAD_KEYS_MAX 128
#define PTHREAD_STACK_MIN 16384
#define SEM_NSEMS_MAX 256
#define SEM_VALUE_MAX 0x7fffffff
#define SYMLOOP_MAX 40
#define TTY_NAME_MAX 32
#define OPEN_MAX 1024
#define ARG_MAX 65536`,
  },
  {
    file: 'newlib/libc/include/sys/syslimits.h',
    before: '#define\tPATH_MAX\t\t 1024',
    after: '#define\tPATH_MAX\t\t 4096',
  },
  {
    file: 'newlib/libc/include/sys/syslimits.h',
    before: '#define\tPIPE_BUF\t\t  512',
    after: '#define\tPIPE_BUF\t\t 4096',
  },
  {
    file: 'newlib/libc/include/sys/select.h',
    before: '#\tdefine\tFD_SETSIZE\t64',
    after: '#\tdefine\tFD_SETSIZE\t1024',
  },
  {
    file: 'newlib/libc/include/sys/stat.h',
    before: '#if defined (__SPU__) || defined(__rtems__)',
    after: '#if defined (__minios__) || defined (__SPU__) || defined(__rtems__)',
  },
  {
    file: 'newlib/libc/include/sys/stat.h',
    before: '#if defined(__CYGWIN__)\n/* Special',
    after: '#if defined(__CYGWIN__) || defined(__minios__)\n/* Special',
  },
  {
    // its sigsetjmp keeps the mask behind what a jmp_buf has room for
    file: 'newlib/libc/include/machine/setjmp.h',
    before: '#if (defined(__CYGWIN__) || defined(__rtems__)) && __POSIX_VISIBLE',
    after: `#if defined(__minios__) && __POSIX_VISIBLE
#include <sys/_sigset.h>

#ifdef __cplusplus
extern "C" {
#endif
typedef struct {
  jmp_buf registers;
  int has_mask;
  __sigset_t mask;
} sigjmp_buf[1];

jmp_buf *minios_sigsetjmp (sigjmp_buf, int);
void siglongjmp (sigjmp_buf, int) __attribute__ ((__noreturn__));
#ifdef __cplusplus
}
#endif

#define sigsetjmp(env, savemask) setjmp (*minios_sigsetjmp (env, savemask))
#define _setjmp(env) setjmp (env)
#define _longjmp(env, value) longjmp (env, value)
#elif (defined(__CYGWIN__) || defined(__rtems__)) && __POSIX_VISIBLE`,
  },
  {
    // long double is the x87's own format; sysroot/src has its functions
    file: 'newlib/libc/include/math.h',
    before: '#if defined (_LDBL_EQ_DBL) || defined (__CYGWIN__)\n',
    after: '#if defined (_LDBL_EQ_DBL) || defined (__CYGWIN__) || defined (__minios__)\n',
  },
  {
    // exit() flushes through the global structure, while each thread has one of its own
    file: 'newlib/libc/stdio/findfp.c',
    before: '  s->__cleanup = _cleanup_r;',
    after: '  _GLOBAL_REENT->__cleanup = s->__cleanup = _cleanup_r;',
  },
  {
    // C 7.13.2.1: longjmp(env, 0) makes setjmp return 1, which newlib's for x86-32 knows
    file: 'newlib/libc/machine/x86_64/setjmp.S',
    before: '  movq    rsi, rax        /* Return value */\n',
    after: '  movl    esi, eax\n  testl   eax, eax\n  jne     0f\n  incl    eax\n0:\n',
  },
  // POSIX: optind begins at 1; 0 begins anew, as elsewhere.
  {
    file: 'newlib/libc/stdlib/getopt.c',
    before: 'int optind = 0;',
    after: 'int optind = 1;',
  },
  {
    file: 'newlib/libc/stdlib/getopt.c',
    before: 'static int optwhere = 0;',
    after: 'static int optwhere = 1;',
  },
  // glob as POSIX has it: no match is an error, a backslash takes the next character as it is.
  {
    file: 'newlib/libc/include/glob.h',
    before: '#define\tGLOB_ABEND\t(-2)',
    after:
      '#define GLOB_NOESCAPE 0x2000\n#define GLOB_NOMATCH (-3)\n#define GLOB_ABORTED GLOB_ABEND\n#define\tGLOB_ABEND\t(-2)',
  },
  {
    file: 'newlib/libc/posix/glob.c',
    before: '\telse if (!(pglob->gl_flags & GLOB_NOSORT))\n',
    after:
      '\tif (pglob->gl_pathc == oldpathc)\n\t\treturn(GLOB_NOMATCH);\n\tif (!(pglob->gl_flags & GLOB_NOSORT))\n',
  },
  {
    file: 'newlib/libc/posix/glob.c',
    before: '\tif (flags & GLOB_QUOTE) {',
    after: '\tif (!(flags & GLOB_NOESCAPE)) {',
  },
  {
    file: 'newlib/libc/include/sys/unistd.h',
    before: '#ifdef __CYGWIN__\t/* Only defined on Cygwin for now. */\n#define _CS_PATH ',
    after: '#define _CS_PATH 0\n#ifdef __CYGWIN__\n#define __CS_PATH ',
  },
  // Recompiled, one repeated instruction is one block operation, and anything else a loop.
  {
    file: 'newlib/libc/machine/x86_64/memcpy.S',
    before: '  cmpq    $16, rdx\n  jb      byte_copy\n',
    after: '  jmp     byte_copy\n',
  },
  {
    file: 'newlib/libc/machine/x86_64/memset.S',
    before: '  cmpq    $16, rdx\n  jb      byte_set\n',
    after: '  jmp     byte_set\n',
  },
  {
    file: 'newlib/libc/string/memmove.c',
    before: '#if defined(PREFER_SIZE_OVER_SPEED) || defined(__OPTIMIZE_SIZE__)\n',
    after: `#if defined(__minios__) && defined(__x86_64__)
  char *to = dst_void;
  const char *from = src_void;

  if (from < to && to < from + length)
    {
      to += length - 1;
      from += length - 1;
      __asm__ volatile ("std\\n\\trep movsb\\n\\tcld" : "+D" (to), "+S" (from), "+c" (length) : : "memory");
    }
  else
    __asm__ volatile ("rep movsb" : "+D" (to), "+S" (from), "+c" (length) : : "memory");
  return dst_void;
#elif defined(PREFER_SIZE_OVER_SPEED) || defined(__OPTIMIZE_SIZE__)
`,
  },
  {
    // libc/syscalls has isatty, too
    file: 'newlib/libc/posix/isatty.c',
    before: 'int\nisatty (int fd)\n{\n  return _isatty (fd);\n}\n',
    after: '',
  },
  // What sbrk gives is zero: a large calloc costs nothing before it is written.
  {
    file: 'newlib/libc/stdlib/mallocr.c',
    before: '#define MORECORE_CLEARS 0\n',
    after: '#define MORECORE_CLEARS 1\n',
  },
  {
    file: 'newlib/libc/stdlib/mallocr.c',
    before: '    if (p == oldtop && csz > oldtopsize) \n',
    after:
      '    if (oldtop == initial_top)\n      csz = SIZE_SZ;\n    else if (p == oldtop && csz > oldtopsize)\n',
  },
  {
    // C 7.22.3.2: space for all of them, or none
    file: 'newlib/libc/stdlib/mallocr.c',
    before: "  /* check if expand_top called, in which case don't need to clear */\n",
    after: `  size_t all;
  if (__builtin_mul_overflow (n, elem_size, &all))
    {
      reent_ptr->_errno = ENOMEM;
      return 0;
    }

  /* check if expand_top called, in which case don't need to clear */
`,
  },
  ...formatEdits,
];

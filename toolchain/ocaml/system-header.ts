/**
 * `caml/s.h`: what OCaml's runtime and its Unix library may expect of the C library (as OCaml's configure finds out), from the functions
 * that the sysroot's libraries define.
 */

/** For names of what is made by it. */
export const headerRecipe = (): string => JSON.stringify([features, always, unasked]);

/** The macro stands where all of its functions are there. */
const features: Readonly<Record<string, readonly string[]>> = {
  POSIX_SIGNALS: ['sigaction', 'sigprocmask'],
  HAS_C99_FLOAT_OPS: ['expm1', 'log1p', 'hypot', 'fma', 'exp2', 'log2', 'cbrt', 'acosh', 'erf'],
  HAS_WORKING_ROUND: ['round'],
  HAS_GETRUSAGE: ['getrusage'],
  HAS_TIMES: ['times'],
  HAS_SOCKETS: ['socket', 'bind', 'listen', 'accept', 'connect', 'socketpair', 'sendto'],
  HAS_SOCKLEN_T: ['socket'],
  HAS_INET_ATON: ['inet_aton'],
  HAS_IPV6: ['getaddrinfo', 'getnameinfo', 'inet_pton', 'inet_ntop'],
  HAS_REWINDDIR: ['rewinddir'],
  HAS_LOCKF: ['lockf'],
  HAS_MKFIFO: ['mkfifo'],
  HAS_GETCWD: ['getcwd'],
  HAS_SYSTEM: ['system'],
  HAS_UTIME: ['utime'],
  HAS_UTIMES: ['utimes'],
  HAS_FCHMOD: ['fchmod', 'fchown'],
  HAS_TRUNCATE: ['truncate', 'ftruncate'],
  HAS_SELECT: ['select'],
  HAS_SYS_SELECT_H: ['select'],
  HAS_NANOSLEEP: ['nanosleep'],
  HAS_SYMLINK: ['symlink', 'readlink', 'lstat'],
  HAS_REALPATH: ['realpath'],
  HAS_WAIT4: ['wait4'],
  HAS_WAITPID: ['waitpid'],
  HAS_GETGROUPS: ['getgroups'],
  HAS_SETGROUPS: ['setgroups'],
  HAS_INITGROUPS: ['initgroups'],
  HAS_TERMIOS: ['tcgetattr', 'tcsetattr', 'tcsendbreak', 'tcflush', 'tcflow'],
  HAS_SETITIMER: ['setitimer'],
  HAS_GETHOSTNAME: ['gethostname'],
  HAS_UNAME: ['uname'],
  HAS_GETTIMEOFDAY: ['gettimeofday'],
  HAS_MKTIME: ['mktime'],
  HAS_SETSID: ['setsid'],
  HAS_PUTENV: ['putenv'],
  HAS_SETENV_UNSETENV: ['setenv', 'unsetenv'],
  HAS_MMAP: ['mmap', 'munmap'],
  HAS_PWRITE: ['pwrite'],
  HAS_MKSTEMP: ['mkstemp'],
  HAS_NICE: ['nice'],
  HAS_DUP3: ['dup3'],
  HAS_PIPE2: ['pipe2'],
  HAS_ACCEPT4: ['accept4'],
  HAS_FFS: ['ffs'],
  HAS_SIGWAIT: ['sigwait'],
  // The handler changes the interrupted context, which is laid out as Linux's.
  HAS_STACK_OVERFLOW_DETECTION: ['sigaction', 'sigaltstack'],
  HAS_POSIX_MONOTONIC_CLOCK: ['clock_gettime'],
};

/** Of the C language, headers and struct stat, not of functions. */
const always = ['HAS_STDINT_H', 'HAS_UNISTD', 'HAS_DIRENT', 'HAS_LOCALE_H'];

/** What the Unix library calls without asking configure; its module names them all, so that programs need them to be linked. */
const unasked = {
  /** -1 and errno. */
  failing: ['chroot'],
  /** Nobody is found. */
  finding: ['gethostbyaddr', 'getprotobynumber', 'getservbyport'],
} as const;

/** C source of what the C library has not. */
export function missingFunctions(defined: ReadonlySet<string>): string {
  const isMissing = (name: string): boolean => !defined.has(name);
  return [
    '#include <errno.h>',
    ...unasked.failing
      .filter(isMissing)
      .map((name) => `int ${name}() { errno = ENOSYS; return -1; }`),
    ...unasked.finding
      .filter(isMissing)
      .map((name) => `void *${name}() { errno = ENOENT; return 0; }`),
    '',
  ].join('\n');
}

/** @param defined names of the functions that programs can be linked with */
export function systemHeader(defined: ReadonlySet<string>): string {
  const found = Object.entries(features)
    .filter(([, functions]) => functions.every((name) => defined.has(name)))
    .map(([macro]) => macro);
  return [
    '#define OCAML_OS_TYPE "Unix"',
    // struct stat has st_mtim and its like.
    '#define HAS_NANOSECOND_STAT 1',
    ...[...always, ...found].map((macro) => `#define ${macro} 1`),
    '',
  ].join('\n');
}

/* A set of the 64 signals that Linux numbers, too; bit n - 1 is signal n. */
#ifndef _SYS__SIGSET_H_
#define _SYS__SIGSET_H_

#include <sys/_types.h>

typedef __uint64_t __sigset_t;

#endif

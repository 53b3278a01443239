/* What a handler with SA_SIGINFO gets; there is no getcontext and its kin. */
#ifndef _UCONTEXT_H
#define _UCONTEXT_H

#include <signal.h>
#include <sys/ucontext.h>

#endif

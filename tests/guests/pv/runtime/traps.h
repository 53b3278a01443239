/* What a handler of entries.S finds, and where those handlers are. */
#ifndef TRAPS_H
#define TRAPS_H
#include "pv.h"

#define WORD unsigned long

#ifdef __x86_64__
struct frame {
	WORD r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	WORD vector, error, ip, cs, flags, sp, ss;
};
#define CS_OF(f) ((f)->cs & 0xffff)
#define MASKED_OF(f) ((f)->cs >> 32 & 0xff)
#define KERNEL_CS 0xe033
#else
/* sp and ss are there only where a program was interrupted. */
struct frame {
	WORD edi, esi, ebp, esp, ebx, edx, ecx, eax;
	WORD vector, error, ip, cs, flags, sp, ss;
};
#define CS_OF(f) ((f)->cs & 0xffff)
#define MASKED_OF(f) ((f)->cs >> 16 & 0xff)
#define KERNEL_CS 0xe019
#endif

/* The guest's own: may change where the handler goes back to. */
void handle(struct frame *frame);

/* Events are masked or not by flags, through hypercall 23, which comes back behind the call. */
long hypercall_iret(long flags);

extern char entries[];
/* Entries lie one behind the other, all of one size. */
static inline WORD entry(int vector)
{
	return (WORD)entries + vector * 16;
}

static const char *const exception_names[] = { "DE", "DB", "NMI", "BP", "OF", "BR", "UD", "NM", "DF", "9",
					       "TS", "NP", "SS", "GP", "PF", "15", "MF", "AC", "MC", "XM" };
#endif

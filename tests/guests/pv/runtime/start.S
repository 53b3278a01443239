/* Where a guest begins, its notes, its stack and the page that Xen fills with hypercalls; rsi, esi: start_info. */
#define __ASSEMBLY__
#include <xen/elfnote.h>

.macro NOTE type, size, value:vararg
	.balign 4
	.long 4, 9f - 8f, \type
	.asciz "Xen"
8:	\value
9:	.balign 4
.endm

	.section .note.Xen, "a", @note
	NOTE XEN_ELFNOTE_GUEST_OS, 0, .asciz "stubdom-test"
	NOTE XEN_ELFNOTE_LOADER, 0, .asciz "generic"
	NOTE XEN_ELFNOTE_XEN_VERSION, 0, .asciz "xen-3.0"
#ifdef __x86_64__
	NOTE XEN_ELFNOTE_VIRT_BASE, 0, .quad 0
	NOTE XEN_ELFNOTE_ENTRY, 0, .quad _start
	NOTE XEN_ELFNOTE_HYPERCALL_PAGE, 0, .quad hypercall_page
#else
	NOTE XEN_ELFNOTE_VIRT_BASE, 0, .long 0
	NOTE XEN_ELFNOTE_ENTRY, 0, .long _start
	NOTE XEN_ELFNOTE_HYPERCALL_PAGE, 0, .long hypercall_page
	NOTE XEN_ELFNOTE_PAE_MODE, 0, .asciz "yes"
#endif

	.section .text.start, "ax"
	.globl _start
_start:
#ifdef __x86_64__
	lea stack_end(%rip), %rsp
	mov %rsi, %rdi
	call pv_start
#else
	mov $stack_end, %esp
	push $0
	push $0
	push $0
	push %esi
	call pv_start
#endif
	ud2

	.globl upcall, failsafe
upcall:
#ifdef __x86_64__
	pop %rcx
	pop %r11
	incl upcalls
	orb $3, 8(%rsp)
	orb $3, 32(%rsp)
	iretq
#else
	incl upcalls
	iret
#endif
failsafe:
	ud2

	.balign 4096
	.globl hypercall_page
hypercall_page:
	.skip 4096

	.bss
	.balign 4096
stack:
	.skip 16384
stack_end:

	.section .note.GNU-stack, "", @progbits

/* As Mini-OS has it since it has notes: in a section that no segment holds, without ENTRY and VIRT_BASE, hypercalls by address. */
#define __ASSEMBLY__
#include <xen/elfnote.h>

.macro NOTE type, value:vararg
	.balign 4
	.long 4, 9f - 8f, \type
	.asciz "Xen"
8:	\value
9:	.balign 4
.endm

	.section .note, "", @note
	NOTE XEN_ELFNOTE_GUEST_OS, .asciz "stubdom-test"
	NOTE XEN_ELFNOTE_LOADER, .asciz "generic"
#ifdef __x86_64__
	NOTE XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page
#else
	NOTE XEN_ELFNOTE_HYPERCALL_PAGE, .long hypercall_page
#endif
	NOTE XEN_ELFNOTE_XEN_VERSION, .asciz "xen-3.0"
#ifndef __x86_64__
	NOTE XEN_ELFNOTE_PAE_MODE, .asciz "yes"
#endif

	.data
	.globl is_old
is_old:
	.long 0
	.section .note.GNU-stack, "", @progbits

/* As images from before ELF notes have it: pairs in a section that is not loaded, hypercalls by the number of their page. */
	.section __xen_guest, "", @progbits
	.ascii "GUEST_OS=stubdom-test,XEN_VER=xen-3.0,VIRT_BASE=0x0,ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0x1"
#ifndef __x86_64__
	.ascii ",PAE=yes[extended-cr3]"
#endif
	.asciz ",LOADER=generic"

	.data
	.globl is_old
is_old:
	.long 1
	.section .note.GNU-stack, "", @progbits

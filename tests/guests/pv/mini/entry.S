/*
 * As Mini-OS has it: an upcall saves all registers, serves events, then unmasks them and goes back by a plain iret. What comes
 * between the unmasking and the iret finds the frame whole, and begins again with it (the critical region). That is a few
 * instructions; with `delay` they take as long as is asked for, with all registers loaded and the frame not yet left.
 */
	.text
	.globl event_entry, page_fault_entry, switch_to, in_region

#ifdef __x86_64__
.macro SAVE
	sub $15 * 8, %rsp
	mov %rax, 0(%rsp); mov %rcx, 8(%rsp); mov %rdx, 16(%rsp); mov %rbx, 24(%rsp)
	mov %rbp, 32(%rsp); mov %rsi, 40(%rsp); mov %rdi, 48(%rsp); mov %r8, 56(%rsp)
	mov %r9, 64(%rsp); mov %r10, 72(%rsp); mov %r11, 80(%rsp); mov %r12, 88(%rsp)
	mov %r13, 96(%rsp); mov %r14, 104(%rsp); mov %r15, 112(%rsp)
	cld
.endm
.macro LOAD
	mov 0(%rsp), %rax; mov 8(%rsp), %rcx; mov 16(%rsp), %rdx; mov 24(%rsp), %rbx
	mov 32(%rsp), %rbp; mov 40(%rsp), %rsi; mov 48(%rsp), %rdi; mov 56(%rsp), %r8
	mov 64(%rsp), %r9; mov 72(%rsp), %r10; mov 80(%rsp), %r11; mov 88(%rsp), %r12
	mov 96(%rsp), %r13; mov 104(%rsp), %r14; mov 112(%rsp), %r15
.endm

event_entry:
	pop %rcx
	pop %r11
	SAVE
	mov 15 * 8(%rsp), %rax
	lea region(%rip), %rcx
	cmp %rcx, %rax
	jb serve
	lea region_end(%rip), %rcx
	cmp %rcx, %rax
	jae serve
	/* Its registers are still where it loads them from. */
	incl in_region(%rip)
	mov 15 * 8 + 24(%rsp), %rsp
serve:
	call serve_events
	mov delay(%rip), %eax
	mov %eax, delay_left(%rip)
	mov info(%rip), %rbx
	orb $3, 15 * 8 + 8(%rsp)
	orb $3, 15 * 8 + 32(%rsp)
	movb $0, 1(%rbx)
region:
	testb $0xff, 0(%rbx)
	jnz again
	LOAD
1:	decl delay_left(%rip)
	jg 1b
	add $15 * 8, %rsp
region_end:
	iretq
again:
	movb $1, 1(%rbx)
	jmp serve

page_fault_entry:
	pop %rcx
	pop %r11
	SAVE
	mov 15 * 8(%rsp), %rdi
	call page_fault
	LOAD
	add $16 * 8, %rsp
	orb $3, 8(%rsp)
	orb $3, 32(%rsp)
	iretq

/* void switch_to(void **from, void *to) */
switch_to:
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
	mov %rsp, (%rdi)
	mov %rsi, %rsp
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
	ret
#else
.macro SAVE
	sub $7 * 4, %esp
	mov %eax, 0(%esp); mov %ecx, 4(%esp); mov %edx, 8(%esp); mov %ebx, 12(%esp)
	mov %ebp, 16(%esp); mov %esi, 20(%esp); mov %edi, 24(%esp)
	cld
.endm
.macro LOAD
	mov 0(%esp), %eax; mov 4(%esp), %ecx; mov 8(%esp), %edx; mov 12(%esp), %ebx
	mov 16(%esp), %ebp; mov 20(%esp), %esi; mov 24(%esp), %edi
.endm

event_entry:
	SAVE
	mov 7 * 4(%esp), %eax
	cmp $region, %eax
	jb serve
	cmp $region_end, %eax
	jae serve
	incl in_region
	/* The frame below: eip, cs and flags behind seven registers, and nothing of another stack. */
	add $10 * 4, %esp
serve:
	call serve_events
	mov delay, %eax
	mov %eax, delay_left
	mov info, %ebx
	movb $0, 1(%ebx)
region:
	testb $0xff, 0(%ebx)
	jnz again
	LOAD
1:	decl delay_left
	jg 1b
	add $7 * 4, %esp
region_end:
	iret
again:
	movb $1, 1(%ebx)
	jmp serve

page_fault_entry:
	SAVE
	pushl 7 * 4(%esp)
	call page_fault
	add $4, %esp
	LOAD
	add $8 * 4, %esp
	iret

switch_to:
	mov 4(%esp), %eax
	mov 8(%esp), %edx
	push %ebx; push %ebp; push %esi; push %edi
	mov %esp, (%eax)
	mov %edx, %esp
	pop %edi; pop %esi; pop %ebp; pop %ebx
	ret
#endif

	.section .note.GNU-stack, "", @progbits

/* The failsafe handler: shows what Xen put on the stack, with segments that hold nothing, and goes back. */
	.globl failsafe_entry
failsafe_entry:
#ifdef __x86_64__
	push %rax
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	lea 72(%rsp), %rdi
	mov %rsp, %rbx
	and $-16, %rsp
	call show_frame
	mov %rbx, %rsp
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rax
	pop %rcx
	pop %r11
	add $32, %rsp
	orb $3, 8(%rsp)
	orb $3, 32(%rsp)
	iretq
#else
	pusha
	mov %ds, %eax
	mov %es, %ecx
	mov $0xe021, %edx
	mov %edx, %ds
	mov %edx, %es
	mov %eax, data_inside
	mov %ecx, extra_inside
	lea 32(%esp), %eax
	push %eax
	call show_frame
	add $4, %esp
	popa
	add $16, %esp
	iret
#endif
	.section .note.GNU-stack, "", @progbits

/* Handlers of all vectors: each brings the frame that Xen has made into one shape, and calls the guest's handle(frame). */
	.text
	.weak handle
#ifdef __x86_64__
.macro ENTRY vector, error
	.balign 16
	pop %rcx
	pop %r11
	.if \error == 0
	push $0
	.endif
	push $\vector
	jmp common
.endm
common:
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rbp
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	mov %rsp, %rdi
	mov %rsp, %rbx
	and $-16, %rsp
	call handle
	mov %rbx, %rsp
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rbp
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	orb $3, 8(%rsp)
	orb $3, 32(%rsp)
	iretq

	/* iret64(mask events): back to behind the call through hypercall 23. */
	.globl hypercall_iret
hypercall_iret:
	mov %rsp, %rax
	add $8, %rax
	pop %rdx
	push $0xe02b
	push %rax
	push %rdi
	push $0xe030
	push %rdx
	push $0
	mov $23, %eax
	jmp hypercall_page + 23 * 32
#else
.macro ENTRY vector, error
	.balign 16
	.if \error == 0
	push $0
	.endif
	push $\vector
	jmp common
.endm
common:
	pusha
	push %esp
	call handle
	add $4, %esp
	popa
	add $8, %esp
	iret

	.globl hypercall_iret
hypercall_iret:
	pop %edx
	mov (%esp), %ecx
	push %ecx
	push $0xe019
	push %edx
	jmp hypercall_page + 23 * 32
#endif
	.altmacro
	.balign 16
	.globl entries
entries:
	.set n, 0
	.rept 256
	.if n == 8 || (n >= 10 && n <= 14) || n == 17
	ENTRY %n, 1
	.else
	ENTRY %n, 0
	.endif
	.set n, n + 1
	.endr
	.section .note.GNU-stack, "", @progbits

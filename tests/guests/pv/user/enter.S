/*
 * Into a program by hypercall 23, or by a plain iret, and back out of a handler: enter_program's caller goes on when
 * leave_program is called.
 */
	.text
	.globl enter_program, enter_by_iret, leave_program
#ifdef __x86_64__
	/* enter_program(what hypercall 23 finds behind the registers that its stub has pushed) */
enter_program:
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
	mov %rsp, kernel_context(%rip)
	mov %rdi, %rsp
	mov $0x1111, %ecx
	mov $0x2222, %r11d
	mov $0x3333, %eax
	jmp hypercall_page + 23 * 32
leave_program:
	mov kernel_context(%rip), %rsp
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
	ret
#else
enter_program:
	mov 4(%esp), %eax
	push %ebx; push %ebp; push %esi; push %edi
	mov %esp, kernel_context
	mov %eax, %esp
	mov $0x3333, %eax
	jmp hypercall_page + 23 * 32
enter_by_iret:
	mov 4(%esp), %eax
	push %ebx; push %ebp; push %esi; push %edi
	mov %esp, kernel_context
	mov %eax, %esp
	mov $0x3333, %eax
	iret
leave_program:
	mov kernel_context, %esp
	/* What the program may have in them is no longer ours. */
	mov $0xe021, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	pop %edi; pop %esi; pop %ebp; pop %ebx
	ret
#endif

	.bss
	.balign 8
kernel_context:
	.skip 8
	.section .note.GNU-stack, "", @progbits

/* INT n for each n, for the kernel and for programs; and the ways to them and back: leave() returns to who called enter(). */
	.globl numbers, program_numbers, enter, leave
	.altmacro
.macro NUMBERS
	.set n, 0
	.rept 256
	.byte 0xcd, n
	ud2
	.balign 8
	.set n, n + 1
	.endr
.endm
	.text
	.balign 8
numbers:
	NUMBERS
	/* What level 3 may execute lies on a page of its own. */
	.balign 4096
program_numbers:
	NUMBERS
	.balign 4096
#ifdef __x86_64__
	/* enter(where, frame): in the kernel without a frame, else by hypercall 23. */
enter:
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
	mov %rsp, context(%rip)
	test %rsi, %rsi
	jnz 1f
	jmp *%rdi
1:	mov %rsi, %rsp
	jmp hypercall_page + 23 * 32
leave:
	mov context(%rip), %rsp
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
	ret
#else
enter:
	mov 4(%esp), %eax
	mov 8(%esp), %ecx
	push %ebx; push %ebp; push %esi; push %edi
	mov %esp, context
	test %ecx, %ecx
	jnz 1f
	jmp *%eax
1:	mov %ecx, %esp
	jmp hypercall_page + 23 * 32
leave:
	mov context, %esp
	mov $0xe021, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	pop %edi; pop %esi; pop %ebp; pop %ebx
	ret
#endif
	.bss
	.balign 8
context:
	.skip 8
	.section .note.GNU-stack, "", @progbits

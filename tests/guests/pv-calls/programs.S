/*
 * A program that asks its kernel for something again and again, each of them looking at eight pages of its own meanwhile:
 * run_program(frame) comes back when `programs_left` is 0.
 */
	.text
	.globl run_program, program, program_asks
#ifdef __x86_64__
run_program:
	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15
	mov %rsp, context(%rip)
	mov %rdi, %rsp
	jmp hypercall_page + 23 * 32
program_asks:
	pop %rcx
	pop %r11
	mov $kernel_pages, %esi
	call touch
	decl programs_left(%rip)
	jz out
	push $0
	jmp hypercall_page + 23 * 32
out:
	mov context(%rip), %rsp
	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx
	ret
#else
run_program:
	mov 4(%esp), %eax
	push %ebx; push %ebp; push %esi; push %edi
	mov %esp, context
	mov %eax, %esp
	jmp hypercall_page + 23 * 32
program_asks:
	mov $kernel_pages, %esi
	call touch
	decl programs_left
	jz out
	jmp hypercall_page + 23 * 32
out:
	mov context, %esp
	mov $0xe021, %eax
	mov %eax, %ss
	pop %edi; pop %esi; pop %ebp; pop %ebx
	ret
#endif
	.balign 4096
touch:
	mov $8, %edi
1:	incl (%esi)
	add $4096, %esi
	dec %edi
	jnz 1b
	ret
program:
	mov $program_pages, %esi
	call touch
#ifdef __x86_64__
	syscall
#else
	int $0x80
#endif
	jmp program

	.bss
	.balign 8
context:
	.skip 8
	.section .note.GNU-stack, "", @progbits

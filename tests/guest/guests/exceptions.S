/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Exceptions that the guest handles itself; the embedder sees none of them. */
#include "guest.inc"
.macro vector number, error
vector\number:
.if !\error
	push $0
.endif
	push $\number
	jmp common
.endm
.macro expect
	movq $1f, resume
.endm
start64
	gate64 0, vector0
	gate64 1, vector1
	gate64 3, vector3
	gate64 6, vector6
	gate64 8, vector8
	gate64 11, vector11
	gate64 13, vector13
	gate64 14, vector14
	gate64 17, vector17
	gate64 0x80, vector128

	expect
	xor %ecx, %ecx
	mov $1, %eax
	xor %edx, %edx
	div %ecx
1:	expect
	int3
1:	expect
	ud2
1:	expect
	mov $0x77, %eax
	mov %eax, %ds
1:	expect
	movabs $0x8000000000000000, %rax
	mov (%rax), %al
1:	expect
	movabs $0x0000123456789000, %rax
	mov %al, (%rax)
1:	expect
	int $0x80
1:	expect
	int $0x81
1:	say "single step by TF:"
	expect
	pushf
	orl $0x100, (%rsp)
	popf
	nop
	nop
1:	mov %dr6, %rax
	and $0x4000, %eax
	say32 %eax, "dr6 BS: "
	xor %eax, %eax
	mov %rax, %dr6

	say "data breakpoint:"
	expect
	mov $SCRATCH, %eax
	mov %rax, %dr0
	mov $0x000d0001, %eax
	mov %rax, %dr7
	movl $1, SCRATCH
	nop
1:	mov %dr6, %rax
	and $0xf, %eax
	xor %edx, %edx
	mov %rdx, %dr7
	say32 %eax, "dr6: "

	/* No gate for #NP's descriptor: the contributory pair makes a double fault (SDM 3A table 6-5). */
	say "double fault:"
	movq $0, IDT + 16 * 11
	movq $0, IDT + 16 * 13
	expect
	int $0x81
1:	finish

common:
	mov (%rsp), %r8
	mov 8(%rsp), %r9
	say32 %r8d, "exception "
	say32 %r9d, "  error code "
	cmp $14, %r8d
	jne 1f
	mov %cr2, %rax
	say64 %rax, "  at "
1:	mov $STACK, %esp
	jmp *resume
vector 0, 0
vector 1, 0
vector 3, 0
vector 6, 0
vector 8, 1
vector 11, 1
vector 13, 1
vector 14, 1
vector 17, 1
vector 128, 0
	.balign 8
resume:	.quad 0
functions
idt_register

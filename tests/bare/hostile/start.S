/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Entry of the hostile guest at 0x8000 in long mode, and its exceptions: each one is noted, and
 * goes on where resume_rip says. Handlers use a stack of their own by IST 1 of the TSS at 0x580.
 */
#define IDT 0x7000
#define IST_STACK 0x7f000

	.text
	.globl _start
_start:
	mov $0x80000, %esp
	movq $IST_STACK, 0x580 + 36
	xor %ecx, %ecx
1:	mov $stubs, %eax
	lea (%rax, %rcx, 8), %eax
	mov %ecx, %edi
	shl $4, %edi
	add $IDT, %edi
	mov %ax, (%rdi)
	shr $16, %eax
	mov %ax, 6(%rdi)
	movw $0x08, 2(%rdi)
	movw $0x8e01, 4(%rdi)
	movq $0, 8(%rdi)
	inc %ecx
	cmp $32, %ecx
	jne 1b
	lidt idtr
	call guest_main
	ud2

	.balign 8
stubs:
	.set n, 0
	.rept 32
	.balign 8
	push $n
	jmp common
	.set n, n + 1
	.endr

common:
	push %rax
	mov 8(%rsp), %eax
	mov %eax, vector
	pop %rax
	/* DS and SS may be anything by now; RSP comes from memory. */
	movq resume_rsp, %rsp
	pushq $2
	popfq
	cld
	jmp *resume_rip

	.balign 8
idtr:	.word 0x1ff
	.quad IDT

	.bss
	.balign 8
	.globl resume_rip, resume_rsp, vector
resume_rip:	.quad 0
resume_rsp:	.quad 0
vector:	.long 0
	.section .note.GNU-stack, "", @progbits

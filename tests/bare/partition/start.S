/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Entry in long mode with RDI = CPU and RSI = order, and all interrupts. */
#define IDT 0x7000

	.text
	.globl _start
_start:
	mov %edi, %eax
	shl $14, %eax
	lea 0x84000(%rax), %rsp
	xor %ecx, %ecx
1:	mov %ecx, %eax
	shl $4, %eax
	mov %eax, %edx
	add $stubs, %eax
	add $IDT, %edx
	mov %ax, (%rdx)
	shr $16, %eax
	mov %ax, 6(%rdx)
	movw $0x08, 2(%rdx)
	movw $0x8e00, 4(%rdx)
	movq $0, 8(%rdx)
	inc %ecx
	cmp $256, %ecx
	jne 1b
	lidt idtr
	call guest_main
1:	sti
	hlt
	jmp 1b

	.balign 16
stubs:
	.set n, 0
	.rept 256
	.balign 16
	push $n
	jmp common
	.set n, n + 1
	.endr

common:
	push %rax
	push %rcx
	push %rdx
	push %rsi
	push %rdi
	push %r8
	push %r9
	push %r10
	push %r11
	mov 72(%rsp), %rdi
	lea 80(%rsp), %rsi
	cld
	call guest_interrupt
	mov %rax, 72(%rsp)
	pop %r11
	pop %r10
	pop %r9
	pop %r8
	pop %rdi
	pop %rsi
	pop %rdx
	pop %rcx
	pop %rax
	add (%rsp), %rsp	/* so many bytes: the vector, and an error code if there is one */
	iretq

	.balign 8
	.globl empty_idtr
empty_idtr: .word 0
	.quad 0
idtr:	.word 0xfff
	.quad IDT
	.section .note.GNU-stack, "", @progbits

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Two vCPUs: INIT and start-up IPI, real and protected mode on the second, an IPI each way. */
#include "guest.inc"
#include "apic.inc"
#define IDT2 0x12000
start64
	gate64 0x60, answer
	register LAPIC_SVR, 0x1ff
	register LAPIC_ICR2, 0x01000000
	register LAPIC_ICR, 0x4500
	register LAPIC_ICR2, 0x01000000
	register LAPIC_ICR, 0x4609
1:	pause
	cmpl $1, SCRATCH
	jne 1b
	say "second is up"
	register LAPIC_ICR2, 0x01000000
	register LAPIC_ICR, 0x4061
	await 1
	say "answered"
	finish
answer:	counting "interrupt from the second"
	.balign 4
count:	.long 0
functions
idt_register

	/* Start-up IPI vector 9: 0900:0000. */
	.org 0x1000
	.code16
second:
	mov %cs, %ax
	mov %ax, %ds
	putc 'r'
	lgdt gdtr - second
	mov %cr0, %eax
	or $1, %eax
	mov %eax, %cr0
	ljmpl $CS32, $protected

	.code32
protected:
	mov $DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $0x90000, %esp
	putc 'p'
	putc '\n'
	mov $interrupt, %eax
	mov %ax, IDT2 + 8 * 0x61
	movw $CS32, IDT2 + 8 * 0x61 + 2
	movw $0x8e00, IDT2 + 8 * 0x61 + 4
	lidt idtr2
	movl $0x1ff, LAPIC_SVR
	movl $1, SCRATCH
1:	sti
	hlt
	jmp 1b
interrupt:
	putc 'i'
	putc '\n'
	movl $0, LAPIC_EOI
	movl $0, LAPIC_ICR2
	movl $0x4060, LAPIC_ICR
	iret
	.balign 8
gdtr:	.word 0x7f
	.long 0x500
idtr2:	.word 0xfff
	.long IDT2

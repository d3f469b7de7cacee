/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Interrupts, NMIs and exceptions that the embedder puts in; it is the interrupt controller. */
#include "guest.inc"
start64
	gate64 2, nmi
	gate64 13, protection
	gate64 0x40, interrupt

	hlt
	say "opening"
	sti
	nop
	cli
	say "closed"

	/* STI's shadow: the window opens after the instruction that follows. */
	hlt
	sti
	outb %al, $0x80
	nop
	cli

	/* HLT with interrupts on ends by the interrupt. */
	sti
	hlt
	cli
	say "woken"

	outb %al, $0x81
	say "after nmi"
	outb %al, $0x82
	say "after exceptions"
	finish

interrupt:
	push %rax
	push %rsi
	say "interrupt"
	pop %rsi
	pop %rax
	iretq
nmi:	/* The embedder sends a second one at the port: it waits for this one's IRET. */
	push %rax
	push %rsi
	say "nmi begins"
	outb %al, $0x83
	say "nmi ends"
	pop %rsi
	pop %rax
	iretq
protection:
	pop %rdx
	say32 %edx, "#GP, error code "
	iretq
functions
idt_register

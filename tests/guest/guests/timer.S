/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The local APIC's timer in its modes, with exits while it is pending: each expires as often as it should. */
#include "guest.inc"
#include "apic.inc"
#define MSR_TSC_DEADLINE 0x6e0
/* Time for an interrupt too many. Clobbers ECX. */
.macro linger
	sti
	mov $20000, %ecx
.Llinger\@:
	nop
	loop .Llinger\@
	cli
.endm
start64
	gate64 0x50, tick
	register LAPIC_SVR, 0x1ff
	register LAPIC_DIVIDE, 0xb

	/* It expires while interrupts are off, and most likely while the embedder has the exit. */
	register LAPIC_TIMER, 0x50
	register LAPIC_INITIAL, 1000
	mov $0, %al
	outb %al, $0x80
	outb %al, $0x81
	await 1
	linger
	mov count, %edx
	say32 %edx, "one-shot, soon: "

	register LAPIC_INITIAL, 30000000
	outb %al, $0x82
	outb %al, $0x83
	await 2
	linger
	mov count, %edx
	say32 %edx, "one-shot, later: "

	register LAPIC_TIMER, 0x40050
	rdtsc
	shl $32, %rdx
	lea 30000000(%rdx, %rax), %rdx
	mov %edx, %eax
	shr $32, %rdx
	mov $MSR_TSC_DEADLINE, %ecx
	wrmsr
	mov $0, %al
	outb %al, $0x84
	outb %al, $0x85
	await 3
	linger
	mov $MSR_TSC_DEADLINE, %ecx
	rdmsr
	or %eax, %edx
	say32 %edx, "deadline left: "
	mov count, %edx
	say32 %edx, "deadline: "

	register LAPIC_TIMER, 0x20050
	register LAPIC_INITIAL, 5000000
	outb %al, $0x86
	await 6
	outb %al, $0x87
	await 9
	register LAPIC_TIMER, 0x10050
	say "periodic"
	finish
tick:	push %rdi
	incl count
	register LAPIC_EOI, 0
	pop %rdi
	iretq
	.balign 4
count:	.long 0
functions
idt_register

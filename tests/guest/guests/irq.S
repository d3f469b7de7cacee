/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The architecture's interrupt controller: timer, edge and level lines, messages, host events. */
#include "guest.inc"
#include "apic.inc"
start64
	gate64 0x50, timer
	gate64 0x51, edge
	gate64 0x52, level
	gate64 0x53, message
	gate64 0x54, event_line
	gate64 0x55, event_message
	register LAPIC_SVR, 0x1ff

	register LAPIC_DIVIDE, 0xb
	register LAPIC_TIMER, 0x50
	register LAPIC_INITIAL, 1000
	await 1
	mov $LAPIC_CURRENT, %edi
	mov (%rdi), %edx
	say32 %edx, "count left: "

	/* Pin 5 edge, 6 level, 7 edge; destination APIC 0. */
	ioapic 0x1b, 0
	ioapic 0x1a, 0x51
	ioapic 0x1d, 0
	ioapic 0x1c, 0x8052
	ioapic 0x1f, 0
	ioapic 0x1e, 0x54
	outb %al, $0x80
	await 2
	outb %al, $0x81
	await 3
	outb %al, $0x82
	await 4
	outb %al, $0x83
	await 5
	outb %al, $0x84
	await 6
	say "masked:"
	ioapic 0x1a, 0x10051
	outb %al, $0x85
	sti
	nop
	nop
	cli
	say "end"
	finish
timer:	counting "timer"
edge:	counting "edge"
level:	outb %al, $0x90
	counting "level"
message:
	counting "message"
event_line:
	counting "event on a line"
event_message:
	counting "event as a message"
	.balign 4
count:	.long 0
functions
idt_register

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The pair of 8259s, whose lines the embedder moves: port 0x80 takes a line, with bit 7 its level. */
#include "guest.inc"
#include "apic.inc"

.macro put port, value
	mov $\value, %al
	.if \port > 255
	mov $\port, %dx
	outb %al, %dx
	.else
	outb %al, $\port
	.endif
.endm
/* ICW1 to ICW4 of both. */
.macro setup icw4
	put 0x20, 0x11
	put 0x21, 0x20
	put 0x21, 0x04
	put 0x21, \icw4
	put 0xa0, 0x11
	put 0xa1, 0x28
	put 0xa1, 0x02
	put 0xa1, 0x01
.endm
.macro raise line
	put 0x80, 0x80 | \line
.endm
.macro drop line
	put 0x80, \line
.endm
.macro pulse line
	raise \line
	drop \line
.endm
/* Take what there is to be taken. */
.macro window
	sti
	nop
	nop
	cli
.endm
.macro end_of_interrupt
	put 0x20, 0x20
.endm
.macro end_of_both
	put 0xa0, 0x20
	put 0x20, 0x20
.endm
/* IRR (0x0a) or ISR (0x0b) of the chip at \port. */
.macro tell port, what, text:vararg
	put \port, \what
	xor %eax, %eax
	inb $\port, %al
	say32 %eax, \text
.endm
.macro vector n
vector\n:
	push %rax
	push %rsi
	say "vector \n"
	pop %rsi
	pop %rax
	iretq
.endm
.macro gates from, others:vararg
	gate64 0x\from, vector\from
	.ifnb \others
	gates \others
	.endif
.endm

start64
	gates 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 2a, 2b, 2c, 2d, 2e, 2f

	say "priorities:"
	setup 0x01
	pulse 5
	pulse 3
	tell 0x20, 0x0a, "irr "
	window
	tell 0x20, 0x0b, "isr "
	pulse 1
	window
	end_of_interrupt
	tell 0x20, 0x0b, "isr "
	end_of_interrupt
	window
	end_of_interrupt

	say "mask:"
	put 0x21, 0x40
	pulse 6
	window
	xor %eax, %eax
	inb $0x21, %al
	say32 %eax, "imr "
	put 0x21, 0
	window
	put 0x20, 0x66

	say "second chip:"
	pulse 12
	window
	tell 0x20, 0x0b, "isr "
	tell 0xa0, 0x0b, "isr "
	pulse 8
	window
	end_of_both
	window
	end_of_both

	say "special fully nested:"
	setup 0x11
	pulse 12
	window
	pulse 9
	window
	end_of_both
	end_of_both

	say "levels:"
	setup 0x01
	put 0x4d0, 0xff
	put 0x4d1, 0xff
	xor %eax, %eax
	inb %dx, %al
	say32 %eax, "elcr "
	raise 5
	window
	end_of_interrupt
	window
	drop 5
	end_of_interrupt
	window

	say "gone before it was taken:"
	raise 11
	drop 11
	window
	tell 0x20, 0x0b, "isr "
	tell 0xa0, 0x0b, "isr "
	end_of_interrupt
	put 0x4d0, 0
	put 0x4d1, 0

	say "rotation:"
	put 0x20, 0xc4
	pulse 4
	pulse 6
	window
	put 0x20, 0xa0
	window
	put 0x20, 0xe4
	pulse 4
	pulse 5
	window
	end_of_interrupt
	window
	end_of_interrupt

	say "automatic end, and rotation:"
	setup 0x03
	put 0x20, 0x80
	pulse 1
	pulse 3
	window
	tell 0x20, 0x0b, "isr "
	put 0x20, 0x00

	/* Special mask mode is in the unit tests: KVM has none. */
	setup 0x01
	say "out of a halt:"
	pulse 0
	sti
	hlt
	cli
	end_of_interrupt

	say "behind a local APIC:"
	register LAPIC_SVR, 0x1ff
	register LAPIC + 0x350, 0x10700
	pulse 7
	window
	setup 0x01
	put 0x21, 0
	say "unmasked:"
	register LAPIC + 0x350, 0x700
	pulse 7
	window
	end_of_interrupt

	say "without a local APIC:"
	mov $0x1b, %ecx
	rdmsr
	and $~0x800, %eax
	wrmsr
	pulse 10
	window
	end_of_both
	finish

.irp n, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 2a, 2b, 2c, 2d, 2e, 2f
	vector \n
.endr
functions
idt_register

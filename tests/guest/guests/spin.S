/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Counts in memory until the embedder writes a stop mark; says when it begins. */
#include "guest.inc"
start64
	say "spinning"
	outb %al, $0x80
	/* Bochs 2.7 finds out whether interrupts end a VMX guest when its IF is written, not when it is entered. */
1:	cli
	incq SCRATCH
	cmpl $0, SCRATCH + 8
	je 1b
	say "stopped"
	hlt
	finish
functions
idt_register

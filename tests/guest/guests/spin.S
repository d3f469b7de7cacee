/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Counts in memory until the embedder writes a stop mark; says when it begins. */
#include "guest.inc"
start64
	say "spinning"
	outb %al, $0x80
1:	incq SCRATCH
	cmpl $0, SCRATCH + 8
	je 1b
	say "stopped"
	hlt
	finish
functions
idt_register

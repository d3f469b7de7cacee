/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A triple fault: the first exception finds no IDT. */
#include "guest.inc"
start64
	say "about to fault"
	lidt none
	ud2
	say "not reached"
	finish 1
	.balign 8
none:	.word 0
	.quad 0
functions
idt_register

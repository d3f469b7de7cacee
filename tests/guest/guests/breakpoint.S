/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* INT3 twice: the first is the embedder's, the second the guest's own. */
#include "guest.inc"
start64
	gate64 3, breakpoint
	outb %al, $0x80
	jmp 1f
	.org 0x140
1:	int3
	outb %al, $0x81
	int3
	finish
breakpoint:
	say "own breakpoint"
	iretq
functions
idt_register

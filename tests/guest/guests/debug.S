/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Instructions at known places, for steps and breakpoints. */
#include "guest.inc"
start64
	outb %al, $0x80
	jmp 1f
	.org 0x100
1:	nop
	inc %ecx
	mov $0x1234, %eax
	jmp 1f
	.org 0x120
1:	outb %al, $0x81
	jmp 1f
	.org 0x160
1:	nop
	mov %eax, SCRATCH
	nop
	mov SCRATCH, %eax
	nop
	outb %al, $0x83
	finish
functions
idt_register

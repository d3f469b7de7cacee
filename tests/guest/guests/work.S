/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Counts in the first long of 64 pages, one after the other, until a stop mark is written. It takes its time
 * between two: a write whose dirty bit is lost must not be covered by the page's next one.
 */
#include "guest.inc"
start64
1:	mov $SCRATCH, %edi
	mov $64, %edx
2:	cli /* as in spin.S */
	incq (%rdi)
	mov $20000, %ecx
3:	dec %ecx
	jnz 3b
	add $0x1000, %edi
	dec %edx
	jnz 2b
	cmpl $0, STACK
	je 1b
	finish
functions
idt_register

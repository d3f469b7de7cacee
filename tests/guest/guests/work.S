/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Counts in the first long of 64 pages, one after the other, until a stop mark is written. */
#include "guest.inc"
start64
1:	mov $SCRATCH, %edi
	mov $64, %ecx
2:	incq (%rdi)
	add $0x1000, %edi
	dec %ecx
	jnz 2b
	cmpl $0, STACK
	je 1b
	finish
functions
idt_register

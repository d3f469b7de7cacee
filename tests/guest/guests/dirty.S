/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Writes to pages of SCRATCH, a round at a time; the embedder fetches the dirty bits at each HLT. Pages that
 * are read have been written in a round before: an engine may count the first touch as a write.
 */
#include "guest.inc"
start64
	movb $1, SCRATCH
	movb $1, SCRATCH + 0x3fff
	movq $1, SCRATCH + 0x7ffc
	hlt
	mov SCRATCH + 0x3000, %al
	movb $2, SCRATCH
	lock incl SCRATCH + 0x41000
	hlt
	mov SCRATCH, %al
	hlt
	mov $(SCRATCH + 0x2000), %edi
	mov $0x600, %ecx
	rep stosq
	hlt
	finish
functions
idt_register

/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* INS and OUTS: every width, REP, downwards, across a page, no element at all. */
#include "guest.inc"
start64
	mov $0x1000, %edx
	mov $text, %esi
	outsb
	outsw
	outsl
	mov $text, %esi
	mov $5, %ecx
	rep outsb
	mov $3, %ecx
	rep outsw
	mov $2, %ecx
	rep outsl
	xor %ecx, %ecx
	rep outsb
	std
	mov $(text + 2), %esi
	mov $3, %ecx
	rep outsb
	cld
	sub $(text - 1), %esi
	say32 %ecx, "left: "

	mov $SCRATCH, %edi
	insb
	insw
	insl
	mov SCRATCH, %eax
	say32 %eax, "ins: "
	mov SCRATCH + 3, %eax
	say32 %eax, "insl: "

	mov $(SCRATCH + 0xffe), %edi
	mov $4, %ecx
	rep insb
	say32 %edi, "edi: "
	mov SCRATCH + 0xffe, %eax
	say32 %eax, "across a page: "

	mov $(SCRATCH + 0x104), %edi
	mov $2, %ecx
	std
	rep insl
	cld
	say32 %edi, "downwards: "
	mov SCRATCH + 0x100, %eax
	say32 %eax, "second: "
	mov SCRATCH + 0x104, %eax
	say32 %eax, "first: "
	xor %ecx, %ecx
	rep insb
	finish
text:	.ascii "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
functions
idt_register

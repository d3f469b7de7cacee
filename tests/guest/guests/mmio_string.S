/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* MOVS, STOS, LODS, CMPS and SCAS on memory that is not there, upwards and downwards. */
#include "guest.inc"
start64
	mov $MMIO, %edi
	movabs $0x1122334455667788, %rax
	stosb
	stosw
	stosl
	stosq
	mov $(MMIO + 0x20), %edi
	mov $3, %ecx
	rep stosb
	mov $2, %ecx
	rep stosq
	say32 %edi, "edi: "

	mov $text, %esi
	mov $(MMIO + 0x40), %edi
	mov $4, %ecx
	rep movsb
	mov $2, %ecx
	rep movsl
	say32 %ecx, "left: "

	mov $(MMIO + 0x60), %esi
	mov $SCRATCH, %edi
	mov $4, %ecx
	rep movsb
	movsq
	mov SCRATCH, %eax
	say32 %eax, "from MMIO: "
	mov SCRATCH + 4, %rax
	say64 %rax, "movsq: "

	mov $(MMIO + 0x80), %esi
	mov $(MMIO + 0x1080), %edi
	mov $2, %ecx
	rep movsw

	mov $(MMIO + 0xa0), %esi
	lodsb
	lodsl
	mov %eax, %r12d
	say32 %r12d, "lodsl: "

	std
	mov $(MMIO + 0xc8), %edi
	mov $2, %ecx
	rep stosl
	cld
	say32 %edi, "downwards: "

	/* The answers count up, so the third byte is found. */
	mov $(MMIO + 0xe0), %edi
	inb $0x80, %al
	add $3, %al
	mov $8, %ecx
	repne scasb
	say32 %ecx, "scas left: "
	finish
text:	.ascii "ABCDEFGHIJKLMNOP"
functions
idt_register

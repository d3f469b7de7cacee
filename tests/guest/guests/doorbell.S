/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Writes that only signal, and ones beside them that do not. */
#include "guest.inc"
start64
	mov $MMIO, %ebp
	movl $1, (%rbp)
	movl $2, (%rbp)
	mov $0x700, %edx
	mov $7, %eax
	outw %ax, %dx
	mov $8, %eax
	outw %ax, %dx
	movl $3, 4(%rbp)
	hlt
	movl $4, (%rbp)
	finish
functions
idt_register

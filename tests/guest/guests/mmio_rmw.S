/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Read, change and write back memory that is not there. */
#include "guest.inc"
start64
	mov $MMIO, %ebp
	orb $0x80, (%rbp)
	addw $0x1000, 2(%rbp)
	andl $0x0f0f0f0f, 4(%rbp)
	xorq $-1, 8(%rbp)
	subl $1, 4(%rbp)
	incl 4(%rbp)
	decb (%rbp)
	notl 4(%rbp)
	negl 4(%rbp)
	shll $4, 4(%rbp)
	lock orl $0x100, 4(%rbp)
	lock incl 4(%rbp)
	mov $0x12345678, %eax
	xchg %eax, 4(%rbp)
	say32 %eax, "xchg: "
	mov $1, %edx
	lock xadd %edx, 4(%rbp)
	say32 %edx, "xadd: "
	lock btsl $31, 4(%rbp)
	finish
functions
idt_register
